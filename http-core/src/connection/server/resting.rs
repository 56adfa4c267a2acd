//! What is left of a connection that idles.

use alloc::sync::Arc;

use super::connection::Connection;
use super::side::{Exchange, Receive, Send, ServerSide};
use crate::config::Config;
use crate::connection::flow::{Flow, Idle};
use crate::read::{Scan, Spare};
use crate::time::Instant;

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

/// How a connection begins, and rests.
impl Connection {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        Resting::new(config, now).resume()
    }

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
    /// What [`Connection::new`] makes, as it rests: a connection that was just accepted, and need not be there before
    /// anything comes.
    ///
    /// ```
    /// use http_core::server::{Connection, Resting};
    /// use http_core::{Config, Instant};
    /// let now = Instant::ZERO;
    /// let resting = Resting::new(Config::default().into(), now);
    /// let due = resting.poll_timeout();
    /// let connection = resting.resume();
    /// assert_eq!(connection.poll_timeout(), due);
    /// assert_eq!(due, Connection::new(Config::default().into(), now).poll_timeout());
    /// ```
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let (idle, persistent) = (Idle::new(&config, now), config.persistence.keep_alive);
        Self { config, idle, requests: 0, empty_lines: 0, unmet: 0, persistent }
    }

    /// When the connection has to go on though nothing has come: its idle deadline.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        Some(self.idle.until()).filter(|until| *until != Instant::NEVER)
    }

    /// How long the lent buffer may be, as [`Interest::lend`](crate::Interest::lend) of the connection.
    #[must_use]
    pub fn lend(&self) -> usize {
        self.config.max_input_bytes()
    }

    /// The connection again.
    #[must_use]
    #[inline]
    pub fn resume(self) -> Connection {
        let Self { config, idle, requests, empty_lines, unmet, persistent } = self;
        Connection {
            flow: Flow::resumed(config, &idle),
            spare: Spare::default(),
            requests,
            side: ServerSide {
                receive: Receive::Head(Scan::behind(empty_lines)),
                send: Send::Head,
                exchange: Exchange::new(persistent),
                date: None,
                closing: false,
                refused: None,
                unmet,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_connection_that_begins_at_rest_is_one_that_was_made() {
        let mut configs = [Config::default(), Config::strict(), Config::evhttp(), Config::default(), Config::default()];
        configs[3].persistence.keep_alive = false;
        configs[4].timeouts.idle = Duration::MAX;
        for config in configs.map(Arc::new) {
            let now = Instant::ZERO.saturating_add(Duration::from_secs(7));
            let (made, rests) = (Connection::new(config.clone(), now), Resting::new(config, now));
            assert_eq!(rests.poll_timeout(), made.poll_timeout());
            assert_eq!(rests.lend(), made.interest().lend);
            assert_eq!(format!("{rests:?}"), format!("{:?}", made.resting().unwrap()));
            assert_eq!(format!("{:?}", rests.resume()), format!("{made:?}"));
        }
    }
}
