//! A machine, its transport and its timer: the turn that moves bytes between them, the same for both roles.

use core::fmt;
use core::mem;
use core::task::{Context, Poll, Waker};
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::model::{Action, Input, Modelled, Tap, apply};
use http_core::{Connection, End, Instant, Misuse, ProtocolError};

use crate::buffers::{self, Place};
use crate::clock;
use crate::io::{Runtime, Transport};
use crate::outside::{Alarm, Outside, Woken};
use crate::wake::{Others, Wake};

/// What watches a connection: see [`Tap`].
pub type BoxTap = Box<dyn Tap + Send>;

pub(crate) struct Link<S, T, R: Runtime> {
    pub(crate) machine: Connection<S>,
    pub(crate) transport: T,
    pub(crate) runtime: R,
    /// Bytes that were read and not yet understood; no memory while it is empty and the connection waits.
    pub(crate) input: BytesMut,
    alarm: Alarm<R>,
    room: usize,
    sending_ended: bool,
    /// Whether the transport was read in this step of the task and had nothing: then whatever comes wakes the task, and
    /// to look again would find the same.
    silent: bool,
    /// Whether the next step is of the same poll of the same task, and so of the same moment.
    follows: bool,
    /// The moment of the last step.
    looked: Instant,
    /// What the transport was told last of being dropped.
    resets: bool,
    memory: Held,
    /// When whoever waits is to be woken at the latest, beside the machine's deadline.
    until: Option<Instant>,
    /// Why the transport broke, for the error that follows from it.
    broken: Option<io::Error>,
    tap: Option<BoxTap>,
    wake: Wake,
    /// Those who have their turn before this connection has another one.
    others: Option<Arc<Others>>,
}

/// The memory that the machine works with.
enum Held {
    /// It has none but what it has allocated itself while it had.
    Nothing,
    /// Nothing has come yet; it waits as if it rested, until this.
    New(Option<(Instant, Place)>),
    InUse(Option<Place>),
    /// The machine rests, and works on with it if that is before this.
    Until(Instant, Place),
}

/// Whoever waits for something of a connection.
pub(crate) trait Waiter {
    type Side: Modelled;
    type Transport: Transport;
    type Runtime: Runtime;

    fn link(&mut self) -> &mut Link<Self::Side, Self::Transport, Self::Runtime>;
}

