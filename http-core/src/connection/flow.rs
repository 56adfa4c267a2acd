//! The side of a connection that faces the transport, the same for both sides: what waits to be sent, the deadlines,
//! and how a connection ends.

use alloc::sync::Arc;
use core::time::Duration;

use bytes::BytesMut;

use crate::canonical::Collector;
use crate::config::Config;
use crate::connection::deadline::{Deadline, Deadlines, Pace, PaceLimits};
use crate::connection::exchange::End;
use crate::error::ProtocolError;
use crate::reason::Reason;
use crate::time::Instant;
use crate::write::outbox::Outbox;

/// Why a connection is over.
///
/// ```
/// use http_core::{Closed, Deadline};
/// assert_eq!(Closed::TimedOut(Deadline::Idle).to_string(), "the idle deadline passed");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Closed {
    /// The peer ended it between exchanges.
    ByPeer,
    /// The peer ended it though a request awaited its response, and nothing of that had come.
    Unanswered,
    /// We were told to.
    ByUs,
    /// One of the messages said that it is the last, or its framing made it so (RFC 9112 §9.3, §9.6).
    NotPersistent,
    /// The peer was too slow.
    TimedOut(Deadline),
    /// The peer broke a rule.
    Failed(Reason),
    /// The transport broke, in the direction of sending or in both.
    Broken,
    /// A message that we were sending was given up unfinished.
    Abandoned,
}

impl Closed {
    /// The section that says so; `limit` where a limit of ours was met, empty where nobody but the application decides.
    ///
    /// ```
    /// use http_core::{Closed, Reason};
    /// assert_eq!(Closed::NotPersistent.section(), "RFC 9112 §9.6");
    /// assert_eq!(Closed::Failed(Reason::BareLf).section(), "RFC 9112 §2.2");
    /// ```
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::ByPeer | Self::Unanswered | Self::Broken => "RFC 9112 §9.5",
            Self::NotPersistent => "RFC 9112 §9.6",
            // A message without its end is incomplete, and its connection cannot go on.
            Self::Abandoned => "RFC 9112 §8",
            Self::TimedOut(_) => "limit",
            Self::Failed(reason) => reason.section(),
            Self::ByUs => "",
        }
    }
}

impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::ByPeer => f.write_str("the peer closed the connection between exchanges"),
            Self::Unanswered => f.write_str("the peer closed the connection without an answer"),
            Self::ByUs => f.write_str("the connection was closed on request"),
            Self::NotPersistent => f.write_str("the last message of the connection was complete"),
            Self::TimedOut(deadline) => {
                let name = match deadline {
                    Deadline::Head => "head",
                    Deadline::Idle => "idle",
                    Deadline::Receive => "receive",
                    Deadline::Send => "send",
                    Deadline::Expect => "expect",
                    Deadline::Linger => "linger",
                    Deadline::HalfClosed => "half-closed",
                };
                write!(f, "the {name} deadline passed")
            }
            Self::Failed(reason) => reason.fmt(f),
            Self::Broken => f.write_str("the transport broke"),
            Self::Abandoned => f.write_str("a message was given up unfinished"),
        }
    }
}

/// What a connection wants from its transport now. Level-triggered: asked again after every call.
///
/// ```
/// use http_core::{Config, Instant, server};
/// let connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// let interest = connection.interest();
/// assert!(interest.lend > 0 && !interest.write && !interest.close && !interest.reset);
/// assert_eq!(interest.room(100), interest.lend - 100);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Interest {
    /// How long the lent buffer may be: read no more than makes it so long, and poll. 0: do not read.
    ///
    /// It does not depend on when the connection was polled last, so whoever keeps to it never holds more unread bytes
    /// than this, however often he reads in between. Where nothing but input can help it is above what is unread.
    pub lend: usize,
    /// Something waits to be sent.
    pub write: bool,
    /// Everything was sent and nothing follows: shut down the sending side, once.
    pub shutdown: bool,
    /// The connection is over: drop the transport. One that has a word for its end, as TLS has, says it first, but
    /// where `reset` is set (RFC 9112 §9.8).
    pub close: bool,
    /// Should the transport be dropped now, for whatever reason, reset it: a part of a message was sent whose end is
    /// the end of the stream, and an orderly one would make it seem complete (RFC 9112 §8); or the peer was given up
    /// because it does not read, and a reset alone discards what waits for it in the system.
    pub reset: bool,
    /// Everything was sent, and the peer has said that it sends nothing more, which is why the connection ends: a read
    /// that finds nothing may be taken for the end of its stream, as [`handle_eof`](crate::Connection::handle_eof)
    /// tells it, once the sending side is shut down (RFC 9112 §9.6).
    pub silence_ends: bool,
}

