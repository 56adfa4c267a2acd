//! One connection, whichever side of it: what both sides have in common, written once.

use alloc::sync::Arc;
use core::fmt;

use bytes::{Bytes, BytesMut};

use crate::canonical::{Canonical, Collector};
use crate::config::Config;
use crate::connection::deadline::Deadline;
use crate::connection::exchange::End;
use crate::connection::flow::{Flow, Interest, Life};
use crate::connection::memory::Memory;
use crate::connection::phase::Phase;
use crate::error::ProtocolError;
use crate::message::field::Fields;
use crate::message::misuse::Misuse;
use crate::read::Spare;
use crate::time::Instant;
use crate::write::encode::Encoder;
use crate::write::outbox::Outbox;

/// One HTTP/1.1 connection as one side sees it: [`server::Connection`](crate::server::Connection) or
/// [`client::Connection`](crate::client::Connection), whose pages are the manual. Here is what both can do.
///
/// ```
/// use http_core::{Config, Connection, Instant, Side, client, server};
/// fn waits<S: Side>(connection: &Connection<S>) -> bool {
///     connection.interest().lend > 0 && connection.poll_timeout().is_some()
/// }
/// let config = std::sync::Arc::new(Config::default());
/// assert!(waits(&server::Connection::new(config.clone(), Instant::ZERO)));
/// assert!(waits(&client::Connection::new(config, Instant::ZERO)));
/// ```
#[derive(Clone, Debug)]
pub struct Connection<S> {
    pub(super) flow: Flow,
    pub(super) spare: Spare,
    /// Requests so far.
    pub(super) requests: u64,
    /// What this side alone has.
    pub(super) side: S,
}

/// A side of a connection: [`ServerSide`](crate::server::ServerSide) or [`ClientSide`](crate::client::ClientSide).
///
/// It is the parameter of [`Connection`], for code that does not mind which of the two it drives. There are no others.
///
/// ```
/// use bytes::BytesMut;
/// use http_core::{Connection, Instant, ProtocolError, Side};
/// fn next<S: Side>(connection: &mut Connection<S>, input: &mut BytesMut) -> Result<Option<S::Event>, ProtocolError> {
///     connection.poll_event(input, Instant::ZERO)
/// }
/// ```
pub trait Side: Steps<<Self as Side>::Event> {
    /// What a connection tells the application.
    type Event: fmt::Debug;
}

/// What each side does in its own way. `now` never runs back.
pub trait Steps<E>: Clone + fmt::Debug {
    /// The next event, read off the front of `input`.
    fn poll(connection: &mut Connection<Self>, input: &mut BytesMut, now: Instant) -> Result<Option<E>, ProtocolError>;

    /// The incoming half has ended, and that was noted.
    fn ended(connection: &mut Connection<Self>, end: End, now: Instant);

    /// The transport takes no more bytes.
    fn broken(connection: &mut Connection<Self>, now: Instant);

    /// Bytes were sent; `lost` if the connection was over before.
    fn sent(connection: &mut Connection<Self>, lost: bool, now: Instant);

    /// A deadline has passed.
    fn expired(connection: &mut Connection<Self>, kind: Deadline, now: Instant);

    /// What encodes the content that is being sent.
    fn encoder(&mut self) -> Result<&mut Encoder, Misuse>;

    /// A piece of content was queued.
    fn content_queued(connection: &mut Connection<Self>, now: Instant);

    /// All of the message that is being sent was queued.
    fn message_queued(connection: &mut Connection<Self>, now: Instant);

    /// Ends the connection in order.
    fn close(connection: &mut Connection<Self>, now: Instant);

    /// Gives up what is open.
    fn abandon(connection: &mut Connection<Self>, now: Instant);

    /// Gives memory back that is this side's own.
    fn shrink(&mut self);

    /// Whether content of the message that is being sent is awaited.
    fn awaits_content(&self) -> bool;

    /// Whether content may be queued now, as far as the message goes.
    fn takes_content(&self) -> bool;

    /// Whether no exchange is open.
    fn is_idle(&self) -> bool;

    /// Whether what was sent or read last hands the connection over.
    fn is_switching(&self) -> bool;

    /// Where the connection is.
    fn phase(connection: &Connection<Self>) -> Phase;

    /// What of this side's state can change what happens.
    fn describe(connection: &Connection<Self>, out: &mut Collector);
}

/// Inputs: from the transport and the clock.
impl<S: Side> Connection<S> {
    /// The incoming half of the transport has ended. Bytes read before it must be in the lent buffer already; what it
    /// means is told by `poll_event` (RFC 9112 §8, §9.5).
    ///
    /// On a server: between requests the connection is over once its answers are sent. A client that has ended its
    /// side in order is still answered, if the head of its answer comes within
    /// [`Timeouts::half_closed`](crate::Timeouts::half_closed); if it left inside its content that is told as an error
    /// first, and answered all the same. An unclean end while a request is open ends the connection at once.
    pub fn handle_eof(&mut self, end: End, now: Instant) {
        let now = self.flow.monotonic(now);
        self.flow.ended.get_or_insert(end);
        S::ended(self, end, now);
    }

