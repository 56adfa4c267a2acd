//! Each program is run as a user would run it, and asked by clients that know nothing of it: curl where it is there,
//! our own, and sockets.
#![cfg(unix)]

mod running;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use running::{Folder, Running, curl, on_a_terminal, program};

#[test]
fn files_have_ranges_conditions_and_types() {
    let folder = Folder::new("files");
    fs::create_dir(folder.path("site")).unwrap();
    fs::write(folder.path("secret.txt"), "secret").unwrap();
    fs::write(folder.path("site/letters.txt"), "abcdefghij").unwrap();
    fs::write(folder.path("site/index.html"), "<p>hello").unwrap();
    let server = Running::start("files", &["--folder", &folder.path("site")]);
    let (head, content) = server.get("/letters.txt", "");
    assert!(head.contains("content-type: text/plain") && content == "abcdefghij", "{head}{content}");
    let (head, content) = server.get("/letters.txt", "Range: bytes=2-4\r\n");
    assert!(head.starts_with("HTTP/1.1 206 ") && head.contains("content-range: bytes 2-4/10"), "{head}");
    assert_eq!(content, "cde");
    assert!(server.get("/letters.txt", "Range: bytes=20-\r\n").0.starts_with("HTTP/1.1 416 "));
    let modified = head.lines().find_map(|line| line.strip_prefix("last-modified: ")).unwrap();
    let (head, content) = server.get("/letters.txt", &format!("If-Modified-Since: {modified}\r\n"));
    assert!(head.starts_with("HTTP/1.1 304 ") && content.is_empty(), "{head}");
    assert_eq!(server.get("/", "").1, "<p>hello");
    for outside in ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//secret.txt"] {
        assert!(server.get(outside, "").0.starts_with("HTTP/1.1 404 "), "{outside}");
    }
    if let Some(said) = curl(&["--range", "-3", "--output", "-", &format!("{}letters.txt", server.url)]) {
        assert_eq!(said, "hij");
    }
    assert!(server.ends().contains("Report"));
}

#[test]
fn a_chat_is_heard_by_all_and_ends_with_its_server() {
    let server = Running::start("chat", &[]);
    let proxy = Running::start("proxy", &["--to", &server.url]);
    // One speaks to it as it is, on tokio, one on async-std, one through our proxy.
    let url = |url: &str| url.replace("http:", "ws:") + "chat";
    let mut peers = [
        Running::talk("talk", &url(&server.url)),
        Running::talk("talk-async-std", &url(&server.url)),
        Running::talk("talk", &url(&proxy.url)),
    ];
    // Whoever is there hears what he says himself.
    for (n, peer) in peers.iter_mut().enumerate() {
        peer.say(&format!("{n} is here"));
        while peer.line() != format!("{n} is here") {}
    }
    peers[1].say("hello, all");
    for peer in &mut peers {
        while peer.line() != "hello, all" {}
    }
    let [first, second, third] = peers;
    assert!(first.says_goodbye());
    assert!(second.says_goodbye());
    // The server says goodbye to who is still there.
    assert!(server.ends().contains("Report"));
    assert!(third.has_ended());
}

#[test]
fn a_chat_is_no_place_for_pages_of_others() {
    let server = Running::start("chat", &[]);
    assert!(server.get("/", "").1.contains("new WebSocket"));
    let handshake = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let (head, _) = server.get("/chat", &format!("{handshake}Origin: http://elsewhere\r\n"));
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    assert!(server.get("/chat", "").0.starts_with("HTTP/1.1 426 "));
    let (head, _) = server.get("/chat", &handshake.replace("13", "12"));
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    let socket = server.send(&format!("GET /chat HTTP/1.1\r\nHost: x\r\n{handshake}Origin: http://x\r\n\r\n"));
    let (head, _) = running::read_head(socket);
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
}

/// An origin of one's own: what it is sent, and what it says to that.
fn origin(answers: &'static [&'static str]) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut head, mut stream) = running::read_head(listener.accept().unwrap().0);
            // An empty answer is the end of a connection that was kept.
            let mut rest = answer.split("then");
            stream.write_all(rest.next().unwrap().as_bytes()).unwrap();
            for more in rest {
                asked.push(head);
                (head, stream) = running::read_head(stream);
                stream.write_all(more.as_bytes()).unwrap();
            }
            asked.push(head);
        }
        asked
    });
    (url, serving)
}

