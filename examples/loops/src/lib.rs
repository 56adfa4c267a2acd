//! What all of these programs serve, so that each of them is nothing but a loop.

mod answer;
pub mod blocking;
pub mod own;

use std::io;
use std::net::{Shutdown, TcpListener};
use std::os::fd::AsFd;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Either;
use http_core::{Instant, Interest};
use http_driver::{Body, Full, Incoming};
use socket2::SockRef;

pub use answer::answer;

/// The time as the machines take it: since the program began.
#[derive(Clone, Copy, Debug)]
pub struct Clock(std::time::Instant);

impl Clock {
    /// One whose epoch is now.
    #[must_use]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        Instant::ZERO.saturating_add(self.0.elapsed())
    }

    /// How long it is until then; never nothing, which sockets take for "for ever".
    #[must_use]
    pub fn until(&self, due: Option<Instant>) -> Option<Duration> {
        due.map(|due| due.saturating_since(self.now()).max(Duration::from_millis(1)))
    }
}

/// Listens on the port of 127.0.0.1 that the command line names, or on any, and says so. With `blocks` false, whoever
/// accepts does not wait.
///
/// # Errors
/// The command line names no port, or one that is taken.
pub fn listen(blocks: bool) -> io::Result<TcpListener> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse()).map_err(io::Error::other)?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(!blocks)?;
    println!("listening on {}", listener.local_addr()?);
    Ok(listener)
}

/// Ends the sending side of a socket where that is due, and has it reset when it is dropped where that is; whether the
/// connection goes on.
pub fn goes_on(socket: &impl AsFd, interest: Interest) -> bool {
    // A socket that is broken already needs none of that.
    let socket = SockRef::from(socket);
    let _ = match interest {
        Interest { close: true, reset: true, .. } => socket.set_linger(Some(Duration::ZERO)),
        Interest { shutdown: true, close: false, .. } => socket.shutdown(Shutdown::Write),
        _ => Ok(()),
    };
    !interest.close
}

/// The same application as a service is one: for those that have the driver.
#[must_use]
pub fn echo(request: Request<Incoming>) -> Response<Either<Full, Incoming>> {
    let content = request.into_body();
    let body = if content.is_end_stream() { Either::Left(Full::from("Hello\n")) } else { Either::Right(content) };
    let mut response = Response::new(body);
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
    response
}
