//! One side of a simulated connection: a machine, its lent buffer, and the loop that an adapter would run.

use std::collections::VecDeque;

use bytes::{Buf, Bytes, BytesMut};
use http_core::{Connection, End, Instant, Side};

use crate::pipe::{Pipe, Read};

/// A machine and what surrounds it.
#[derive(Clone, Debug)]
pub struct Party<S: Side> {
    /// The machine.
    pub machine: Connection<S>,
    /// The buffer that it is lent.
    pub input: BytesMut,
    /// What was taken from the machine as its own and is being written, as I/O that works on completion does it.
    taken: Option<VecDeque<Bytes>>,
    ended: bool,
    broken: bool,
    tunnel: Option<Tunnel>,
    over: bool,
}

/// The transport in the hands of another protocol.
#[derive(Clone, Debug, Default)]
struct Tunnel {
    greeting: Vec<u8>,
    said: usize,
    heard: Vec<u8>,
    ended: Option<End>,
}

impl<S: Side> Party<S> {
    /// A side at the start of its connection.
    pub fn new(machine: Connection<S>) -> Self {
        Self { machine, input: BytesMut::new(), taken: None, ended: false, broken: false, tunnel: None, over: false }
    }

    /// This side takes what is to be written as bytes of its own.
    #[must_use]
    pub fn owning(mut self, owning: bool) -> Self {
        self.taken = owning.then(VecDeque::new);
        self
    }

    /// Whether the transport was dropped.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Whether the machine would have more read now.
    pub fn reads(&self) -> bool {
        self.machine.interest().room(self.input.len()) > 0
    }

    /// The machine has handed the transport over: this side says `greeting`, ends, and hears what the other says.
    pub fn switch(&mut self, greeting: &[u8]) {
        let heard = self.input.split().to_vec();
        self.tunnel = Some(Tunnel { greeting: greeting.to_vec(), said: 0, heard, ended: None });
    }

    /// What was heard after the machine handed the transport over.
    pub fn heard(&self) -> Option<&[u8]> {
        self.tunnel.as_ref().map(|tunnel| &tunnel.heard[..])
    }

    /// Writes what waits and reads one piece; whether anything moved.
    ///
    /// # Panics
    /// If the machine contradicts itself.
    pub fn exchange(&mut self, out: &mut Pipe, back: &mut Pipe, now: Instant) -> bool {
        if self.over {
            return false;
        }
        let mut moved = self.write(out, now);
        let interest = self.machine.interest();
        if interest.close {
            out.finish(if interest.reset { End::Unclean } else { End::Clean });
            back.abandon();
            self.over = true;
            return true;
        }
        if interest.shutdown {
            assert!(!interest.write, "shuts down and has something to write");
            out.finish(End::Clean);
        }
        if self.tunnel.is_some() {
            return self.converse(out, back) || moved;
        }
        if self.reads() && !self.ended {
            match back.read() {
                Read::Nothing => {}
                Read::Bytes(piece) => {
                    self.input.extend_from_slice(&piece);
                    moved = true;
                }
                Read::End(end) => {
                    self.ended = true;
                    self.machine.handle_eof(end, now);
                    moved = true;
                }
            }
        }
        moved
    }

    fn write(&mut self, out: &mut Pipe, now: Instant) -> bool {
        if let Some(taken) = self.taken.take() {
            return self.write_owned(taken, out, now);
        }
        let mut moved = false;
        while self.machine.interest().write {
            let mut slices = [&b""[..]; 3];
            let filled = self.machine.transmit(&mut slices);
            let offered: usize = slices[..filled].iter().map(|slice| slice.len()).sum();
            assert!(offered > 0, "wants to write, and has nothing");
            match out.write(&slices[..filled]) {
                Ok(0) => break,
                Ok(count) => self.machine.handle_sent(count, now),
                Err(_) => {
                    assert!(!self.broken, "goes on writing after an error");
                    self.broken = true;
                    self.machine.handle_write_error(now);
                }
            }
            moved = true;
        }
        moved
    }

    fn write_owned(&mut self, mut taken: VecDeque<Bytes>, out: &mut Pipe, now: Instant) -> bool {
        let mut moved = false;
        while self.machine.interest().write && taken.len() < 3 {
            taken.push_back(self.machine.outbox().take().expect("wants to write, and has nothing"));
        }
        while let Some(bytes) = taken.front_mut() {
            match out.write(&[bytes]) {
                Ok(0) => break,
                Ok(count) => {
                    bytes.advance(count);
                    if bytes.is_empty() {
                        taken.pop_front();
                    }
                    self.machine.handle_sent(count, now);
                }
                Err(_) => {
                    assert!(!self.broken, "goes on writing after an error");
                    self.broken = true;
                    taken.clear();
                    self.machine.handle_write_error(now);
                }
            }
            moved = true;
        }
        self.taken = Some(taken);
        moved
    }

    fn converse(&mut self, out: &mut Pipe, back: &mut Pipe) -> bool {
        let Some(tunnel) = &mut self.tunnel else { return false };
        let mut moved = false;
        let flushed = !self.machine.interest().write && self.taken.as_ref().is_none_or(VecDeque::is_empty);
        if flushed && tunnel.said < tunnel.greeting.len() {
            match out.write(&[&tunnel.greeting[tunnel.said..]]) {
                Ok(count) => {
                    tunnel.said += count;
                    moved |= count > 0;
                }
                Err(_) => tunnel.said = tunnel.greeting.len(),
            }
        }
        if tunnel.said == tunnel.greeting.len() {
            out.finish(End::Clean);
        }
        if tunnel.ended.is_none() {
            match back.read() {
                Read::Nothing => {}
                Read::Bytes(piece) => {
                    tunnel.heard.extend_from_slice(&piece);
                    moved = true;
                }
                Read::End(end) => {
                    tunnel.ended = Some(end);
                    moved = true;
                }
            }
        }
        if tunnel.ended.is_some() && tunnel.said == tunnel.greeting.len() {
            self.over = true;
            back.abandon();
            moved = true;
        }
        moved
    }

    /// When the machine wants to be woken.
    pub fn wake(&self) -> Option<Instant> {
        if self.over { None } else { self.machine.poll_timeout() }
    }

    /// Tells the time if it is due.
    pub fn tick(&mut self, now: Instant) {
        if self.wake().is_some_and(|at| at <= now) {
            self.machine.handle_timeout(now);
            assert!(self.wake().is_none_or(|at| at > now), "a deadline stays due");
        }
    }

    /// The process is gone: nothing more is read or written.
    pub fn kill(&mut self, out: &mut Pipe, back: &mut Pipe, end: End) {
        out.kill(end);
        back.abandon();
        self.over = true;
    }
}