#[test]
fn a_proxy_sends_on_what_is_for_the_origin() {
    let answer = "HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nConnection: x-own\r\nX-Own: 1\r\nX-All: 2\r\n\r\nok";
    let (url, serving) = origin(Box::leak(Box::new([answer, "HTTP/1.1 204 No Content\r\n\r\n"])));
    let proxy = Running::start("proxy", &["--to", &url]);
    let fields = "Connection: x-mine\r\nX-Mine: 1\r\nX-All: 2\r\nTE: trailers\r\nProxy-Authorization: secret\r\n";
    let (head, content) = proxy.get("/a?b=%20", &format!("{fields}X-Forwarded-For: 10.0.0.1\r\n"));
    assert_eq!(content, "ok");
    assert!(head.starts_with("HTTP/1.1 200 Fine\r\n") && !head.contains("x-own"), "{head}");
    assert!(head.contains("x-all: 2") && head.contains("via: 1.1 proxy"), "{head}");
    // Of old, and without a `Host`; it is answered in the version of today (RFC 9110 §6.2).
    let (answer, _) = running::read_head(proxy.send("GET / HTTP/1.0\r\n\r\n"));
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    let mut asked = serving.join().unwrap();
    assert!(asked[1].starts_with("GET / HTTP/1.1\r\nhost: 127.0.0.1:"), "{}", asked[1]);
    let asked = asked.remove(0).to_lowercase();
    assert!(asked.contains("x-forwarded-host: x\r\n"), "{asked}");
    assert!(asked.starts_with("get /a?b=%20 http/1.1\r\n"), "{asked}");
    for there in ["x-all: 2", "via: 1.1 proxy", "x-forwarded-for: 10.0.0.1", "x-forwarded-for: 127.0.0.1"] {
        assert!(asked.contains(there), "{there}: {asked}");
    }
    assert!(asked.contains(&format!("host: {}", url.strip_prefix("http://").unwrap())), "{asked}");
    for gone in ["x-mine", "te:", "secret"] {
        assert!(!asked.contains(gone), "{gone}: {asked}");
    }
}

