//! The clients that ours is compared with: `asker pool|handle --port N --mode seq|sink|joined --n N [--size S]
//! [--conns C]`.
//!
//! `pool` is hyper-util's pooled client, `handle` hyper's bare handle to one connection. The requests are those of the
//! example `load`, and so are the options, as far as they are here.

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};

const USAGE: &str = "asker pool|handle --port N --mode seq|sink|joined --n N [--size S] [--conns C]";

struct Plan {
    port: u16,
    mode: String,
    requests: usize,
    size: usize,
    joined: usize,
}

impl Plan {
    fn request(&self, uri: &Uri) -> Request<Full<Bytes>> {
        let (method, body) = match self.mode.as_str() {
            "sink" => (Method::POST, vec![b'0'; self.size].into()),
            _ => (Method::GET, Full::default()),
        };
        Request::builder().method(method).uri(uri.clone()).body(body).expect("a request")
    }

    fn path(&self) -> &'static str {
        if self.mode == "sink" { "/sink" } else { "/plain" }
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let name = words.next().expect(USAGE);
    let mut plan = Plan { port: 0, mode: "seq".to_owned(), requests: 1000, size: 1024, joined: 100 };
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option.as_str() {
            "--port" => plan.port = value.parse().expect("a port"),
            "--mode" => plan.mode = value,
            "--n" => plan.requests = value.parse().expect("a number"),
            "--size" => plan.size = value.parse().expect("a number"),
            "--conns" => plan.joined = value.parse().expect("a number"),
            _ => panic!("{USAGE}"),
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // As a task, as `load` does it.
    let asking = async move {
        match name.as_str() {
            "pool" => pool(&plan).await,
            "handle" => handle(&plan).await,
            _ => panic!("{USAGE}"),
        }
    };
    runtime.block_on(async { tokio::spawn(asking).await.expect("nothing panics") });
}

async fn pool(plan: &Plan) {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let uri: Uri = format!("http://127.0.0.1:{}{}", plan.port, plan.path()).parse().expect("a URI");
    let ask = || async {
        swallow(client.request(plan.request(&uri)).await.expect("a response").into_body()).await;
    };
    if plan.mode == "joined" {
        for _ in 0..plan.requests / plan.joined {
            join_all((0..plan.joined).map(|_| ask())).await;
        }
    } else {
        for _ in 0..plan.requests {
            ask().await;
        }
    }
}

async fn handle(plan: &Plan) {
    let host = format!("127.0.0.1:{}", plan.port);
    let stream = tokio::net::TcpStream::connect(&host).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let (mut sender, connection): (SendRequest<Full<Bytes>>, _) =
        http1::handshake(TokioIo::new(stream)).await.expect("a handshake");
    tokio::spawn(async { drop(connection.await) });
    let uri = Uri::from_static(plan.path());
    let host = hyper::header::HeaderValue::try_from(host).expect("a value");
    for _ in 0..plan.requests {
        sender.ready().await.expect("an idle connection");
        let mut request = plan.request(&uri);
        request.headers_mut().insert(hyper::header::HOST, host.clone());
        swallow(sender.send_request(request).await.expect("a response").into_body()).await;
    }
}

async fn swallow(mut body: Incoming) {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.expect("content").data_ref().map_or(0, Bytes::len);
    }
    assert_ne!(length, 0);
}
