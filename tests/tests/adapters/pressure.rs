//! Back-pressure over sockets: what nobody reads waits in the system, and not in this process.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_driver::{Full, Incoming};

use crate::sockets::Outcome;
use crate::sockets::bodies::{Then, Told};
use crate::sockets::clients::{Networked, client, content};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{dial, head, stranger};
use crate::sockets::world::World;

/// More than the buffers of two sockets, and what a connection reads ahead.
const SYSTEM: usize = 24 << 20;

/// Writes until nothing is taken for a while, or all is: how much was.
fn write_until_it_stalls(mut stream: &TcpStream, piece: &[u8], total: usize) -> usize {
    stream.set_nonblocking(true).unwrap();
    let (mut taken, mut moved) = (0, Instant::now());
    while taken < total && moved.elapsed() < Duration::from_millis(400) {
        match stream.write(&piece[..piece.len().min(total - taken)]) {
            Ok(count) => {
                taken += count;
                moved = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
    stream.set_nonblocking(false).unwrap();
    taken
}

async fn s1_content_that_a_handler_does_not_read_waits<W: Networked>(world: W) -> Outcome {
    const TOTAL: usize = 64 << 20;
    let sleeper = world.clone();
    let running = Running::start(&world, server(&world), move |request: Request<Incoming>| {
        let world = sleeper.clone();
        async move {
            world.sleep(Duration::from_millis(1500)).await;
            let length = content(request.into_body()).await?.len();
            Ok::<_, http_driver::Error>(Response::new(Full::from(length.to_string())))
        }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head_sent = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {TOTAL}\r\n\r\n");
        (&stream).write_all(head_sent.as_bytes()).unwrap();
        let piece = vec![b'x'; 1 << 16];
        let taken = write_until_it_stalls(&stream, &piece, TOTAL);
        assert!(taken < SYSTEM, "{taken} bytes were taken");
        let mut left = TOTAL - taken;
        while left > 0 {
            left -= (&stream).write(&piece[..piece.len().min(left)]).unwrap();
        }
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
        let mut told = [0; 8];
        (&stream).read_exact(&mut told).unwrap();
        assert_eq!(told, TOTAL.to_string().as_bytes());
    })
    .await;
    Ok(())
}

async fn s2_requests_behind_an_answer_that_is_not_read_wait<W: World>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |_: Request<Incoming>| async {
        let pieces = vec![bytes::Bytes::from(vec![b'x'; 1 << 20]); 200];
        Ok::<_, http_driver::Error>(Response::new(Told::pieces(pieces).then(Then::Wait)))
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        let requests = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2000);
        let taken = write_until_it_stalls(&stream, &requests, 200 << 20);
        assert!(taken < SYSTEM, "{taken} bytes were taken");
    })
    .await;
    Ok(())
}

async fn c1_a_response_that_is_not_read_waits<W: Networked>(world: W) -> Outcome {
    let listener = std::net::TcpListener::bind(crate::sockets::strangers::anywhere())?;
    let address = listener.local_addr()?;
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        head(&stream);
        (&stream).write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        let mut chunk = b"10000\r\n".to_vec();
        chunk.resize(chunk.len() + 0x10000, b'x');
        chunk.extend_from_slice(b"\r\n");
        tell.send(write_until_it_stalls(&stream, &chunk, 200 << 20)).unwrap();
    });
    let client = client(&world);
    let request = Request::get(format!("http://{address}/")).body(Full::default())?;
    let response = client.request(request).await?;
    let taken = stranger(&world, move || told.recv_timeout(Duration::from_secs(20)).unwrap()).await;
    drop(response);
    assert!(taken < SYSTEM, "{taken} bytes were taken");
    Ok(())
}

on_both! {
    s1_content_that_a_handler_does_not_read_waits
    s2_requests_behind_an_answer_that_is_not_read_wait
    c1_a_response_that_is_not_read_waits
}