/// The one way to wait on a connection.
///
/// `look` goes as far as it can with what is known: it polls the machine and whatever of the application's is waited
/// for, and is ready with what was waited for. Only when it finds nothing does the transport have its turn, and
/// whatever that reads, writes or learns is looked at again: so `Pending` means that `look` has seen everything, and
/// that the transport and the timer have the task's waker, as everything has that `look` polls. There is no other way
/// to a turn.
///
/// What one wake of the task does is bounded; then it is polled again after others had their turn.
#[inline]
pub(crate) fn poll_until<W: Waiter, O>(
    waiter: &mut W,
    cx: &mut Context<'_>,
    mut look: impl FnMut(&mut W, &mut Context<'_>, Instant) -> Poll<O>,
) -> Poll<O> {
    let Some(mut now) = waiter.link().begin(cx) else { return Poll::Pending };
    let mut turns = 0;
    loop {
        if let Poll::Ready(found) = look(waiter, cx, now) {
            return Poll::Ready(found);
        }
        let link = waiter.link();
        if link.poll_turn(cx, now).is_pending() {
            return Poll::Pending;
        }
        // What one turn has brought is looked at in the same moment.
        turns += 1;
        if turns > 1 {
            now = link.now();
        }
    }
}

impl<S: Modelled, T: Transport, R: Runtime> Link<S, T, R> {
    /// `made` is when the machine was made.
    pub(crate) fn new(
        machine: Connection<S>,
        transport: T,
        runtime: R,
        input: BytesMut,
        mut tap: Option<BoxTap>,
        made: Instant,
    ) -> Self {
        if let Some(tap) = &mut tap {
            tap.begin(made);
        }
        let mut link = Self { input, tap, ..Self::resumed(machine, Outside::new(transport, runtime)) };
        // Whoever connects has something to say, as a rule at once: until it comes is a rest as any other, but that
        // there is no memory to keep.
        link.memory = Held::New(None);
        if !link.input.is_empty() {
            link.take_up_memory();
            let early = link.input.clone().freeze();
            let now = link.now();
            link.tell_received(early, now);
        }
        link
    }

    /// Goes on after a rest; what has ended it is to be [told](Self::woken).
    #[inline(always)]
    pub(crate) fn resumed(machine: Connection<S>, outside: Outside<T, R>) -> Self {
        let Outside { transport, runtime, alarm } = outside;
        Self {
            machine,
            transport,
            runtime,
            input: BytesMut::new(),
            alarm,
            room: buffers::SMALL,
            sending_ended: false,
            silent: false,
            follows: false,
            looked: Instant::ZERO,
            resets: false,
            memory: Held::Nothing,
            until: None,
            broken: None,
            tap: None,
            wake: Wake::RESTING,
            others: None,
        }
    }

    /// What has ended a rest, if that was something of the transport. Returns the moment.
    pub(crate) fn woken(&mut self, woken: Option<Woken>) -> Instant {
        let now = self.now();
        self.goes_on_from(now);
        if let Some(Woken { input, read }) = woken {
            self.input = input;
            self.took(read, 0, self.interest().lend, now);
        }
        now
    }

    /// Whether all that is here can be had again, but for the machine and what is [`Outside`].
    pub(crate) fn is_bare(&self) -> bool {
        matches!(self.memory, Held::Nothing)
            && self.input.is_empty()
            && self.tap.is_none()
            && self.others.is_none()
            && self.broken.is_none()
            && self.until.is_none()
            && !self.sending_ended
            && !self.resets
    }

    /// What has to be kept then.
    pub(crate) fn into_outside(self) -> Outside<T, R> {
        let Self { transport, runtime, alarm, .. } = self;
        Outside { transport, runtime, alarm }
    }

    pub(crate) fn now(&self) -> Instant {
        clock::to_core(self.runtime.now())
    }

    /// Whoever waits is woken at this time as well.
    pub(crate) fn wake_at(&mut self, until: Option<Instant>) {
        self.until = until;
    }

    /// Whether that time has come.
    pub(crate) fn is_late(&self) -> bool {
        self.until.is_some_and(|until| until <= self.now())
    }

    /// Nothing is on the connection any more, and nobody polls it for now: it rests, and holds nothing that it does not
    /// need. Who is polled while it waits comes to that by itself.
    #[inline]
    pub(crate) fn set_aside(&mut self) {
        self.rest(self.looked);
        if matches!(self.memory, Held::Nothing) {
            self.give_input_back();
        }
    }

    #[cold]
    fn give_input_back(&mut self) {
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
    }

    /// Lets go of the timer where nothing is waited for, until something is.
    pub(crate) fn drop_idle_timer(&mut self) {
        if self.machine.poll_timeout().is_none() && matches!(self.memory, Held::Nothing) {
            self.drop_timer();
        }
    }

    /// Lets go of the timer, which belongs to the runtime that it was made on.
    pub(crate) fn drop_timer(&mut self) {
        self.alarm = Alarm::default();
    }

    /// Why the transport broke, if it did: told once.
    pub(crate) fn take_broken(&mut self) -> Option<io::Error> {
        self.broken.take()
    }

    /// The next event, from what was read already.
    pub(crate) fn poll_machine(&mut self, now: Instant) -> Result<Option<S::Event>, ProtocolError> {
        if self.tap.is_none() {
            return self.machine.poll_event(&mut self.input, now);
        }
        let mut result = Ok(None);
        for action in self.tapped(Input::Poll, now) {
            match action {
                Action::Failed(error) => result = Err(error),
                action => {
                    if let Some(event) = S::event(action) {
                        result = Ok(Some(event));
                    }
                }
            }
        }
        result
    }

    /// Whether calls go through the model, because somebody watches.
    pub(crate) const fn is_tapped(&self) -> bool {
        self.tap.is_some()
    }

    /// Shows a tap what comes from here, unless one watches already.
    pub(crate) fn watch(&mut self, tap: BoxTap) {
        if self.tap.is_none() {
            let now = self.now();
            self.tap.insert(tap).begin(now);
        }
    }

    /// Applies an input through the model, and shows it to the tap.
    pub(crate) fn apply(&mut self, input: Input, now: Instant) -> Result<(), Misuse> {
        let misused = self.tapped(input, now).into_iter().find_map(|action| match action {
            Action::Misused(misuse) => Some(misuse),
            _ => None,
        });
        misused.map_or(Ok(()), Err)
    }

    /// Begins another step of the wake that goes on, or another wake; nothing if others are to have their turn first,
    /// which they then have.
    #[inline]
    fn begin(&mut self, cx: &mut Context<'_>) -> Option<Instant> {
        let now = self.begun();
        self.silent &= mem::take(&mut self.follows);
        if self.others.is_some() && !self.had_others(cx) {
            return None;
        }
        self.looked = now;
        if self.is_spent(now) {
            self.yield_now(cx);
            return None;
        }
        Some(now)
    }

    /// The task is polled again when others had their turn.
    #[cold]
    fn yield_now(&mut self, cx: &mut Context<'_>) {
        self.wake = Wake::RESTING;
        let others = Others::than(cx.waker());
        self.runtime.poll_yield(&mut Context::from_waker(&others.clone().into()));
        self.others = Some(others);
    }

    /// Whether others had their turn; the task is woken when they had it.
    #[cold]
    fn had_others(&mut self, cx: &mut Context<'_>) -> bool {
        match self.others.take() {
            Some(others) if !others.had() => {
                if others.wakes(cx.waker()) {
                    self.others = Some(others);
                } else {
                    self.yield_now(cx);
                }
                false
            }
            _ => true,
        }
    }

    /// The moment of the last step, for what is done at once after it.
    pub(crate) const fn looked(&self) -> Instant {
        self.looked
    }

    /// The moment of the step that begins: that of the last one, if it follows on that.
    pub(crate) fn begun(&self) -> Instant {
        if self.follows { self.looked } else { self.now() }
    }

    /// What comes next is done in the same poll of the same task as what came last.
    pub(crate) const fn goes_on(&mut self) {
        self.follows = true;
    }

    /// The same, where this is the moment of what came last.
    pub(crate) const fn goes_on_from(&mut self, now: Instant) {
        self.looked = now;
        self.follows = true;
    }

    /// Whatever comes next is another wake.
    pub(crate) fn wake_anew(&mut self) {
        self.others = None;
        self.follows = false;
        self.wake = Wake::RESTING;
    }

    /// Another step of this wake: whether enough was done in it, so that what goes on without the transport is to stop
    /// as well.
    #[inline]
    pub(crate) fn is_spent(&mut self, now: Instant) -> bool {
        self.wake.step(now);
        self.wake.is_over(now)
    }

    /// One turn: writes what waits, reads what came, shuts down, and looks at the time. Ready when something happened,
    /// so that everything is to be looked at again; pending when the task will be woken for it, or to let others have
    /// their turn.
    fn poll_turn(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        if self.is_spent(now) {
            self.yield_now(cx);
            return Poll::Pending;
        }
        let mut moved = self.poll_write(cx, now).is_ready();
        // While one piece after the other goes out it is enough to listen once a wake.
        if moved && self.wake.has_listened() {
            return Poll::Ready(());
        }
        let read = self.poll_read(cx, now).is_ready();
        moved |= read;
        let interest = self.interest();
        if interest.close {
            return Poll::Ready(());
        }
        if interest.shutdown && !self.sending_ended {
            if let Poll::Ready(result) = self.transport.poll_shutdown(cx) {
                self.sending_ended = true;
                // What answers that may be there at once.
                self.silent = false;
                if let Err(error) = result {
                    self.fail_write(error, now);
                }
                moved = true;
            }
        }
        if interest.silence_ends && self.sending_ended && !read && self.input.is_empty() {
            self.end(End::Clean, now);
            return Poll::Ready(());
        }
        // While anything moves the task goes on, and no timer need wake it.
        if moved {
            self.expire(self.machine.poll_timeout(), now);
            return Poll::Ready(());
        }
        if self.poll_timer(cx, now).is_ready() { Poll::Ready(()) } else { self.rest_until_woken() }
    }

    /// Another wake begins with a look at a connection that idles: whether nothing has come and nothing is due, so that
    /// there is nothing else to look at. If not, nothing is lost: what was read is here.
    pub(crate) fn finds_nothing(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let rests = self.input.is_empty() && self.machine.is_idle() && self.machine.outbox().is_empty();
        let due = self.machine.poll_timeout().is_some_and(|due| due <= now);
        if !rests || due || self.tap.is_some() || self.broken.is_some() {
            return false;
        }
        self.wake_anew();
        (self.silent, self.looked) = (false, now);
        if self.interest().lend == 0 {
            return false;
        }
        if self.transport.poll_readable(cx).is_pending() {
            self.heard_nothing(now);
            return true;
        }
        self.poll_read(cx, now).is_pending()
    }

    fn rest_until_woken(&mut self) -> Poll<()> {
        self.wake = Wake::RESTING;
        Poll::Pending
    }

    /// The connection is over, or given up: the peer is told, where the transport has a word for it (RFC 9112 §9.8).
    /// What cannot be said at once is not waited for.
    pub(crate) fn farewell(&mut self) {
        let interest = self.interest();
        self.tell_reset(interest);
        if !self.sending_ended && !interest.reset {
            self.sending_ended = true;
            let _ = self.transport.poll_shutdown(&mut Context::from_waker(Waker::noop()));
        }
        // The next connection of this thread works with it.
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
        if !matches!(self.memory, Held::Nothing) {
            self.return_memory();
        }
    }

    /// The connection is dropped next. Where something waits its peer does not read: a reset discards that.
    pub(crate) fn cut(&mut self) {
        if !self.machine.outbox().is_empty() {
            self.transport.reset_on_drop(true);
        }
    }

    fn interest(&self) -> http_core::Interest {
        self.machine.interest()
    }

    /// Whether the transport has everything, or the connection is over; what waits is written first.
    pub(crate) fn poll_flushed(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        let _ = self.poll_write(cx, now);
        self.machine.outbox().is_empty() || self.interest().close
    }

    /// Ready if bytes were taken, or the transport broke.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        let mut moved = Poll::Pending;
        loop {
            self.tell_reset(self.interest());
            // What is in flight is asked after as well: nobody else learns that it was sent.
            if self.machine.outbox().is_empty() || self.wake.has_moved_enough() {
                break;
            }
            match self.transport.poll_write(cx, self.machine.outbox()) {
                Poll::Ready(Ok(0)) => self.fail_write(io::ErrorKind::WriteZero.into(), now),
                Poll::Ready(Ok(count)) => {
                    self.wake.moved(count);
                    match self.tap {
                        None => self.machine.handle_sent(count, now),
                        Some(_) => drop(self.tapped(Input::Sent(count), now)),
                    }
                }
                Poll::Ready(Err(error)) => self.fail_write(error, now),
                Poll::Pending => break,
            }
            moved = Poll::Ready(());
        }
        moved
    }

    /// Tells the transport how it is to end, should it be dropped.
    fn tell_reset(&mut self, interest: http_core::Interest) {
        if interest.reset != self.resets {
            self.resets = interest.reset;
            self.transport.reset_on_drop(interest.reset);
        }
    }

    /// Ready if bytes came, or the stream ended.
    fn poll_read(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        let interest = self.interest();
        let before = self.input.len();
        let most = interest.room(before).min(self.room);
        if most == 0 {
            if interest.lend > 0 && self.transport.poll_reset(cx).is_ready() {
                self.end(End::Unclean, now);
                return Poll::Ready(());
            }
            return Poll::Pending;
        }
        if self.silent {
            self.rest(now);
            return Poll::Pending;
        }
        // Where nothing more is expected, nothing is borrowed to learn that nothing came.
        if interest.silence_ends && self.input.is_empty() && self.transport.poll_readable(cx).is_pending() {
            self.heard_nothing(now);
            return Poll::Pending;
        }
        buffers::borrow(&mut self.input, most, interest.lend);
        let Poll::Ready(read) = self.transport.poll_read(cx, &mut self.input, most) else {
            if self.input.is_empty() {
                buffers::give_back(&mut self.input);
            }
            self.heard_nothing(now);
            return Poll::Pending;
        };
        self.took(read, before, interest.lend, now);
        Poll::Ready(())
    }

    /// The transport has nothing to read, and wakes the task when it has.
    #[inline]
    fn heard_nothing(&mut self, now: Instant) {
        self.silent = true;
        self.wake.listened();
        self.settle_room();
        self.rest(now);
    }

    /// The transport was read, on top of `before` bytes, up to `lend`.
    #[inline]
    fn took(&mut self, read: io::Result<usize>, before: usize, lend: usize, now: Instant) {
        match read {
            Ok(0) => self.end(End::Clean, now),
            Ok(count) => {
                self.wake.moved(count);
                self.take_up_memory();
                if count >= self.room {
                    self.room = (self.room * 2).min(buffers::LARGE).min(lend.max(buffers::SMALL));
                }
                if self.tap.is_some() {
                    let received = Bytes::copy_from_slice(&self.input[before..]);
                    self.tell_received(received, now);
                }
            }
            Err(error) => {
                self.broken.get_or_insert(error);
                self.end(End::Unclean, now);
            }
        }
    }

    /// What comes next is read with as much room as what came, while content flows: it comes in as large pieces. Where
    /// little came at a time there is less, so that those who keep pieces keep no more memory than a few times their
    /// size. A head begins with little: it may drip in, and lie here for long.
    #[inline]
    fn settle_room(&mut self) {
        if self.room > buffers::SMALL {
            if !self.input.is_empty() || self.machine.is_idle() {
                self.room = buffers::SMALL;
            } else if self.wake.has_moved_less_than(self.room / 4) {
                self.room /= 2;
            }
        }
    }

    /// A connection that waits without an exchange holds no memory that it does not need for long, and not at all where
    /// many do. One that waits within an exchange takes nobody's place.
    fn rest(&mut self, now: Instant) {
        let Held::InUse(place) = &mut self.memory else {
            if let Held::New(None) = self.memory {
                let place = Place::take().map(|place| (now.saturating_add(buffers::REST), place));
                self.memory = place.map_or(Held::Nothing, |place| Held::New(Some(place)));
            }
            return;
        };
        let place = place.take();
        if self.input.is_empty() && self.machine.is_idle() {
            match place.or_else(Place::take) {
                Some(place) => self.memory = Held::Until(now.saturating_add(buffers::REST), place),
                None => self.give_memory_back(),
            }
        }
    }

    /// What the machine works with is its thread's again.
    fn return_memory(&mut self) {
        self.memory = Held::Nothing;
        buffers::keep(self.machine.take_memory());
    }

    #[cold]
    fn give_memory_back(&mut self) {
        self.return_memory();
        self.machine.shrink();
    }

    /// One that has something to do works with memory of its thread's, if it has none.
    #[inline]
    pub(crate) fn take_up_memory(&mut self) {
        match mem::replace(&mut self.memory, Held::InUse(None)) {
            Held::InUse(place) => self.memory = Held::InUse(place),
            Held::Until(_, place) => self.memory = Held::InUse(Some(place)),
            Held::Nothing => self.machine.give_memory(buffers::memory()),
            Held::New(place) => {
                self.memory = Held::InUse(place.map(|(_, place)| place));
                self.machine.give_memory(buffers::memory());
            }
        }
    }

    /// When the connection has rested long enough to give its memory back; it does if that is now.
    #[inline]
    fn kept_until(&mut self, now: Instant) -> Option<Instant> {
        match self.memory {
            Held::Until(until, _) if until > now => Some(until),
            Held::Until(..) => {
                self.give_memory_back();
                None
            }
            Held::New(Some((until, _))) if until > now => Some(until),
            Held::New(Some(_)) => {
                self.memory = Held::Nothing;
                None
            }
            Held::Nothing | Held::New(None) | Held::InUse(_) => None,
        }
    }

    /// Whether the machine's deadline has passed; the machine knows then.
    #[inline]
    fn expire(&mut self, deadline: Option<Instant>, now: Instant) -> bool {
        let passed = deadline.is_some_and(|due| due <= now);
        if passed {
            match self.tap {
                None => self.machine.handle_timeout(now),
                Some(_) => drop(self.tapped(Input::Timeout, now)),
            }
        }
        passed
    }

    /// Ready if the machine's deadline has passed, and the machine knows.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<()> {
        let kept = self.kept_until(now);
        loop {
            let deadline = self.machine.poll_timeout();
            if self.expire(deadline, now) {
                return Poll::Ready(());
            }
            let due = deadline.into_iter().chain(kept).chain(self.until).min();
            let Some(due) = due else { return Poll::Pending };
            if self.until.is_some_and(|until| until <= now) {
                return Poll::Pending;
            }
            if self.alarm.poll(cx, &self.runtime, due, now).is_pending() {
                return Poll::Pending;
            }
            if clock::to_core(self.runtime.now()) >= due {
                // The clock moved on while this turn went by; the next turn sees it.
                return Poll::Ready(());
            }
        }
    }

    fn end(&mut self, end: End, now: Instant) {
        match self.tap {
            None => self.machine.handle_eof(end, now),
            Some(_) => drop(self.tapped(Input::Eof(end), now)),
        }
    }

    fn fail_write(&mut self, error: io::Error, now: Instant) {
        self.broken.get_or_insert(error);
        match self.tap {
            None => self.machine.handle_write_error(now),
            Some(_) => drop(self.tapped(Input::WriteError, now)),
        }
    }

    /// Applies an input through the model and shows it to the tap.
    fn tapped(&mut self, input: Input, now: Instant) -> Vec<Action> {
        let mut actions = Vec::new();
        apply(&mut self.machine, &mut self.input, input.clone(), now, &mut |action| actions.push(action));
        self.show(&input, &actions, now);
        actions
    }

    /// Bytes are in the buffer already, so that the tap alone is told of them.
    fn tell_received(&mut self, bytes: Bytes, now: Instant) {
        self.show(&Input::Received(bytes), &[], now);
    }

    fn show(&mut self, input: &Input, actions: &[Action], now: Instant) {
        let phase = self.machine.phase();
        if let Some(tap) = &mut self.tap {
            tap.step(now, phase, input, actions);
        }
    }
}

impl<S: fmt::Debug, T, R: Runtime> fmt::Debug for Link<S, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("machine", &self.machine)
            .field("unread", &self.input.len())
            .finish_non_exhaustive()
    }
}
