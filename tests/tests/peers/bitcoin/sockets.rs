//! What Bitcoin Core pinned of libevent before it left it, over sockets.

use std::io::{Read, Write};
use std::time::Duration;

use http::{Request, Response};
use http_core::Config;
use http_driver::{Full, Incoming};

use crate::Gate;
use crate::sockets::Outcome;
use crate::sockets::clients::{Networked, content};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{dial, head, rest, stranger};

async fn pipelined_requests_are_answered_in_order<W: Networked>(world: W) -> Outcome {
    // The first one takes longer than those behind it.
    let (gate, waiter) = (Gate::default(), world.clone());
    let at_gate = gate.clone();
    let running = Running::start(&world, server(&world), move |request: Request<Incoming>| {
        let (gate, world) = (at_gate.clone(), waiter.clone());
        async move {
            if request.uri().path() == "/1" {
                gate.pass(&world).await;
            }
            Ok::<_, std::convert::Infallible>(Response::new(Full::from(request.uri().path().to_owned())))
        }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let mut stream = dial(address);
        let requests = ["/1", "/2", "/3"].map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        stream.write_all(requests.concat().as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(stream.read(&mut [0]).is_err(), "an answer before the first one");
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        gate.open();
        for path in ["/1", "/2", "/3"] {
            head(&stream);
            let mut content = [0; 2];
            stream.read_exact(&mut content).unwrap();
            assert_eq!(content, path.as_bytes());
        }
    })
    .await;
    Ok(())
}

async fn a_busy_server_does_not_close_an_idle_client<W: Networked>(world: W) -> Outcome {
    let mut config = Config::default();
    config.timeouts.idle = Duration::from_millis(100);
    let (gate, waiter) = (Gate::default(), world.clone());
    let at_gate = gate.clone();
    let running = Running::start(&world, server(&world).config(config), move |_: Request<Incoming>| {
        let (gate, world) = (at_gate.clone(), waiter.clone());
        async move {
            gate.pass(&world).await;
            Ok::<_, std::convert::Infallible>(Response::new(Full::from("late")))
        }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        // Five times as long as it may idle.
        std::thread::sleep(Duration::from_millis(500));
        gate.open();
        let answer = rest(&stream);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nlate"), "{answer}");
    })
    .await;
    Ok(())
}

async fn chunked_requests_are_read<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        Ok::<_, http_driver::Error>(Response::new(Full::from(content(request.into_body()).await?)))
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        for piece in [head, "10\r\n{\"method\": \"help\r\n", "2\r\n\"}\r\n", "0\r\n\r\n"] {
            (&stream).write_all(piece.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(rest(&stream).ends_with("\r\n\r\n{\"method\": \"help\"}"));
    })
    .await;
    Ok(())
}

async fn heads_and_content_have_limits_in_all<W: Networked>(world: W) -> Outcome {
    let mut config = Config::default();
    config.limits.head = 8192;
    config.limits.content = Some(20_000);
    let running = Running::start(&world, server(&world).config(config), |request: Request<Incoming>| async move {
        let length = content(request.into_body()).await?.len();
        Ok::<_, http_driver::Error>(Response::new(Full::from(length.to_string())))
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let lines = "X: 0123456789abcdef\r\n".repeat(100);
        let long = format!("X: {}\r\n", "y".repeat(7000));
        let sized = |size: usize| format!("Content-Length: {size}\r\n\r\n{}", "x".repeat(size));
        let chunk = format!("1388\r\n{}\r\n", "x".repeat(5000));
        let chunked = |count| format!("Transfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(count));
        for (rest_of_it, status) in [
            (format!("{lines}\r\n"), "200"),
            (format!("{lines}{long}\r\n"), "431"),
            (sized(20_000), "200"),
            (sized(20_001), "413"),
            (chunked(4), "200"),
            (chunked(5), "413"),
        ] {
            let stream = dial(address);
            let request = format!("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{rest_of_it}");
            (&stream).write_all(request.as_bytes()).unwrap();
            let answer = rest(&stream);
            assert_eq!(answer.get(9..12), Some(status), "{answer}");
        }
    })
    .await;
    Ok(())
}

on_both! {
    pipelined_requests_are_answered_in_order
    a_busy_server_does_not_close_an_idle_client
    chunked_requests_are_read
    heads_and_content_have_limits_in_all
}
