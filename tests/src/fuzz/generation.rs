//! Heads that are generated: whatever is pushed is refused, or reads back as exactly what was pushed.

use bytes::BytesMut;
use http_core::{
    Config, Content, Fields, Framing, Instant, Method, Outline, Reason, RequestHead, ResponseHead, SendFraming,
    StatusCode, Version, client, make_header_request, make_header_response, mend_response, server,
};

use crate::read::{latin1, pairs};
use crate::source::Source;

const NOW: Instant = Instant::ZERO;

/// One head, of a request or of a response.
///
/// # Panics
/// If a promise does not hold.
pub fn head_generation(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    if source.one_in(2) { response(&mut source) } else { request(&mut source) }
}

fn content(source: &mut Source<'_>) -> Content {
    match source.below(4) {
        0 => Content::Empty,
        1 => Content::Full(vec![b'x'; source.below(4)].into()),
        2 => Content::Sized(source.pick(&[0, 1, 5, u64::MAX])),
        _ => Content::Streaming,
    }
}

/// Fields from names that mean something, or from whatever bytes.
fn push_fields(source: &mut Source<'_>, fields: &mut Fields) {
    for _ in 0..source.below(8) {
        let name = match source.below(20) {
            0 => source.below(12),
            n => {
                let names = [
                    "Host",
                    "Content-Length",
                    "Transfer-Encoding",
                    "Connection",
                    "Expect",
                    "Upgrade",
                    "TE",
                    "Trailer",
                    "Date",
                    "Keep-Alive",
                    "X-Field",
                    "content-length",
                    "CONNECTION",
                ];
                let value = match source.below(24) {
                    v @ 0..=17 => [
                        "",
                        "a",
                        "5",
                        "0",
                        "chunked",
                        "gzip, chunked",
                        "close",
                        "keep-alive, x",
                        "100-continue",
                        "echo",
                        "trailers",
                        "example.com",
                        "example.com:80",
                        "5, 5",
                        "chunked;q=1",
                        "a b",
                        "upgrade",
                        "CLOSE",
                    ][v]
                        .as_bytes()
                        .to_vec(),
                    _ => {
                        let length = source.below(20);
                        source.take(length).to_vec()
                    }
                };
                push(fields, names[n % names.len()].as_bytes(), &value);
                continue;
            }
        };
        let name = source.take(name).to_vec();
        let length = source.below(200);
        push(fields, &name, source.take(length));
    }
}

/// Removing takes every line of that name and no other.
fn remove(fields: &mut Fields, name: &str) {
    let kept: Vec<_> = pairs(fields).into_iter().filter(|(n, _)| !n.eq_ignore_ascii_case(name)).collect();
    let before = fields.len();
    assert_eq!(fields.remove(name), before - kept.len());
    assert_eq!(pairs(fields), kept);
    let lines: Vec<_> = kept.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    assert_eq!(latin1(fields.as_wire()), lines.concat());
}

/// Pushing either changes nothing or adds exactly one line.
fn push(fields: &mut Fields, name: &[u8], value: &[u8]) {
    let before = fields.as_wire().to_vec();
    if fields.push(name, value).is_err() {
        assert_eq!(fields.as_wire(), before, "a refused field left something");
    } else {
        let line = &fields.as_wire()[before.len()..];
        let inner = line.strip_suffix(b"\r\n").expect("a line ends");
        assert!(!inner.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)), "a line was split: {}", line.escape_ascii());
    }
}

/// The fields that are sent of these: where the connection closes, none says that it is kept.
fn sent(fields: &Fields, closes: bool) -> Vec<(String, String)> {
    let mut sent = pairs(fields);
    if !closes {
        return sent;
    }
    let is_keep = |option: &str| option.eq_ignore_ascii_case("keep-alive");
    for (name, value) in &mut sent {
        let options: Vec<_> = value.split(',').map(|o| o.trim_matches([' ', '\t'])).filter(|o| !o.is_empty()).collect();
        if name.eq_ignore_ascii_case("connection") && options.iter().any(|option| is_keep(option)) {
            let others: Vec<_> = options.into_iter().filter(|option| !is_keep(option)).collect();
            *value = if others.is_empty() { "\n".into() } else { others.join(", ") };
        }
    }
    sent.retain(|(name, value)| !name.eq_ignore_ascii_case("keep-alive") && value != "\n");
    sent
}

fn outline(source: &mut Source<'_>) -> Outline {
    let mut outline = Outline::default();
    outline.persistent = !source.one_in(3);
    outline.peer = if source.one_in(3) { Version::Http10 } else { Version::Http11 };
    outline
}