#[test]
fn a_proxy_asks_again_where_that_is_safe() {
    // The first connection is kept, and ends when it is used a second time.
    let (url, serving) =
        origin(&["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1then", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2"]);
    let proxy = Running::start("proxy", &["--to", &url]);
    assert_eq!(proxy.get("/1", "").1, "1");
    assert_eq!(proxy.get("/2", "").1, "2");
    assert_eq!(serving.join().unwrap().len(), 3);
    // Nobody listens there any more.
    let (head, content) = proxy.get("/3", "");
    assert!(head.starts_with("HTTP/1.1 502 ") && content == "the origin does not answer\n", "{head}{content}");
}

#[test]
fn a_proxy_streams_both_ways() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // An origin that answers while it reads: each chunk it gets, it sends.
    let serving = thread::spawn(move || {
        let (_, mut stream) = running::read_head(listener.accept().unwrap().0);
        stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for chunk in ["5\r\nfirst\r\n", "6\r\nsecond\r\n", "0\r\n\r\n"] {
            let mut read = vec![0; chunk.len()];
            stream.read_exact(&mut read).unwrap();
            assert_eq!(read, chunk.as_bytes());
            stream.write_all(&read).unwrap();
        }
    });
    let proxy = Running::start("proxy", &["--to", &url]);
    let stream = proxy.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    let (head, mut stream) = running::read_head(stream);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    for chunk in ["5\r\nfirst\r\n", "6\r\nsecond\r\n", "0\r\n\r\n"] {
        stream.write_all(chunk.as_bytes()).unwrap();
        let mut read = vec![0; chunk.len()];
        stream.read_exact(&mut read).unwrap();
        assert_eq!(read, chunk.as_bytes());
    }
    serving.join().unwrap();
}

#[test]
fn uploads_are_kept_whole_or_not_at_all() {
    let folder = Folder::new("upload");
    let server = Running::start("upload", &["--folder", &folder.path(""), "--most", "2000000"]);
    assert!(server.get("/", "").1.contains("XMLHttpRequest"));
    let kept = || {
        let mut names: Vec<_> =
            fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort_unstable();
        names
    };
    let put = |name: &str, fields: &str, content: &str| {
        let head = format!("PUT /files/{name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{fields}\r\n{content}");
        let mut answer = String::new();
        server.send(&head).read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(put("a.txt", "Content-Length: 3\r\n", "abc").ends_with("a.txt: 3 bytes\n"));
    assert!(put("b.txt", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").ends_with("5 bytes\n"));
    assert_eq!(fs::read_to_string(folder.path("b.txt")).unwrap(), "abcde");
    for name in ["", "..", "../c", ".c", "a%2fc", "a/c"] {
        assert!(put(name, "Content-Length: 3\r\n", "abc").starts_with("HTTP/1.1 400 "), "{name}");
    }
    // What is too large is refused before it is sent, or when it is.
    let answer = put("c", "Content-Length: 2000001\r\nExpect: 100-continue\r\n", "");
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let chunk = format!("186a00\r\n{}\r\n", "x".repeat(1_600_000));
    let answer = put("c", "Transfer-Encoding: chunked\r\n", &chunk.repeat(2));
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // What breaks off is not kept.
    drop(server.send("PUT /files/c HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"));
    running::eventually(|| kept() == ["a.txt", "b.txt"]);
    let large = folder.path("b.txt");
    fs::write(&large, vec![b'0'; 1_500_000]).unwrap();
    if let Some(said) = curl(&["--upload-file", &large, &format!("{}files/curl.bin", server.url)]) {
        assert_eq!(said, "curl.bin: 1500000 bytes\n");
        assert_eq!(fs::metadata(folder.path("curl.bin")).unwrap().len(), 1_500_000);
    }
}

#[test]
fn news_come_as_they_are_made_and_to_who_was_away() {
    let server = Running::start("events", &[]);
    assert!(server.get("/", "").1.contains("EventSource"));
    let post = |said: &str| {
        let length = said.len();
        let head =
            format!("POST /news HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{said}");
        let mut answer = String::new();
        server.send(&head).read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    };
    let follow =
        |fields: &str| running::read_head(server.send(&format!("GET /events HTTP/1.1\r\nHost: x\r\n{fields}\r\n")));
    post("before anybody came");
    let (head, mut first) = follow("");
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    post("one\r\nof two lines");
    running::read_until(&mut first, "id: 2\ndata: one\ndata: of two lines\n\n\r\n");
    let (_, mut second) = follow("Last-Event-ID: 0\r\n");
    running::read_until(&mut second, "data: of two lines\n\n\r\n");
    post("three");
    for stream in [&mut first, &mut second] {
        running::read_until(stream, "id: 3\ndata: three\n\n\r\n");
    }
    // Of a run before: it has seen nothing of this one, and gets what comes.
    let (_, mut third) = follow("Last-Event-ID: 900\r\n");
    post("four\rid: 900");
    running::read_until(&mut third, "id: 4\ndata: four\ndata: id: 900\n\n\r\n");
    assert!(server.ends().contains("Report"));
    running::read_until(&mut third, "0\r\n\r\n");
}

#[test]
fn processes_call_each_other() {
    let folder = Folder::new("rpc");
    let path = folder.path("socket");
    let call = |method: &str, params: &str| {
        let output = program("rpc").args(["--call", &path, "--method", method, "--params", params]).output().unwrap();
        let told = if output.status.success() { output.stdout } else { output.stderr };
        String::from_utf8(told).unwrap()
    };
    // Left of a run that was killed.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let server = Running::start("rpc", &["--serve", &path]);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(call("add", "[1, 2, 39]"), "42\n");
    assert_eq!(call("echo", "{\"a\": [null]}"), "{\"a\":[null]}\n");
    assert_eq!((call("count", "[]"), call("count", "[]")), ("1\n".to_owned(), "2\n".to_owned()));
    assert!(call("add", "[9223372036854775807, 1]").contains("-32602"));
    assert!(call("subtract", "[]").contains("-32601"));
    for (said, answer) in [
        ("{", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"this is no JSON"}}"#),
        ("[]", r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"this is no call"}}"#),
        (r#"{"jsonrpc": "2.0", "id": "a", "method": "echo", "params": 7}"#, r#"{"jsonrpc":"2.0","id":"a","result":7}"#),
        (r#"{"jsonrpc": "2.0", "method": "count"}"#, ""),
        (r#"{"jsonrpc": "2.0", "method": "subtract"}"#, ""),
    ] {
        if let Some(told) = curl(&["--unix-socket", &path, "--data", said, "http://rpc/"]) {
            // Members of an object have no order.
            let of = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
            assert_eq!(of(&told), of(answer), "{said}: {told}");
        }
    }
    // Whoever comes second leaves the first alone.
    assert!(!program("rpc").args(["--serve", &path]).output().unwrap().status.success());
    assert_eq!(call("count", "[]"), "4\n");
    assert!(server.ends().contains("Report"));
    assert!(fs::metadata(&path).is_err());
}

#[test]
fn certificates_change_while_it_serves() {
    let folder = Folder::new("secure");
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path(name));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&cert, made.cert.pem()).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        made.cert.pem()
    };
    // Whether a client that trusts this certificate alone is answered.
    let is_answered = |port: &str, trusted: &str| {
        let roots = http_tokio::tls::client_config(trusted.as_bytes()).unwrap();
        let client = http_tokio::client::Builder::new().retries(0);
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let client = client.build(http_tokio::network().tls(roots), http_tokio::TokioRuntime);
            let request = http::Request::get(format!("https://localhost:{port}/")).body(()).unwrap();
            client.request(request).await.is_ok_and(|response| response.status() == 200)
        })
    };
    let first = renew();
    let mut server = Running::start("secure", &["--cert", &cert, "--key", &key]);
    let port = server.url.trim_end_matches('/').rsplit_once(':').unwrap().1.to_owned();
    assert!(is_answered(&port, &first));
    let second = renew();
    assert!(is_answered(&port, &first) && !is_answered(&port, &second));
    server.signal("HUP");
    assert_eq!(server.line(), "the certificates were read again");
    assert!(is_answered(&port, &second) && !is_answered(&port, &first));
    if let Some(said) = curl(&["--cacert", &cert, &format!("https://localhost:{port}/")]) {
        assert_eq!(said, "Hello\n");
    }
    fs::write(&key, "nothing").unwrap();
    server.signal("HUP");
    assert!(server.line().starts_with("the certificates stay as they were: "));
    assert!(is_answered(&port, &second));
}