impl Interest {
    /// How many bytes may be read on top of `unread` ones that lie in the lent buffer. 0: do not read.
    #[must_use]
    pub const fn room(&self, unread: usize) -> usize {
        self.lend.saturating_sub(unread)
    }
}

/// Why the last poll stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Pause {
    /// Nothing but input goes on with it.
    NeedsInput,
    /// The application has its turn: it was told something, or must say something first.
    AwaitsApplication,
    /// Too much waits to be sent.
    Full,
}

/// How far a connection is with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Life {
    Open,
    /// What waits is still sent; what comes is dropped.
    Closing(Closed, Linger),
    /// Everything was sent; the peer is given time to read it (RFC 9112 §9.6).
    Lingering(Closed, Linger),
    Dead(Closed),
    /// `Dead`, and the application knows.
    Gone,
    /// Another protocol has taken over.
    Switched,
}

/// Whether a connection goes on reading after its last byte was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Linger {
    Yes,
    /// For a moment, unless something comes: the application wants to be done, and nothing of the peer's is under way.
    Briefly,
    No,
}

/// How long [`Linger::Briefly`] is at most: a round trip and more.
const BRIEFLY: Duration = Duration::from_secs(1);

/// What an open connection has to keep while nothing but its next message is awaited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    received: u64,
    sent: u64,
    /// When the idle deadline passes.
    until: Instant,
    now: Instant,
}

impl Idle {
    /// What an open connection has to keep that was just made.
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Self { received: 0, sent: 0, until: now.saturating_add(config.timeouts.idle), now }
    }

    /// When the idle deadline passes, [`Instant::NEVER`] if there is none.
    pub(crate) const fn until(&self) -> Instant {
        self.until
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) config: Arc<Config>,
    pub(crate) outbox: Outbox,
    pub(crate) deadlines: Deadlines,
    pub(crate) life: Life,
    pub(crate) ended: Option<End>,
    /// Bytes taken off the lent buffer, ever.
    pub(crate) received: u64,
    /// Bytes that the last poll left in the lent buffer.
    pub(crate) left: usize,
    /// How long the lent buffer may be while nothing but input can help.
    most_input: usize,
    pub(crate) pause: Pause,
    /// A failure that was met outside `poll_event` and is told by it.
    failure: Option<ProtocolError>,
    receive_limits: PaceLimits,
    send_limits: PaceLimits,
    receive_pace: Pace,
    send_pace: Pace,
    /// Bytes dropped since the end began.
    lingered: u64,
    /// A message that ends with the stream was begun, and the transport has not taken all of it.
    pub(crate) unfinished: bool,
    /// The peer has said that what it has sent whole is its last message (RFC 9112 §9.6).
    pub(crate) announced: bool,
    /// The peer did not read what was sent.
    unread: bool,
    /// What waited when the connection was given up is lost.
    pub(crate) lost: bool,
    now: Instant,
}

impl Flow {
    pub(crate) fn new(config: Arc<Config>, now: Instant) -> Self {
        Self::begun(config, Outbox::default(), Deadlines::NONE, 0, now)
    }

    /// Goes on from a rest.
    #[inline]
    pub(crate) fn resumed(config: Arc<Config>, idle: &Idle) -> Self {
        let mut deadlines = Deadlines::NONE;
        deadlines.arm(Deadline::Idle, idle.until);
        Self::begun(config, Outbox::behind(idle.sent), deadlines, idle.received, idle.now)
    }

