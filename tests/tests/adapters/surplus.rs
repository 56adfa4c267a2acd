//! What a service says too much is left out, on either adapter, instead of turning its answer into 500 after its work
//! was done; what contradicts itself is refused.

use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;

use axum::response::IntoResponse;
use axum::routing::{any, get};
use http::{Request, Response, StatusCode};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Incoming, ReasonPhrase, Runtime, service_fn};
use tower_service::Service;

use crate::sockets::Outcome;
use crate::sockets::bodies::{Then, Told};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{anywhere, dial, rest, stranger};
use crate::sockets::world::World;

/// What the handler gives as body.
#[derive(Clone, Copy, Debug)]
enum Gives {
    /// Nothing, of a length that is known.
    Nothing,
    /// `abc`, in one piece of known length.
    Whole,
    /// `abc`, in two pieces of known length together.
    Pieces,
    /// `abc`, of unknown length.
    Stream,
    /// Nothing, of unknown length.
    EmptyStream,
    /// A body of unknown length that must not be run.
    Trap,
    /// The same of a known length.
    SizedTrap,
}

impl Gives {
    fn body(self) -> Told {
        match self {
            Self::Nothing => Told::sized([""; 0]),
            Self::Whole => Told::sized(["abc"]),
            Self::Pieces => Told::sized(["a", "bc"]),
            Self::Stream => Told::pieces(["abc"]),
            Self::EmptyStream => Told::pieces([""; 0]),
            Self::Trap => Told::pieces([""; 0]).then(Then::Panic),
            Self::SizedTrap => Told::trap(3),
        }
    }
}