#[test]
fn what_is_measured_is_counted() {
    let folder = Folder::new("measure");
    fs::write(folder.path("ten"), "0123456789").unwrap();
    let server = Running::start("files", &["--folder", &folder.path("")]);
    let measure = |path: &str| {
        let url = format!("{}{path}", server.url);
        let output =
            program("measure").args(["--url", &url, "--requests", "500", "--connections", "4"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let told = measure("ten");
    assert!(told.starts_with("500 of 500 answered, 5000 bytes, in ") && told.contains("500 with 200\n"), "{told}");
    let (within, counts) = latencies(&told);
    assert!(within.len() == 5 && within.is_sorted() && within[0] > 0.0, "{told}");
    assert_eq!(counts.iter().map(|&(count, _)| count).sum::<u64>(), 500, "{told}");
    assert!(measure("eleven").contains("500 with 404\n"));
    server.ends();
    let url = format!("http://{}/", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let output = program("measure").args(["--url", &url, "--requests", "1"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.starts_with("0 of 1 answered") && told.contains("1 failed: "), "{told}");
}

/// The latencies that are told, and how many requests took how long.
fn latencies(told: &str) -> (Vec<f64>, Vec<(u64, usize)>) {
    let milliseconds = |text: &str| text.trim().strip_suffix(" ms")?.parse().ok();
    let within = told.lines().filter_map(|line| milliseconds(line.split_once("within ")?.1)).collect();
    let counts = told.lines().filter_map(|line| {
        let (count, rest) = line.split_once(" up to ")?;
        Some((count.trim().parse().ok()?, rest.matches('#').count()))
    });
    (within, counts.collect())
}

#[test]
fn a_load_is_shown_to_who_looks() {
    let port = &served(b"Hello".to_vec());
    for (name, level) in [("load", "exchange"), ("load", "client"), ("load-async-std", "client")] {
        for mode in ["seq", "conc", "joined"] {
            let run = ["--port", port, "--mode", mode, "--n", "300", "--conns", "3", "--level", level];
            // A pipe is given its line, and nothing else.
            let output = program(name).args(run).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(told.starts_with("{\"requests\": 300, ") && told.lines().count() == 1, "{told}");
            // Who asks is given the latencies of all of them; there is no bar where there is no terminal.
            let output = program(name).args(run).args(["--show", "yes"]).output().unwrap();
            let told = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success() && output.stderr.is_empty());
            let (within, counts) = latencies(&told);
            assert!(told.starts_with('{') && within.len() == 5 && within.is_sorted() && within[0] > 0.0, "{told}");
            assert_eq!(counts.iter().map(|&(count, _)| count).sum::<u64>(), 300, "{told}");
            let longest = counts.iter().max().unwrap();
            assert!(longest.1 == 40 && counts.iter().all(|&(count, bar)| (count > 0) == (bar > 0)), "{told}");
        }
    }
    let run = ["--port", port, "--n", "300"];
    if let Some(seen) = on_a_terminal("load", &run) {
        assert!(seen.contains("/300 ") && seen.contains(" left") && latencies(&seen).0.len() == 5, "{seen:?}");
    }
    if let Some(seen) = on_a_terminal("load", &[&run[..], &["--show", "no"]].concat()) {
        assert!(seen.starts_with('{') && seen.lines().count() == 1, "{seen:?}");
    }
    // Content is counted in bytes.
    let port = &served(vec![b'0'; 1 << 20]);
    for mode in ["bytes", "sink"] {
        let run = ["--port", port, "--mode", mode, "--size", "1048576", "--n", "3"];
        if let Some(seen) = on_a_terminal("load", &run) {
            assert!(seen.contains("/3.00 MiB ") && latencies(&seen).1[0].0 > 0, "{seen:?}");
        }
    }
}

/// Serves this to whoever asks, in a thread of its own, and says at which port.
fn served(content: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let content = bytes::Bytes::from(content);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let service = http_tokio::service_fn(move |request: http::Request<http_tokio::Incoming>| {
                let content = http_tokio::Full::from(content.clone());
                async move {
                    request.into_body().bytes(1 << 20).await?;
                    Ok::<_, http_tokio::ReadError>(http::Response::new(content))
                }
            });
            http_tokio::Server::new().serve(listener, service).await;
        });
    });
    port
}

