//! What is left of a connection that idles.

use alloc::sync::Arc;

use super::connection::Connection;
use super::side::{Exchange, Receive, Send};
use crate::config::Config;
use crate::connection::flow::Idle;
use crate::read::Scan;

/// What a server's connection has to keep for as long as it idles: an eighth of what it is while it works.
///
/// A driver that holds many idle connections drops each of them for its [`resting`](Connection::resting), and goes on
/// with [`resume`](Self::resume) when anything happens: bytes, the end of the stream, a deadline, a command. The
/// connection is then as it was, but for its date, which has to be told again, and its memory.
///
/// ```
/// use bytes::BytesMut;
/// use http_core::server::{Connection, Resting};
/// use http_core::{Config, Instant};
/// let (now, mut input) = (Instant::ZERO, BytesMut::new());
/// let connection = Connection::new(Config::default().into(), now);
/// let due = connection.poll_timeout();
/// let resting: Resting = connection.resting().expect("it idles");
/// drop(connection);
/// assert!(size_of::<Resting>() * 8 <= size_of::<Connection>());
///
/// let mut connection = resting.resume();
/// assert_eq!(connection.poll_timeout(), due);
/// input.extend_from_slice(b"GET / HTTP/1.1\r\n");
/// assert!(connection.poll_event(&mut input, now)?.is_none());
/// assert!(connection.resting().is_none(), "a request has begun");
/// # Ok::<(), http_core::ProtocolError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "dropped, it ends the connection"]
pub struct Resting {
    config: Arc<Config>,
    idle: Idle,
    requests: u64,
    empty_lines: u32,
    unmet: u32,
    persistent: bool,
}

impl Connection {
    /// What has to be kept of the connection, if it idles: no request has begun, everything was sent, and nothing was
    /// told that would end it. `None` otherwise.
    #[must_use]
    pub fn resting(&self) -> Option<Resting> {
        let idle = self.flow.idle()?;
        let side = &self.side;
        let Receive::Head(scan) = &side.receive else { return None };
        let persistent = side.exchange.persistent;
        let began = side.exchange != Exchange::new(persistent) || !matches!(side.send, Send::Head);
        if began || side.closing || side.refused.is_some() {
            return None;
        }
        Some(Resting {
            config: self.flow.config.clone(),
            idle,
            requests: self.requests,
            empty_lines: scan.empty_lines_alone()?,
            unmet: side.unmet,
            persistent,
        })
    }
}

impl Resting {
    /// The connection again.
    #[must_use]
    pub fn resume(self) -> Connection {
        let mut connection = Connection::new(self.config, self.idle.now());
        connection.flow.resume(&self.idle);
        connection.requests = self.requests;
        connection.side.receive = Receive::Head(Scan::behind(self.empty_lines));
        connection.side.exchange = Exchange::new(self.persistent);
        connection.side.unmet = self.unmet;
        connection
    }
}
