//! What a client takes and waits for by default, and what one request changes of it, on either adapter.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_driver::client::{Builder, RequestError, RequestOptions};
use http_driver::{Full, Incoming};

use crate::sockets::Outcome;
use crate::sockets::clients::{ClientOf, client, content};
use crate::sockets::strangers::{AT_ONCE, anywhere, head};
use crate::sockets::world::World;

/// Reads the head of one request on each connection, and has it answered.
fn origin(answer: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind(anywhere()).unwrap();
    let (address, answer) = (listener.local_addr().unwrap(), std::sync::Arc::new(answer));
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                head(&mut stream);
                // It may be left before the end.
                let _ = answer(&mut stream);
            });
        }
    });
    address
}

async fn ask<W: World>(
    client: &ClientOf<W>,
    address: SocketAddr,
    options: RequestOptions,
) -> Result<Response<Incoming>, RequestError> {
    let request = Request::get(format!("http://{address}/")).extension(options).body(Full::default()).unwrap();
    client.request(request).await
}

async fn c32_a_response_may_have_a_large_head<W: World>(world: W) -> Outcome {
    let client = client(&world);
    let line = |n: usize, length: usize| format!("X-{n:03}: {}\r\n", "v".repeat(length));
    let lines = |count: usize, length: usize| -> String { (0..count).map(|n| line(n, length)).collect() };
    for (fields, fits) in [
        (lines(200, 1), true),
        (lines(511, 1), true),
        (lines(512, 1), false),
        (lines(1, 16_384), true),
        (lines(1, 100 * 1024), true),
        (lines(100, 2_600), true),
        (lines(100, 2_700), false),
    ] {
        let size = fields.len();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{fields}\r\nok");
        let address = origin(move |stream| stream.write_all(answer.as_bytes()));
        match ask::<W>(&client, address, RequestOptions::new()).await {
            Ok(response) => {
                assert!(fits, "{size}");
                assert_eq!(content(response.into_body()).await?, b"ok");
            }
            Err(error) => assert!(!fits && error.is_malformed(), "{size}: {error}"),
        }
    }
    Ok(())
}

async fn c28_a_hundred_interim_responses_may_come<W: World>(world: W) -> Outcome {
    for (count, fits) in [(17, true), (100, true), (101, false)] {
        let address = origin(move |stream| {
            for _ in 0..count {
                stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n")?;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        });
        let answered = ask::<W>(&client(&world), address, RequestOptions::new().retries(0)).await;
        assert_eq!(answered.is_ok(), fits, "{count}: {answered:?}");
    }
    Ok(())
}

/// They give the head its time anew, and the request none.
async fn c28_interim_responses_do_not_extend_the_request<W: World>(world: W) -> Outcome {
    let address = origin(|stream| {
        loop {
            stream.write_all(b"HTTP/1.1 102 Processing\r\n\r\n")?;
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let began = Instant::now();
    let options = RequestOptions::new().timeout(Duration::from_millis(300));
    let error = ask::<W>(&client(&world), address, options).await.unwrap_err();
    assert!(error.is_timeout() && began.elapsed() < AT_ONCE, "{error}");
    Ok(())
}

/// Thirteen bytes, and the rest never.
fn stalling() -> SocketAddr {
    origin(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\ndata: 12345\n\n")?;
        std::thread::sleep(Duration::from_secs(20));
        Ok(())
    })
}

/// Three bytes every 30 ms, 50 times.
fn dripping() -> SocketAddr {
    origin(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 150\r\n\r\n")?;
        for _ in 0..50 {
            stream.write_all(b"drp")?;
            std::thread::sleep(Duration::from_millis(30));
        }
        Ok(())
    })
}

const SHORT: Duration = Duration::from_millis(300);

async fn c7_content_may_drip_unless_a_rate_is_asked<W: World>(world: W) -> Outcome {
    let impatient = || Builder::new().read_timeout(SHORT);
    let plain = || RequestOptions::new();
    for (builder, options, whole) in [
        (Builder::new(), plain(), true),
        (impatient(), plain(), true),
        (impatient().least_rate(10_000), plain(), false),
        (impatient().least_rate(10_000), plain().least_rate(0), true),
        (impatient().least_rate(10_000), plain().read_timeout(Duration::MAX), true),
        (Builder::new(), plain().read_timeout(SHORT).least_rate(10_000), false),
    ] {
        let told = format!("{builder:?} {options:?}");
        let client = builder.build(world.connector(), world.runtime());
        let read = content(ask::<W>(&client, dripping(), options).await?.into_body()).await;
        match read {
            Ok(content) => assert!(whole && content.len() == 150, "{told}"),
            Err(error) => assert!(!whole && error.is_timeout(), "{error}: {told}"),
        }
    }
    Ok(())
}

type Change = fn(RequestOptions) -> RequestOptions;

async fn content_that_stalls_is_given_up_as_the_request_says<W: World>(world: W) -> Outcome {
    let cases: [(Builder, Change); 6] = [
        (Builder::new().read_timeout(SHORT), |plain| plain),
        (Builder::new(), |plain| plain.read_timeout(SHORT)),
        // The deadline of the request covers its content.
        (Builder::new().timeout(SHORT), |plain| plain),
        (Builder::new(), |plain| plain.timeout(SHORT)),
        (Builder::new(), |plain| plain.deadline(Instant::now() + SHORT)),
        (Builder::new().timeout(SHORT), |plain| plain.read_timeout(Duration::MAX)),
    ];
    for (builder, options) in cases {
        let options = options(RequestOptions::new());
        let told = format!("{builder:?} {options:?}");
        let client = builder.build(world.connector(), world.runtime());
        let address = stalling();
        let began = Instant::now();
        let response = ask::<W>(&client, address, options).await?;
        let error = content(response.into_body()).await.unwrap_err();
        assert!(error.is_timeout() && began.elapsed() < AT_ONCE, "{error}: {told}");
    }
    Ok(())
}

on_both! {
    c32_a_response_may_have_a_large_head
    c28_a_hundred_interim_responses_may_come
    c28_interim_responses_do_not_extend_the_request
    c7_content_may_drip_unless_a_rate_is_asked
    content_that_stalls_is_given_up_as_the_request_says
}