#[test]
fn a_long_download_has_a_bar_on_a_terminal_that_the_content_does_not_go_to() {
    // Content that takes 0.9 s, by a length or without one.
    fn slow(length: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (_, mut stream) = running::read_head(stream.unwrap());
                let (framing, piece) = match length {
                    true => ("Content-Length: 6144", "x".repeat(1024)),
                    false => ("Transfer-Encoding: chunked", format!("400\r\n{}\r\n", "x".repeat(1024))),
                };
                write!(stream, "HTTP/1.1 200 OK\r\n{framing}\r\n\r\n").unwrap();
                for _ in 0..6 {
                    thread::sleep(std::time::Duration::from_millis(150));
                    stream.write_all(piece.as_bytes()).unwrap();
                }
                stream.write_all(if length { b"" } else { b"0\r\n\r\n" }).unwrap();
            }
        });
        url
    }
    let folder = Folder::new("fetch");
    let file = folder.path("content");
    let trials = [("fetch", true), ("fetch", false), ("fetch-async-std", true), ("fetch-async-std", false)];
    let trials = trials.map(|(name, length)| {
        let file = format!("{file}-{name}-{length}");
        thread::spawn(move || {
            let url = slow(length);
            // A pipe is given the content, and nothing else.
            let output = program(name).arg(&url).output().unwrap();
            assert!(output.status.success() && output.stderr.is_empty());
            assert_eq!(output.stdout, "x".repeat(6144).as_bytes());
            if let Some(seen) = on_a_terminal(name, &["-o", &file, &url]) {
                assert_eq!(fs::read_to_string(&file).unwrap(), "x".repeat(6144));
                let all = if length { "/6.00 KiB " } else { " KiB " };
                assert!(seen.contains(all) && seen.contains("/s"), "{seen:?}");
                assert_eq!(seen.contains(" left"), length, "{seen:?}");
            }
            if let Some(seen) = on_a_terminal(name, &[&url]) {
                assert_eq!(seen, "x".repeat(6144));
            }
        })
    });
    for trial in trials {
        trial.join().unwrap();
    }
}

#[test]
fn a_wrong_command_line_is_told() {
    for (name, arguments) in [
        ("fetch", &["--retry"][..]),
        ("files", &["--fodler", "x"]),
        ("load", &["--show", "perhaps"]),
        ("proxy", &["--to", "nowhere"]),
        ("rpc", &[]),
        ("secure", &["--cert", "none", "--key", "none"]),
        ("measure", &["--url", "ftp://x"]),
    ] {
        let output = program(name).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(&format!("usage: {name} ")), "{name}");
    }
    // Whatever a talker is told to talk to, it says what is wrong.
    for name in ["talk", "talk-async-std"] {
        for url in ["http://127.0.0.1:1/", "ws://127.0.0.1:1/", "nothing"] {
            assert!(!program(name).arg(url).output().unwrap().status.success(), "{name} {url}");
        }
    }
}