fn request(source: &mut Source<'_>) {
    let method = source.pick(&["GET", "HEAD", "POST", "CONNECT", "OPTIONS", "PUT", ""]);
    let method = if method.is_empty() {
        let length = source.below(8);
        source.take(length)
    } else {
        method.as_bytes()
    };
    let Some(method) = Method::from_bytes(method) else { return };
    let target =
        source.pick(&["/", "/a?b", "*", "example.com:80", "http://example.com/x", "http://a:/", "", "//x", "/%zz"]);
    let length = source.below(12);
    let target = if target.is_empty() { source.take(length) } else { target.as_bytes() };
    let Ok(mut head) = RequestHead::new(method, target) else { return };
    if source.one_in(3) {
        head = head.with_version(Version::Http10);
    }
    if source.one_in(2) {
        head.fields_mut().push("Host", "example.com").expect("a good field");
    }
    push_fields(source, head.fields_mut());
    let (content, outline) = (content(source), outline(source));
    if source.one_in(6) {
        remove(head.fields_mut(), source.pick(&["x-field", "Connection", "host"]));
    }
    let mut out = b"before".to_vec();
    let Ok(sending) = make_header_request(&head, &content, &outline, &mut out) else {
        assert_eq!(out, b"before", "a refused head left something");
        return;
    };
    let mut input = BytesMut::from(&out[6..]);
    let mut connection = server::Connection::new(Config::default().into(), NOW);
    match connection.poll_event(&mut input, NOW) {
        Ok(Some(server::Event::Request(read))) => {
            assert!(input.is_empty(), "something behind the head");
            assert_eq!((read.method(), read.target()), (head.method(), head.target()));
            assert_eq!(read.version(), head.version());
            // A Host that the engine adds goes before the caller's fields, everything else behind them.
            let added = usize::from(read.fields().contains("host") && !head.fields().contains("host"));
            let sent = sent(head.fields(), !sending.persistent && head.version() == Version::Http11);
            assert_eq!(&pairs(read.fields())[added..][..sent.len()], &sent[..]);
            let framing = match sending.framing {
                SendFraming::None => Framing::None,
                SendFraming::Length(length) => Framing::Length(length),
                SendFraming::Chunked => Framing::Chunked,
                other => panic!("a request cannot be framed {other:?}"),
            };
            assert!(read.framing() == framing || !framing.has_content() && !read.framing().has_content());
        }
        // Codings and expectations are an agreement between the applications.
        Err(error) if error.reason() == Reason::TransferCodingUnknown => {}
        Ok(None) if connection.interest().write && head.fields().contains("expect") => {}
        other => panic!("{} reads as {other:?}", out.escape_ascii()),
    }
}

fn response(source: &mut Source<'_>) {
    let status = source.pick(&[200, 204, 205, 304, 404, 101, 100, 103, 500, 199, 600, 999]);
    let Some(status) = StatusCode::new(status) else { return };
    let reason = source.below(12);
    let head = if reason > 8 {
        Ok(ResponseHead::new(status))
    } else {
        ResponseHead::with_reason_phrase(status, source.take(reason))
    };
    let Ok(mut head) = head else { return };
    push_fields(source, head.fields_mut());
    let (mut content, mut outline) = (content(source), outline(source));
    let method = source.pick(&[Method::Get, Method::Head, Method::Connect]);
    outline.head = method == Method::Head;
    outline.connect = method == Method::Connect;
    outline.upgrade_offered = method == Method::Get && source.one_in(2);
    let mended = source.one_in(2);
    if mended {
        mend_response(&mut head, &mut content, &outline);
        let again = mend_response(&mut head.clone(), &mut content.clone(), &outline);
        assert!(!again || !outline.omits_content(status), "once is enough: {head:?} {content:?}");
    }
    let mut out = b"before".to_vec();
    let Ok(sending) = make_header_response(&head, &content, &outline, &mut out) else {
        assert_eq!(out, b"before", "a refused head left something");
        let bodyless = !outline.head && outline.omits_content(status) && status.as_u16() >= 200;
        assert!(!mended || !bodyless, "nothing is left that could be refused: {head:?}");
        return;
    };
    let mut connection = client::Connection::new(Config::default().into(), NOW);
    let target = if method == Method::Connect { "example.com:80" } else { "/" };
    let mut asked =
        RequestHead::new(method, target).and_then(|asked| asked.with("Host", "example.com:80")).expect("good");
    if outline.upgrade_offered {
        asked.fields_mut().push("Upgrade", "echo").expect("a good field");
    }
    connection.send_request(&asked, Content::Empty, NOW).expect("a good request");
    connection.handle_sent(usize::MAX, NOW);
    let mut input = BytesMut::from(&out[6..]);
    match connection.poll_event(&mut input, NOW) {
        Ok(Some(client::Event::Response(read))) => {
            assert!(input.is_empty(), "something behind the head");
            assert_eq!((read.status(), read.reason_phrase()), (head.status(), head.reason_phrase()));
            // A Host that the engine adds goes before the caller's fields, everything else behind them.
            let added = usize::from(read.fields().contains("host") && !head.fields().contains("host"));
            let switching = status.as_u16() == 101 || outline.connect && status.is_success();
            let sent = sent(head.fields(), !sending.persistent && !switching);
            assert_eq!(&pairs(read.fields())[added..][..sent.len()], &sent[..]);
            let framing = match sending.framing {
                SendFraming::None | SendFraming::Omitted => Framing::None,
                SendFraming::Length(length) => Framing::Length(length),
                SendFraming::Chunked => Framing::Chunked,
                SendFraming::UntilClose => Framing::UntilClose,
                other => panic!("an unknown framing {other:?}"),
            };
            assert!(read.framing() == framing || !framing.has_content() && !read.framing().has_content());
        }
        other => panic!("{} reads as {other:?}", out.escape_ascii()),
    }
}
