//! The bytes that both engines are given.

/// What every request is answered with.
pub(crate) const HELLO: &[u8] = b"Hello, World!";

/// The value of `Date` in answers.
pub(crate) const DATE: [u8; 29] = *b"Thu, 01 Jan 2026 00:00:00 GMT";

/// A request as a simple client sends it: six fields, 193 bytes.
pub(crate) const SIX_FIELDS: &[u8] = b"GET /plain HTTP/1.1\r\n\
    Host: 127.0.0.1:8080\r\n\
    User-Agent: peer-load/1.0\r\n\
    Accept: */*\r\n\
    Accept-Encoding: gzip, deflate\r\n\
    Connection: keep-alive\r\n\
    X-Request-Id: 7f3c9a52-0b1d-4c55-9d6e-2f8a1c3b4d5e\r\n\r\n";

/// A request as a browser sends it: fifteen fields, 646 bytes.
pub(crate) const BROWSER: &[u8] = b"GET /plain HTTP/1.1\r\n\
    Host: 127.0.0.1:8080\r\n\
    Connection: keep-alive\r\n\
    sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\n\
    sec-ch-ua-mobile: ?0\r\n\
    sec-ch-ua-platform: \"Linux\"\r\n\
    Upgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\n\
    Sec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\n\
    Referer: http://127.0.0.1:8080/index.html\r\n\
    Accept-Encoding: gzip, deflate, br\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\r\n";

/// How many requests there are that differ; then the first one comes again.
const DIFFERENT: usize = 16;

/// Requests with the fields of `request`, of which the value of each one is another one than in the request before, and
/// in another order.
pub(crate) fn all_new(request: &[u8]) -> Vec<Vec<u8>> {
    (0..DIFFERENT).map(|number| rewritten(request, number, |_| true, number)).collect()
}

/// The same, but that three values alone are other ones, in the order of `request`.
pub(crate) fn three_new(request: &[u8]) -> Vec<Vec<u8>> {
    let new = ["Accept", "Sec-Fetch-Dest", "Referer"];
    (0..DIFFERENT).map(|number| rewritten(request, number, |name| new.contains(&name), 0)).collect()
}

/// `request` with other values of the fields that `new` names, the first `first` lines behind the others.
fn rewritten(request: &[u8], number: usize, new: impl Fn(&str) -> bool, first: usize) -> Vec<u8> {
    let text = std::str::from_utf8(request).expect("ASCII").trim_end();
    let (start_line, section) = text.split_once("\r\n").expect("a start-line");
    let mut lines: Vec<String> = section
        .split("\r\n")
        .map(|line| {
            let (name, value) = line.split_once(": ").expect("a field line");
            if new(name) { format!("{name}: {}\r\n", another(name, value, number)) } else { format!("{line}\r\n") }
        })
        .collect();
    let count = lines.len();
    lines.rotate_left(first % count);
    format!("{start_line}\r\n{}\r\n", lines.concat()).into_bytes()
}

/// Another value for each number, as long as `value` or a little longer.
fn another(name: &str, value: &str, number: usize) -> String {
    if name == "Connection" {
        // The option stays what it is, in another case.
        let letter = |(at, c): (usize, char)| if number >> at & 1 == 1 { c.to_ascii_uppercase() } else { c };
        return value.chars().enumerate().map(letter).collect();
    }
    format!("{}{number:02}", &value[..value.len().saturating_sub(2)])
}

/// The head of a request whose content is chunked.
pub(crate) const CHUNKED_POST: &[u8] =
    b"POST /sink HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nTransfer-Encoding: chunked\r\n\r\n";

/// An answer as a client reads it.
pub(crate) const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 13\r\n\
    Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\nHello, World!";

/// Content of this size is sent in chunks.
pub(crate) const CHUNKED_CONTENT: usize = 64 * 1024;

/// [`CHUNKED_POST`] and its content in chunks of `size` bytes.
pub(crate) fn chunked(size: usize) -> Vec<u8> {
    let mut wire = CHUNKED_POST.to_vec();
    for chunk in vec![b'x'; CHUNKED_CONTENT].chunks(size) {
        wire.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}