    #[inline]
    fn begun(config: Arc<Config>, outbox: Outbox, deadlines: Deadlines, received: u64, now: Instant) -> Self {
        let receive_limits = PaceLimits::incoming(&config.timeouts);
        let send_limits = PaceLimits::outgoing(&config.timeouts);
        Self {
            most_input: config.max_input_bytes(),
            config,
            receive_limits,
            send_limits,
            outbox,
            deadlines,
            life: Life::Open,
            ended: None,
            received,
            left: 0,
            pause: Pause::NeedsInput,
            failure: None,
            receive_pace: Pace::new(receive_limits),
            send_pace: Pace::new(send_limits),
            lingered: 0,
            unfinished: false,
            announced: false,
            unread: false,
            lost: false,
            now,
        }
    }

    /// What has to be kept, if nothing but input or a command can happen beside the idle deadline.
    pub(crate) fn idle(&self) -> Option<Idle> {
        let undisturbed = self.life == Life::Open
            && self.ended.is_none()
            && self.failure.is_none()
            && self.pause == Pause::NeedsInput
            && self.left == 0
            && self.lingered == 0
            && !(self.unfinished || self.unread || self.lost);
        let until = self.deadlines.at_most(Deadline::Idle)?;
        let sent = self.outbox.all_sent().filter(|_| undisturbed)?;
        Some(Idle { received: self.received, sent, until, now: self.now })
    }

    /// The time of this input; a clock that runs back stands still.
    pub(crate) fn monotonic(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        self.now
    }

    pub(crate) fn is_open(&self) -> bool {
        self.life == Life::Open
    }

    pub(crate) fn is_dead(&self) -> bool {
        matches!(self.life, Life::Dead(_) | Life::Gone)
    }

    /// Whether the last poll stopped for more input, and nothing but that has to be asked before another one.
    pub(crate) fn awaits_input(&self) -> bool {
        self.is_open() && self.ended.is_none() && self.pause == Pause::NeedsInput && self.send_room() > 0
    }

    pub(crate) fn interest(&self) -> Interest {
        let write = self.outbox.has_waiting();
        let lend = match (self.ended, self.pause) {
            (Some(_), _) => 0,
            (None, Pause::NeedsInput) => self.most_input,
            // So that the end of the peer is seen, and nothing grows.
            (None, Pause::AwaitsApplication | Pause::Full) => self.config.limits.read_ahead,
        };
        let reset = self.unfinished || self.unread;
        match self.life {
            Life::Open => Interest { lend, write, reset, ..Interest::default() },
            // What comes is dropped by the next poll.
            Life::Closing(..) | Life::Lingering(..) => {
                let shutdown = matches!(self.life, Life::Lingering(..));
                let lend = if self.ended.is_some() || !shutdown && self.over_lingered() { 0 } else { self.most_input };
                // Whoever sends more than it has said is not done with it, and must not be reset before it has read.
                let silent = self.announced && self.left == 0 && self.lingered == 0;
                let silence_ends = shutdown && silent && self.ended.is_none();
                Interest { lend, write: write && !shutdown, shutdown, reset, silence_ends, ..Interest::default() }
            }
            Life::Dead(_) | Life::Gone => Interest { close: true, reset, ..Interest::default() },
            Life::Switched => Interest { write, reset, ..Interest::default() },
        }
    }

    /// An event is told: what lies behind it is looked at when the application polls again.
    pub(crate) fn told(&mut self, input: &BytesMut) {
        self.left = input.len();
        self.pause = Pause::AwaitsApplication;
    }

    pub(crate) fn send_room(&self) -> usize {
        self.config.limits.send_buffer.saturating_sub(self.outbox.len())
    }

    /// Something may have been queued.
    pub(crate) fn queued(&mut self, now: Instant) {
        if !self.outbox.is_empty() && !self.deadlines.is_armed(Deadline::Send) {
            self.send_pace = Pace::new(self.send_limits);
            self.deadlines.arm(Deadline::Send, self.send_pace.resume(now));
        }
    }

