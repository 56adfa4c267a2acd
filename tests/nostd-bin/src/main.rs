//! One HTTP exchange from memory, served and made by `http_core`, in a program that has no std: no runtime, no
//! unwinding, its own allocator. A dependency that links std brings a second panic handler, and this does not build.
//!
//! Prints one line. Exit status 0 if every byte was as expected and all memory was given back, 1 otherwise.
#![no_std]
#![no_main]

extern crate alloc;

mod heap;

use alloc::format;
use core::ffi::{c_int, c_void};

use bytes::{Bytes, BytesMut};
use http_core::{Config, Content, End, Instant, Method, RequestHead, ResponseHead, StatusCode, client, server};

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

#[link(name = "c")]
unsafe extern "C" {
    fn write(file: c_int, bytes: *const c_void, count: usize) -> isize;
    fn abort() -> !;
}

fn print(line: &str) {
    // SAFETY: the pointer and the length are those of one slice.
    unsafe { write(1, line.as_ptr().cast(), line.len()) };
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    print(&format!("no_std: {info}\n"));
    // SAFETY: `abort` may be called at any time.
    unsafe { abort() }
}

// The precompiled `core` and `alloc` refer to these; nothing unwinds here.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() {}

#[unsafe(no_mangle)]
extern "C" fn main(_count: c_int, _arguments: *const *const u8) -> c_int {
    let before = HEAP.in_use();
    let result = exchange();
    let leaked = HEAP.in_use() - before;
    match result {
        Ok(bytes) if leaked == 0 => {
            let peak = HEAP.peak();
            print(&format!("no_std: one exchange served and one made, {bytes} bytes, {peak} of heap at most\n"));
            0
        }
        Ok(_) => {
            print(&format!("no_std: {leaked} bytes of heap were not given back\n"));
            1
        }
        Err(what) => {
            print(&format!("no_std: not as expected: {what}\n"));
            1
        }
    }
}

const REQUEST: &[u8] = b"POST /greet HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nworld";
const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Transfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n";

/// What a step answers with if it went otherwise than it should.
type Unexpected = &'static str;

/// A client's machine asks, a server's machine answers; returns how many bytes passed between them.
fn exchange() -> Result<usize, Unexpected> {
    let now = Instant::ZERO;
    let mut client = client::Connection::new(Config::default().into(), now);
    let mut server = server::Connection::new(Config::default().into(), now);
    server.handle_date(*b"Sun, 06 Nov 1994 08:49:37 GMT");

    let head = RequestHead::new(Method::Post, "/greet")
        .and_then(|head| head.with("Host", "example.com"))
        .map_err(|_| "building the request")?;
    let content = Content::Full(Bytes::from_static(b"world"));
    client.send_request(&head, content, now).map_err(|_| "sending the request")?;
    let mut to_server = BytesMut::new();
    let mut slices = [&b""[..]; 8];
    let count = client.transmit(&mut slices);
    slices[..count].iter().for_each(|slice| to_server.extend_from_slice(slice));
    ensure(to_server == REQUEST, "the bytes of the request")?;
    client.handle_sent(to_server.len(), now);

    serve(&mut server, &mut to_server, now)?;
    let mut to_client = BytesMut::new();
    let mut slices = [&b""[..]; 8];
    let count = server.transmit(&mut slices);
    slices[..count].iter().for_each(|slice| to_client.extend_from_slice(slice));
    ensure(to_client == RESPONSE, "the bytes of the response")?;
    server.handle_sent(to_client.len(), now);

    read_response(&mut client, &mut to_client, now)?;
    ensure(client.readiness() == client::Readiness::Idle, "the client's connection is kept")?;
    ensure(server.interest().lend > 0, "the server's connection is kept")?;
    ensure(server.poll_timeout().is_some(), "the idle deadline is armed")?;
    server.handle_eof(End::Clean, now);
    let closed = server.poll_event(&mut to_server, now);
    ensure(matches!(closed, Ok(Some(server::Event::Closed(_)))), "the end")?;
    Ok(REQUEST.len() + RESPONSE.len())
}

fn serve(server: &mut server::Connection, input: &mut BytesMut, now: Instant) -> Result<(), Unexpected> {
    let Ok(Some(server::Event::Request(request))) = server.poll_event(input, now) else { return Err("the request") };
    ensure(request.method() == Method::Post && request.target() == b"/greet", "the request-line")?;
    ensure(request.fields().get("host") == Some(b"example.com"), "the fields of the request")?;
    server.want_content(now);
    let answer =
        ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain").map_err(|_| "building the response")?;
    server.send_response(&answer, Content::Streaming, now).map_err(|_| "sending the response")?;
    server.send_content(Bytes::from_static(b"hello "), now).map_err(|_| "sending content")?;
    loop {
        match server.poll_event(input, now) {
            Ok(Some(server::Event::Content(piece))) => {
                server.send_content(piece, now).map_err(|_| "echoing content")?
            }
            Ok(Some(server::Event::End(_))) => break,
            _ => return Err("the content of the request"),
        }
    }
    server.send_end(&http_core::Fields::new(), now).map_err(|_| "ending the response")?;
    server.recycle(request);
    ensure(matches!(server.poll_event(input, now), Ok(None)), "nothing after the exchange")
}

fn read_response(client: &mut client::Connection, input: &mut BytesMut, now: Instant) -> Result<(), Unexpected> {
    let Ok(Some(client::Event::Response(response))) = client.poll_event(input, now) else {
        return Err("the response");
    };
    ensure(response.status() == StatusCode::OK, "the status")?;
    let mut content = BytesMut::new();
    loop {
        match client.poll_event(input, now) {
            Ok(Some(client::Event::Content(piece))) => content.extend_from_slice(&piece),
            Ok(Some(client::Event::End(_))) => break,
            _ => return Err("the content of the response"),
        }
    }
    client.recycle(response);
    ensure(content == b"hello world"[..], "the content of the response")
}

fn ensure(holds: bool, what: Unexpected) -> Result<(), Unexpected> {
    if holds { Ok(()) } else { Err(what) }
}
