//! News to browsers, by server-sent events: `events [--port N]`. A page shows what is POSTed to `/news`.
//!
//! Whoever was away for a while says what it has seen last (`Last-Event-ID`) and gets the rest.

#[path = "../../../shared/args.rs"]
mod args;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::StreamBody;
use http_tokio::server::Watch;
use http_tokio::{Frame, Incoming, service_fn};
use programs::{Answer, Error, listen, page, server, text, with_body};
use tokio::sync::watch;
use tokio::time::timeout;

/// How many of the last news are kept for who was away.
const KEPT: usize = 1000;

/// A word now and then, so that what lies between does not take the silence for an end.
const SILENCE: Duration = Duration::from_secs(15);

/// The last news, each with its number, and the number that comes next.
struct Board(Mutex<VecDeque<(u64, String)>>, watch::Sender<u64>);

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "events [--port N]";
    let args = args::Args::parse(usage, &["port"]);
    let listener = listen("http", args.get(usage, "port", 0)).await?;
    let (server, board) = (server()?, Arc::new(Board(Mutex::default(), watch::Sender::new(1))));
    let shutdown = server.shutdown();
    let service = service_fn(move |request| {
        let (board, watch) = (board.clone(), shutdown.follow());
        async move { Ok::<_, Infallible>(answer(request, board, watch).await) }
    });
    println!("{:?}", server.serve(listener, service).await);
    Ok(())
}

async fn answer(request: Request<Incoming>, board: Arc<Board>, watch: Watch) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => page(include_str!("../pages/events.html")),
        (&Method::POST, "/news") => match request.into_body().text(4096).await {
            Ok(said) => text(StatusCode::CREATED, format!("{}\n", board.post(said))),
            Err(error) => text(StatusCode::BAD_REQUEST, format!("{error}\n")),
        },
        (&Method::GET, "/events") => {
            let seen =
                request.headers().get("last-event-id").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
            // Who comes for the first time gets what comes from now on; so does who has seen another run of this.
            let coming = *board.1.borrow();
            let next = seen.map_or(coming, |seen| coming.min(seen.saturating_add(1)));
            let mut answer = with_body(StatusCode::OK, "text/event-stream", events(board, next, watch));
            answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            // nginx is to hold nothing back.
            answer.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
            answer
        }
        _ => text(StatusCode::NOT_FOUND, "there is /, /news and /events\n"),
    }
}

/// The events from this number on, until the client leaves or the server ends.
fn events(
    board: Arc<Board>,
    next: u64,
    watch: Watch,
) -> StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, Infallible>>> {
    let told = board.1.subscribe();
    StreamBody::new(stream::unfold((board, told, next, watch), |(board, mut told, next, mut watch)| async move {
        if board.from(next).is_none() {
            tokio::select! {
                news = timeout(SILENCE, told.wait_for(|&number| number > next)) => drop(news),
                () = watch.begun() => return None,
            }
        }
        let (mut event, mut following) = (String::new(), next);
        while let Some((number, said)) = board.from(following) {
            event += &format!("id: {number}\n");
            // Each of CR, LF and both ends a line, and nobody is to begin another field there.
            said.replace("\r\n", "\n").split(['\r', '\n']).for_each(|line| event += &format!("data: {line}\n"));
            event.push('\n');
            following = number + 1;
        }
        if event.is_empty() {
            event.push_str(": nothing new\n\n");
        }
        Some((Ok(Frame::data(Bytes::from(event))), (board, told, following, watch)))
    }))
}

impl Board {
    /// The number of what is said.
    fn post(&self, said: String) -> u64 {
        let mut kept = self.0.lock().expect("nothing panics under this lock");
        let number = *self.1.borrow();
        kept.push_back((number, said));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        self.1.send_replace(number + 1);
        number
    }

    /// The first that has this number or a later one.
    fn from(&self, number: u64) -> Option<(u64, String)> {
        let kept = self.0.lock().expect("nothing panics under this lock");
        let at = kept.partition_point(|(other, _)| *other < number);
        kept.get(at).cloned()
    }
}