    pub(crate) fn sent(&mut self, count: usize, now: Instant) {
        let count = self.outbox.advance(count);
        if self.pause == Pause::Full && self.send_room() > 0 {
            self.pause = Pause::NeedsInput;
        }
        if self.outbox.is_empty() {
            self.deadlines.disarm(Deadline::Send);
        } else if count > 0 {
            self.send_pace.moved(count as u64, now, self.send_limits);
            self.deadlines.arm(Deadline::Send, self.send_pace.resume(now));
        }
        self.advance_end(now);
    }

    /// Content of another message begins to arrive, at its own pace if it has one.
    pub(crate) fn begin_content_within(&mut self, own: Option<(Duration, u32)>) {
        self.receive_limits = match own {
            Some((pause, rate)) => PaceLimits::of(pause, self.config.timeouts.content_grace, rate),
            None => PaceLimits::incoming(&self.config.timeouts),
        };
        self.begin_content();
    }

    /// The same, at the pace of all.
    pub(crate) fn begin_content(&mut self) {
        self.receive_pace = Pace::new(self.receive_limits);
    }

    /// Nothing that moved changes nothing: a deadline that has passed stays where it is, however often it is looked at.
    pub(crate) fn content_moved(&mut self, bytes: u64, now: Instant) {
        if bytes > 0 {
            self.receive_pace.moved(bytes, now, self.receive_limits);
        }
    }

    /// We wait for content, and its deadline runs.
    pub(crate) fn await_content(&mut self, now: Instant) {
        let at = self.receive_pace.resume(now);
        self.deadlines.arm(Deadline::Receive, at);
    }

    /// We do not wait for content: the application is at work, or nothing is to come.
    pub(crate) fn rest_content(&mut self, now: Instant) {
        if self.deadlines.is_armed(Deadline::Receive) {
            self.receive_pace.interrupt(now);
            self.deadlines.disarm(Deadline::Receive);
        }
    }

    /// Records a fault `offset` bytes into the lent buffer.
    pub(crate) fn error(&self, reason: Reason, offset: usize) -> ProtocolError {
        ProtocolError::new(reason, self.received.saturating_add(offset as u64))
    }

    /// Has `poll_event` tell a failure.
    pub(crate) fn tell(&mut self, error: ProtocolError) {
        self.failure = Some(error);
    }

    pub(crate) fn take_failure(&mut self) -> Option<ProtocolError> {
        // Nearly always there is none, and nothing to write back.
        if self.failure.is_some() { self.failure.take() } else { None }
    }

    /// Ends the connection when what waits has been sent.
    pub(crate) fn close(&mut self, why: Closed, linger: Linger, now: Instant) {
        if let Life::Open = self.life {
            self.life = Life::Closing(why, linger);
            for kind in [Deadline::Head, Deadline::Idle, Deadline::Receive, Deadline::Expect, Deadline::HalfClosed] {
                self.deadlines.disarm(kind);
            }
            self.advance_end(now);
        }
    }

    /// Gives up a peer that does not read, at once.
    pub(crate) fn abort_unread(&mut self) {
        self.unread = true;
        self.abort(Closed::TimedOut(Deadline::Send));
    }

    /// Ends the connection at once; what waits is lost. One that was handed over is not ours to end, but it has nothing
    /// to send any more.
    pub(crate) fn abort(&mut self, why: Closed) {
        // The first reason is the one that counts.
        let over = match self.life {
            Life::Dead(_) | Life::Gone => return,
            Life::Switched => Life::Switched,
            Life::Closing(first, _) | Life::Lingering(first, _) => Life::Dead(first),
            Life::Open => Life::Dead(why),
        };
        self.lost = !self.outbox.is_empty();
        self.outbox.discard();
        self.deadlines = Deadlines::NONE;
        self.life = over;
    }