    /// The transport takes no more bytes.
    ///
    /// On a server nothing can be answered any more, so the connection is over. On a client a response that the peer
    /// has sent already is still read, for as long as `Timeouts::linger` (RFC 9112 §9.5).
    pub fn handle_write_error(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        S::broken(self, now);
    }

    /// The transport has taken `count` bytes of what was queued.
    pub fn handle_sent(&mut self, count: usize, now: Instant) {
        let now = self.flow.monotonic(now);
        let lost = self.flow.is_dead();
        self.flow.sent(count, now);
        S::sent(self, lost, now);
    }

    /// The time that `poll_timeout` named has come. Called too early, or again, it does nothing.
    ///
    /// On a server a head or content that came too slowly is answered with 408 if its answer has not begun; an idle
    /// connection is closed without a word; one whose peer does not take its answer is reset. On a client a response
    /// that came too slowly fails; an idle connection is closed; content that waited for 100 (Continue) long enough is
    /// sent (RFC 9110 §10.1.1).
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        while let Some(kind) = self.flow.deadlines.take_expired(now) {
            S::expired(self, kind, now);
        }
    }
}

/// Commands: from the application.
impl<S: Side> Connection<S> {
    /// Sends a piece of content; a small one is copied, a large one linked. An empty one does nothing.
    ///
    /// # Errors
    /// [`Misuse::NotYourTurn`] without a message whose content is awaited; [`Misuse::TooMuchContent`] beyond what was
    /// announced; [`Misuse::Full`] if [`send_capacity`](Self::send_capacity) is 0; [`Misuse::Closed`].
    pub fn send_content(&mut self, content: Bytes, now: Instant) -> Result<(), Misuse> {
        self.send_piece(now, |encoder, outbox| encoder.write(content, outbox))
    }

    /// Sends a piece of content that is copied whatever its size: for bytes that are not the caller's to give away.
    ///
    /// # Errors
    /// Those of [`send_content`](Self::send_content).
    pub fn send_content_copy(&mut self, content: &[u8], now: Instant) -> Result<(), Misuse> {
        self.send_piece(now, |encoder, outbox| encoder.write_copy(content, outbox))
    }

    fn send_piece(
        &mut self,
        now: Instant,
        write: impl FnOnce(&mut Encoder, &mut Outbox) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let now = self.flow.monotonic(now);
        self.must_be_open()?;
        let encoder = self.side.encoder()?;
        if self.flow.send_room() == 0 {
            return Err(Misuse::Full);
        }
        write(encoder, &mut self.flow.outbox)?;
        self.flow.queued(now);
        S::content_queued(self, now);
        Ok(())
    }

    /// Ends the message whose content is awaited, with trailers if there are any.
    ///
    /// # Errors
    /// [`Misuse::TooLittleContent`] before the announced length is reached; [`Misuse::Trailers`] if the framing has no
    /// place for them or a field may not be among them (RFC 9110 §6.5.1); [`Misuse::Full`] while the content of a
    /// request waits for 100 (Continue); [`Misuse::NotYourTurn`], [`Misuse::Closed`].
    pub fn send_end(&mut self, trailers: &Fields, now: Instant) -> Result<(), Misuse> {
        let now = self.flow.monotonic(now);
        self.must_be_open()?;
        self.side.encoder()?.end(trailers, &mut self.flow.outbox)?;
        S::message_queued(self, now);
        Ok(())
    }

    /// Ends the connection: at once if it is idle, after what is open otherwise.
    ///
    /// On a server that is the exchange that is open, or whose head has begun to come: that is read within its
    /// deadline, and answered. A response whose head is not sent yet will say `Connection: close`; one that is given up
    /// in its content leaves the peer with a truncated message, see [`abandon`](Self::abandon). Requests behind that
    /// exchange are not read. A client that pipelined them learns from `close`, or from the end of the connection, that
    /// they were not served, and may repeat them (RFC 9112 §9.3.2, §9.6). What counts as begun is what the last
    /// [`poll_event`](Self::poll_event) left in the lent buffer, so poll before if something was read since. Empty
    /// lines alone are no head: behind them the connection ends as if it were idle.
    ///
    /// On a client it is all exchanges in flight.
    pub fn close(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        S::close(self, now);
    }

