//! A server's connection for JavaScript: whoever has sockets and a clock moves the bytes, this knows HTTP. See
//! `server.cjs` for Node's.
//!
//! Times are milliseconds since whenever, as `performance.now()` gives them.

#[path = "../../loops/src/answer.rs"]
pub mod answer;

use bytes::BytesMut;
use http_core::{Config, End, Instant, server};
use wasm_bindgen::prelude::wasm_bindgen;

/// One connection, with what has come and is not read yet.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Connection {
    machine: server::Connection,
    input: BytesMut,
}

#[wasm_bindgen]
impl Connection {
    /// One that was just accepted.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(now: f64) -> Self {
        let machine = server::Connection::new(Config::default().into(), instant(now));
        Self { machine, input: BytesMut::new() }
    }

    /// Bytes have come.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The peer sends no more; it has said so, or has broken off.
    pub fn end(&mut self, in_order: bool, now: f64) {
        self.machine.handle_eof(if in_order { End::Clean } else { End::Unclean }, instant(now));
    }

    /// The time that `due` named has come.
    pub fn tick(&mut self, now: f64) {
        self.machine.handle_timeout(instant(now));
    }

    /// So many bytes of what `next` gave have been sent.
    pub fn sent(&mut self, count: usize, now: f64) {
        self.machine.handle_sent(count, instant(now));
    }

    /// The next bytes to be sent, answers to what has come among them. While those before are under way, and many,
    /// nothing more is read.
    pub fn next(&mut self, now: f64) -> Option<Box<[u8]>> {
        let now = instant(now);
        while !self.machine.interest().write {
            match self.machine.poll_event(&mut self.input, now) {
                Ok(Some(event)) => {
                    answer::answer(&mut self.machine, event, now).unwrap_or_else(|_| self.machine.abandon(now));
                }
                Ok(None) if !self.machine.interest().write => return None,
                // What is wrong has its answer.
                Ok(None) | Err(_) => {}
            }
        }
        self.machine.outbox().take().map(|bytes| bytes.as_ref().into())
    }

    /// When to call `tick`, if nothing happens before.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn due(&self) -> Option<f64> {
        self.machine.poll_timeout().map(|due| due.as_nanos() as f64 / 1e6)
    }

    /// How many bytes there is room for: 0 is no time to read.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn room(&self) -> usize {
        self.machine.interest().room(self.input.len())
    }

    /// Whether the sending side is to be ended.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn shutdown(&self) -> bool {
        self.machine.interest().shutdown
    }

    /// Whether the connection is over.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn close(&self) -> bool {
        self.machine.interest().close
    }
}

fn instant(milliseconds: f64) -> Instant {
    Instant::from_nanos((milliseconds * 1e6) as u64)
}