/// One answer of a handler, and what is to be seen of it.
struct Row {
    request: &'static str,
    status: u16,
    fields: &'static [(&'static str, &'static str)],
    gives: Gives,
    expected: &'static str,
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const CONNECT: &str = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\n\r\n";
const OLD_KEPT: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
const LAST: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const OFFER: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const OFFERS: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: other, echo\r\n\r\n";
/// Asks for an answer that shows that the connection goes on, and where the answer before it ended.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const NEXT_ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nConnection: close\r\n\r\nnext";
const REFUSED: &str = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

const CL: &str = "content-length";
const TE: &str = "transfer-encoding";

/// `expected` ends with `+` where the connection goes on.
async fn holds<W: World>(world: &W, rows: &'static [Row]) -> Outcome {
    for row in rows {
        let answer = ask(world, row, format!("{}{NEXT}", row.request)).await?;
        let expected = match row.expected.strip_suffix('+') {
            Some(kept) => format!("{kept}{NEXT_ANSWER}"),
            None => row.expected.to_owned(),
        };
        let Row { request, status, fields, gives, .. } = row;
        assert_eq!(answer, expected, "{request:?} is answered {status} {fields:?} {gives:?}");
    }
    Ok(())
}

/// All that is answered, but for dates.
async fn ask<W: World>(world: &W, row: &'static Row, wire: String) -> std::io::Result<String> {
    let running = Running::start(world, server(world), move |request: Request<Incoming>| async move {
        let mut response = if request.uri().path() == "/next" {
            Response::builder().header(CL, 4).body(Told::sized(["next"])).unwrap()
        } else {
            Response::builder().status(row.status).body(row.gives.body()).unwrap()
        };
        if request.uri().path() != "/next" {
            for (name, value) in row.fields {
                response.headers_mut().append(*name, http::HeaderValue::from_static(value));
            }
        }
        Ok::<_, Infallible>(response)
    })
    .await?;
    Ok(all(world, running.address, wire).await)
}

async fn all<W: World>(world: &W, address: SocketAddr, wire: String) -> String {
    let answer = stranger(world, move || {
        let stream = dial(address);
        (&stream).write_all(wire.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        rest(&stream)
    })
    .await;
    answer.split_inclusive("\r\n").filter(|line| !line.starts_with("Date: ")).collect()
}

macro_rules! rows {
    ($($request:ident $status:literal $fields:expr, $gives:ident => $expected:expr;)*) => {
        &[$(Row { request: $request, status: $status, fields: &$fields, gives: Gives::$gives, expected: $expected },)*]
    };
}

async fn s4_no_content_has_no_length<W: World>(world: W) -> Outcome {
    const NONE: &str = "HTTP/1.1 204 No Content\r\n\r\n+";
    holds(
        &world,
        rows! {
            GET 204 [(CL, "0")], Nothing => NONE;
            GET 204 [(CL, "3")], Whole => NONE;
            HEAD 204 [(CL, "0")], Nothing => NONE;
            GET 204 [(CL, "0"), (CL, "0")], Nothing => NONE;
            GET 204 [(CL, "nonsense")], Nothing => NONE;
            OLD 204 [(CL, "0")], Nothing => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
        },
    )
    .await
}

async fn s5_reset_and_not_modified_have_the_length_they_may_have<W: World>(world: W) -> Outcome {
    const RESET: &str = "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n+";
    const SAME: &str = "HTTP/1.1 304 Not Modified\r\n\r\n+";
    holds(
        &world,
        rows! {
            GET 205 [], Trap => RESET;
            GET 205 [], SizedTrap => RESET;
            GET 205 [(CL, "3")], SizedTrap => RESET;
            GET 205 [(TE, "chunked")], Trap => RESET;
            GET 205 [(CL, "0")], Nothing => RESET;
            GET 304 [(CL, "0")], Nothing => SAME;
            GET 304 [], SizedTrap => SAME;
            GET 304 [(TE, "chunked")], Trap => SAME;
            HEAD 304 [(CL, "0")], Nothing => SAME;
            GET 304 [(CL, "17")], Nothing => "HTTP/1.1 304 Not Modified\r\ncontent-length: 17\r\n\r\n+";
            HEAD 200 [(CL, "17")], Nothing => "HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n+";
            HEAD 200 [], SizedTrap => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n+";
            HEAD 200 [], Trap => "HTTP/1.1 200 OK\r\n\r\n+";
        },
    )
    .await
}

async fn s5_a_switch_is_sent_where_it_was_offered<W: World>(world: W) -> Outcome {
    const SWITCHED: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n";
    const UPGRADE: (&str, &str) = ("upgrade", "echo");
    holds(
        &world,
        rows! {
            OFFER 101 [UPGRADE, ("connection", "upgrade"), (CL, "0")], Nothing => SWITCHED;
            OFFER 101 [UPGRADE, ("connection", "upgrade"), (TE, "chunked")], Trap => SWITCHED;
            OFFER 101 [UPGRADE, ("connection", "upgrade")], SizedTrap => SWITCHED;
            // The only protocol that was offered need not be named.
            OFFER 101 [(CL, "0")], Nothing => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n";
            OFFERS 101 [(CL, "0")], Nothing => REFUSED;
            OFFERS 101 [UPGRADE, ("connection", "upgrade")], Nothing => SWITCHED;
            GET 101 [UPGRADE, ("connection", "upgrade"), (CL, "0")], Nothing => REFUSED;
            GET 101 [], Nothing => REFUSED;
            OFFER 100 [], Nothing => REFUSED;
            GET 102 [], Trap => REFUSED;
            GET 103 [(CL, "0")], Nothing => REFUSED;
        },
    )
    .await
}

async fn s23_one_framing_is_sent_whatever_the_handler_says<W: World>(world: W) -> Outcome {
    const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc+";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n+";
    const ANEW: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n+";
    const CODED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n+";
    holds(
        &world,
        rows! {
            GET 200 [(TE, "chunked")], Whole => SIZED;
            GET 200 [(TE, "chunked")], Pieces => SIZED;
            GET 200 [(TE, "Chunked"), (TE, "chunked")], Whole => SIZED;
            GET 200 [(TE, "chunked"), (CL, "3")], Whole => SIZED;
            GET 200 [(TE, "chunked"), (CL, "7")], Pieces => SIZED;
            GET 200 [(TE, "chunked")], Nothing => "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n+";
            GET 200 [(TE, "chunked")], Stream => CHUNKED;
            GET 200 [(TE, "chunked, chunked")], Stream => ANEW;
            GET 200 [(TE, "chunked"), (CL, "7")], Stream => ANEW;
            OLD 200 [(TE, "chunked")], Whole => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
            OLD 200 [(TE, "chunked")], Stream => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc";
            OLD_KEPT 200 [(TE, "chunked")], Pieces =>
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc+";
            GET 204 [(TE, "chunked")], Trap => "HTTP/1.1 204 No Content\r\n\r\n+";
            HEAD 200 [(TE, "chunked")], Trap => "HTTP/1.1 200 OK\r\n\r\n+";
            HEAD 200 [(TE, "chunked"), (CL, "3")], SizedTrap => "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n+";
            CONNECT 502 [(TE, "chunked")], Whole =>
                "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
            // What is in a coding stays in it, and stays told.
            GET 200 [(TE, "gzip, chunked")], Whole => CODED;
            GET 200 [(TE, "gzip")], Pieces =>
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n+";
            GET 200 [(TE, "gzip"), (CL, "3")], Stream => CODED;
            GET 200 [(TE, "gzip, chunked")], Nothing =>
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n+";
            OLD 200 [(TE, "gzip, chunked")], Whole => REFUSED;
            GET 200 [(TE, "chunked, gzip")], Whole => REFUSED;
        },
    )
    .await
}

async fn s24_what_has_no_content_is_sent_without<W: World>(world: W) -> Outcome {
    const NONE: &str = "HTTP/1.1 204 No Content\r\n\r\n+";
    const TUNNEL: &str = "HTTP/1.1 200 OK\r\n\r\n";
    holds(
        &world,
        rows! {
            GET 204 [], EmptyStream => NONE;
            GET 204 [], Stream => NONE;
            GET 204 [], Trap => NONE;
            GET 204 [], SizedTrap => NONE;
            CONNECT 200 [(CL, "0")], Nothing => TUNNEL;
            CONNECT 200 [(CL, "3")], SizedTrap => TUNNEL;
            CONNECT 200 [(TE, "chunked")], Trap => TUNNEL;
            CONNECT 204 [(CL, "0")], Nothing => "HTTP/1.1 204 No Content\r\n\r\n";
            CONNECT 205 [], Trap => "HTTP/1.1 205 Reset Content\r\n\r\n";
        },
    )
    .await
}

async fn s25_close_alone_is_said_where_the_connection_closes<W: World>(world: W) -> Outcome {
    const KEEP: (&str, &str) = ("connection", "keep-alive");
    const CLOSED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    holds(
        &world,
        rows! {
            LAST 200 [KEEP], Whole => CLOSED;
            LAST 200 [KEEP, ("keep-alive", "timeout=5")], Whole => CLOSED;
            OLD 200 [KEEP], Stream => "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc";
            GET 200 [("connection", "close")], Whole =>
                "HTTP/1.1 200 OK\r\nconnection: close\r\nContent-Length: 3\r\n\r\nabc";
            GET 200 [KEEP], Whole => "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc+";
            CONNECT 407 [KEEP], Nothing =>
                "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        },
    )
    .await
}

async fn lengths_that_agree_are_one_and_others_are_refused<W: World>(world: W) -> Outcome {
    const ONCE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc+";
    holds(
        &world,
        rows! {
            GET 200 [(CL, "3"), (CL, "3")], Whole => ONCE;
            GET 200 [(CL, "3, 3")], Pieces => ONCE;
            GET 200 [(CL, "3"), (CL, "3")], Stream => ONCE;
            GET 200 [(CL, "three")], Whole => ONCE;
            GET 200 [(CL, "+3")], Stream =>
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n+";
            GET 200 [(CL, "2")], Whole => REFUSED;
            GET 200 [(CL, "4")], Pieces => REFUSED;
            GET 200 [(CL, "3"), (CL, "4")], Whole => REFUSED;
            GET 200 [(CL, "0")], Whole => REFUSED;
            GET 200 [(CL, "3"), (CL, "4")], Stream => REFUSED;
        },
    )
    .await
}

/// Serves one connection with a router.
async fn route_one<W: World>(world: &W, router: axum::Router) -> std::io::Result<SocketAddr> {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let service = service_fn(move |request: Request<Incoming>| router.clone().call(request));
        let connection = Connection::new(stream, server.runtime(), std::sync::Arc::default());
        let _ = serve_connection(connection, service, Options::default(), None).await;
    });
    Ok(address)
}

async fn s4_and_s5_an_axum_router_answers_without_content<W: World>(world: W) -> Outcome {
    let streamed = || axum::body::Body::new(Told::pieces(["abc"]));
    let router = axum::Router::new()
        .route("/204", any(|| async { StatusCode::NO_CONTENT }))
        .route("/204/streamed", get(move || async move { (StatusCode::NO_CONTENT, streamed()) }))
        .route("/205", get(|| async { StatusCode::RESET_CONTENT }))
        .route("/205/streamed", get(move || async move { (StatusCode::RESET_CONTENT, streamed()) }))
        .route("/304", get(|| async { StatusCode::NOT_MODIFIED }))
        .route("/101", get(|| async { (StatusCode::SWITCHING_PROTOCOLS, [("upgrade", "echo")]) }))
        .route("/101/bare", get(|| async { StatusCode::SWITCHING_PROTOCOLS }))
        .route("/103", get(|| async { StatusCode::EARLY_HINTS }))
        .route("/plain", get(|| async { "plain".into_response() }));
    for (request, status, framing) in [
        ("GET /204", "204", ""),
        ("DELETE /204", "204", ""),
        ("HEAD /204", "204", ""),
        ("GET /204/streamed", "204", ""),
        ("GET /205", "205", "Content-Length: 0"),
        ("GET /205/streamed", "205", "Content-Length: 0"),
        ("GET /304", "304", ""),
        ("GET /plain", "200", "content-length: 5"),
        ("HEAD /plain", "200", "content-length: 5"),
    ] {
        let address = route_one(&world, router.clone()).await?;
        let wire = format!("{request} HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = all(&world, address, wire).await;
        assert_eq!(answer.get(9..12), Some(status), "{request}: {answer}");
        let (head, after) = answer.split_once("\r\n\r\n").unwrap();
        let framed: Vec<_> =
            head.lines().skip(1).filter(|line| !line.to_ascii_lowercase().starts_with("content-type")).collect();
        assert_eq!(framed.concat(), framing, "{request}: {answer}");
        let content = if request == "GET /plain" { "plain" } else { "" };
        let next = after.strip_prefix(content).unwrap_or_default();
        assert!(next.starts_with("HTTP/1.1 200 ") && next.ends_with("\r\n\r\nplain"), "{request}: {answer}");
    }
    for path in ["/101", "/101/bare"] {
        let address = route_one(&world, router.clone()).await?;
        let answer = all(&world, address, OFFER.replace("GET /", &format!("GET {path}"))).await.to_ascii_lowercase();
        let switched = "http/1.1 101 switching protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\n";
        assert_eq!(answer, switched, "{path}");
    }
    // Nobody asked, or no final answer at all: hyper sends 500 for the second as well.
    for path in ["/101", "/103"] {
        let address = route_one(&world, router.clone()).await?;
        let answer = all(&world, address, format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!(answer, REFUSED, "{path}");
    }
    Ok(())
}

async fn a_reason_phrase_that_may_not_be_sent_is_left_out<W: World>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |_: Request<Incoming>| async {
        let mut response = Response::new(Told::sized(["abc"]));
        response.extensions_mut().insert(ReasonPhrase("Fine\r\nX: y".into()));
        Ok::<_, Infallible>(response)
    })
    .await?;
    let answer = all(&world, running.address, LAST.into()).await;
    assert_eq!(answer, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
    Ok(())
}

/// Trailers that may not be sent are left out one by one, and all of them where they have no place.
async fn what_may_be_a_trailer_is_sent<W: World>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        let body = if request.uri().path() == "/sized" { Told::sized(["abc"]) } else { Told::pieces(["abc"]) };
        let trailers = [("content-length", "3"), ("x-status", "0"), ("transfer-encoding", "chunked"), ("x-sum", "6")];
        let response = Response::builder().header("trailer", "x-status").body(body.trailers(&trailers));
        Ok::<_, Infallible>(response.unwrap())
    })
    .await?;
    let told = "HTTP/1.1 200 OK\r\ntrailer: x-status\r\n";
    for (request, framed) in [
        (
            LAST,
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nx-status: 0\r\nx-sum: 6\r\n\r\n",
        ),
        (OLD, "Connection: close\r\n\r\nabc"),
    ] {
        let answer = all(&world, running.address, request.into()).await;
        assert_eq!(answer, format!("{told}{framed}"));
    }
    let answer = all(&world, running.address, LAST.replace("GET /", "GET /sized")).await;
    assert_eq!(answer, format!("{told}Content-Length: 3\r\nConnection: close\r\n\r\nabc"));
    Ok(())
}

on_both! {
    s4_no_content_has_no_length
    s5_reset_and_not_modified_have_the_length_they_may_have
    s5_a_switch_is_sent_where_it_was_offered
    s23_one_framing_is_sent_whatever_the_handler_says
    s24_what_has_no_content_is_sent_without
    s25_close_alone_is_said_where_the_connection_closes
    lengths_that_agree_are_one_and_others_are_refused
    s4_and_s5_an_axum_router_answers_without_content
    a_reason_phrase_that_may_not_be_sent_is_left_out
    what_may_be_a_trailer_is_sent
}