    /// Gives up what is open.
    ///
    /// On a server what waits is sent, the response stays unfinished, and the connection ends without lingering, so
    /// that the peer cannot take it for complete (RFC 9112 §8): one that the end of the stream would complete is reset,
    /// see [`Interest::reset`]. On a client the connection ends at once, whatever is in flight: how a request is
    /// cancelled.
    pub fn abandon(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        S::abandon(self, now);
    }

    /// Takes the memory of a head, or of its fields, back, so that the next head needs no allocation.
    pub fn recycle(&mut self, head: impl Into<Fields>) {
        self.spare.keep(head.into());
    }

    /// Takes the memory that an idle connection does not need. The next exchange allocates again, unless it is given
    /// some by then.
    #[must_use]
    pub fn take_memory(&mut self) -> Memory {
        Memory::take(&mut self.spare, &mut self.flow.outbox)
    }

    /// Gives the connection memory to work with, where it has none.
    pub fn give_memory(&mut self, memory: Memory) {
        memory.give(&mut self.spare, &mut self.flow.outbox);
    }

    /// Gives memory back that an idle connection does not need. The next exchange allocates again.
    pub fn shrink(&mut self) {
        drop(self.take_memory());
        self.side.shrink();
    }
}

/// Outputs: what is to be done.
impl<S: Side> Connection<S> {
    /// The next event, read off the front of `input`. `None`: more input, or a command, is needed.
    ///
    /// # Errors
    /// The peer broke a rule, or was too slow. Told once, and the connection ends in any case. On a server an answer
    /// with the fitting status is queued if none had begun, and input after it is dropped within `Limits::linger`.
    pub fn poll_event(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<S::Event>, ProtocolError> {
        let now = self.flow.monotonic(now);
        S::poll(self, input, now)
    }

    /// Fills `slices` with the bytes to send, in order, and returns how many it filled. Tell what was taken with
    /// [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn transmit<'a>(&'a self, slices: &mut [&'a [u8]]) -> usize {
        self.flow.outbox.slices(slices)
    }

    /// The queue of bytes to send, for transports that take owned buffers.
    pub const fn outbox(&mut self) -> &mut Outbox {
        &mut self.flow.outbox
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` if nothing is waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flow.deadlines.earliest_at()
    }

    /// What the connection wants from its transport now.
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.flow.interest()
    }

    /// How many bytes of content may be queued now; 0: stop producing until some were sent, or 100 (Continue) came.
    ///
    /// A piece that is larger is taken whole, once.
    #[must_use]
    pub fn send_capacity(&self) -> usize {
        if self.side.takes_content() && self.flow.is_open() { self.flow.send_room() } else { 0 }
    }
}

/// Getters.
impl<S: Side> Connection<S> {
    /// Where the connection is, in `evhttp`'s words.
    #[must_use]
    pub fn phase(&self) -> Phase {
        S::phase(self)
    }

    /// The deadline that passes next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        self.flow.deadlines.earliest().map(|(kind, _)| kind)
    }

    /// How the incoming half ended, if it has: what tells a handler that its client may be gone.
    #[must_use]
    pub const fn peer_ended(&self) -> Option<End> {
        self.flow.ended
    }

    /// Whether no exchange is open, so that the connection needs no [`Memory`].
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.side.is_idle()
    }

    /// How many bytes of [`Memory`] the connection has to work with.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        self.spare.capacity() + self.flow.outbox.memory_size()
    }

    /// Whether content of the message that is being sent is awaited, and its end. Content that waits for 100 (Continue)
    /// is.
    #[must_use]
    pub fn awaits_content(&self) -> bool {
        self.side.awaits_content()
    }

    /// Whether the response that was sent or read last hands the connection over: `Switched` follows, or has come.
    #[must_use]
    pub fn is_switching(&self) -> bool {
        self.side.is_switching() && !self.flow.is_dead()
    }

    /// Whether the connection speaks another protocol, since `Switched`.
    #[must_use]
    pub fn is_switched(&self) -> bool {
        self.flow.life == Life::Switched
    }

    /// The configuration that the connection was made with.
    #[must_use]
    pub const fn config(&self) -> &Arc<Config> {
        &self.flow.config
    }

    /// The state as seen at `now`, for comparing states.
    #[must_use]
    pub fn canonical(&self, now: Instant) -> Canonical {
        Canonical::of(|out| {
            self.flow.describe(out, now);
            S::describe(self, out);
        })
    }

    /// How many bytes were ever queued to be sent.
    #[must_use]
    pub const fn queued(&self) -> u64 {
        self.flow.outbox.queued()
    }

    pub(super) fn must_be_open(&self) -> Result<(), Misuse> {
        if self.flow.is_open() { Ok(()) } else { Err(Misuse::Closed) }
    }

    pub(crate) const fn queue(&self) -> &Outbox {
        &self.flow.outbox
    }
}