    /// Goes on with the end of the connection as far as it can.
    #[inline]
    pub(crate) fn advance_end(&mut self, now: Instant) {
        if !self.is_open() {
            self.step_end(now);
        }
    }

    fn step_end(&mut self, now: Instant) {
        match self.life {
            Life::Closing(why, linger @ (Linger::Yes | Linger::Briefly))
                if self.outbox.is_empty() && self.ended.is_none() && !self.over_lingered() =>
            {
                self.life = Life::Lingering(why, Linger::Yes);
                self.deadlines = Deadlines::NONE;
                self.deadlines.arm(Deadline::Linger, now.saturating_add(self.config.timeouts.linger));
                if linger == Linger::Briefly {
                    self.hurry(now);
                }
            }
            Life::Closing(why, _) if self.outbox.is_empty() => self.abort(why),
            Life::Lingering(why, _) if self.ended.is_some() => self.abort(why),
            _ => {}
        }
    }

    /// The application wants to be done, and the peer has sent all of its message: unless more than that came, a moment
    /// is enough for it to read.
    pub(crate) fn hurry(&mut self, now: Instant) {
        match self.life {
            Life::Closing(why, Linger::Yes) => self.life = Life::Closing(why, Linger::Briefly),
            Life::Lingering(why, Linger::Yes) if self.left == 0 && self.lingered == 0 => {
                self.life = Life::Lingering(why, Linger::Briefly);
                let soon = now.saturating_add(BRIEFLY);
                if self.deadlines.earliest_at().is_some_and(|at| at > soon) {
                    self.deadlines.arm(Deadline::Linger, soon);
                }
            }
            _ => {}
        }
    }

    /// Whether more was dropped since the end began than its budget.
    fn over_lingered(&self) -> bool {
        self.lingered > self.config.limits.linger
    }

    /// Drops what comes after the end of the last message, within a budget (RFC 9112 §9.6). Beyond it nothing more is
    /// read, but what waits is still sent: the last answer must not hang on how much came along with its request.
    fn drop_input(&mut self, input: &mut BytesMut) {
        let count = input.len() as u64;
        self.received = self.received.saturating_add(count);
        self.lingered = self.lingered.saturating_add(count);
        input.clear();
        if let (Life::Lingering(why, Linger::Briefly), 1..) = (self.life, count) {
            // Dropping the transport now could cost the peer what it has not read (RFC 9112 §9.6).
            self.life = Life::Lingering(why, Linger::Yes);
            self.deadlines.arm(Deadline::Linger, self.now.saturating_add(self.config.timeouts.linger));
        }
        if self.over_lingered() && self.outbox.is_empty() {
            if let Life::Closing(why, _) | Life::Lingering(why, _) = self.life {
                self.abort(why);
            }
        }
    }

    /// What of this side can change what happens, as [`Canonical`](crate::model::Canonical) wants it.
    pub(crate) fn describe(&self, out: &mut Collector, now: Instant) {
        let now = self.now.max(now);
        let Self { config, outbox, life, ended, left, pause, failure, lingered, .. } = self;
        out.value((life, ended, left, pause, failure.map(ProtocolError::reason)));
        out.value((self.unfinished, self.announced, self.unread));
        out.value((*lingered).min(config.limits.linger.saturating_add(1)));
        outbox.describe(out);
        self.deadlines.describe(out, now);
        out.value(self.receive_limits);
        self.receive_pace.describe(out, now);
        self.send_pace.describe(out, now);
    }

    /// A poll of a connection that ends, or was handed over: what comes is dropped, and the end told when it is there.
    pub(crate) fn poll_over(&mut self, input: &mut BytesMut, now: Instant) -> Option<Closed> {
        if self.life == Life::Switched {
            return None;
        }
        self.drop_input(input);
        self.left = 0;
        self.advance_end(now);
        self.take_end()
    }

    /// The reason of an end that the application does not know yet.
    fn take_end(&mut self) -> Option<Closed> {
        match self.life {
            Life::Dead(why) => {
                self.life = Life::Gone;
                Some(why)
            }
            _ => None,
        }
    }
}
