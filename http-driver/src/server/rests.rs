//! When connections that rest are looked at again: one table for all of a server, in place of a timer for each that has
//! none yet.

use core::task::{Context, Waker};
use core::time::Duration;

use http_core::Instant;

/// No connection rests there, or none that has a deadline.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// How long passes between two looks at all deadlines, at least, for each of them: looking takes about a thousandth of
/// that. Where ten thousand rest, one is woken ten milliseconds late at most.
const PACE: Duration = Duration::from_micros(1);

/// The deadlines of connections that rest, by the slots of their watches.
#[derive(Default)]
pub(super) struct Rests {
    dues: Vec<Instant>,
    /// Who looks at them; no deadline is here while nobody does.
    keepers: Vec<Engaged>,
    /// What tells keepers apart.
    made: u64,
    /// When the next look is due: not later than any deadline but by the pace.
    armed: Option<Instant>,
    /// When it may be at the earliest.
    paced: Instant,
}

/// A keeper, as the table knows it.
struct Engaged {
    id: u64,
    waker: Option<Waker>,
}

impl Rests {
    /// Somebody will look from now on, until it is [dismissed](Self::dismiss).
    pub(super) fn engage(&mut self) -> u64 {
        self.made += 1;
        self.keepers.push(Engaged { id: self.made, waker: None });
        self.made
    }

    /// It does not look any more: those who do, who are to look now, or the slots that have to see to themselves if
    /// nobody does.
    pub(super) fn dismiss(&mut self, id: u64) -> (Vec<Waker>, Vec<usize>) {
        self.keepers.retain(|keeper| keeper.id != id);
        if !self.keepers.is_empty() {
            return (self.wakers(), Vec::new());
        }
        self.armed = None;
        let dues = core::mem::take(&mut self.dues);
        let left = dues.iter().enumerate().filter(|(_, due)| **due != NEVER).map(|(slot, _)| slot);
        (Vec::new(), left.collect())
    }

    fn wakers(&mut self) -> Vec<Waker> {
        self.keepers.iter_mut().filter_map(|keeper| keeper.waker.take()).collect()
    }

    /// The connection of this slot rests until then at the latest, if somebody keeps that in mind; who is to be woken
    /// to look earlier.
    pub(super) fn rest(&mut self, slot: usize, due: Instant) -> Option<Vec<Waker>> {
        if self.keepers.is_empty() {
            return None;
        }
        if self.dues.len() <= slot {
            self.dues.resize(slot + 1, NEVER);
        }
        self.dues[slot] = due;
        let look = due.max(self.paced);
        if self.armed.is_some_and(|armed| armed <= look) {
            return Some(Vec::new());
        }
        self.armed = Some(look);
        Some(self.wakers())
    }

    /// It rests no more, and its slot may be another's.
    pub(super) fn forget(&mut self, slot: usize) {
        if let Some(due) = self.dues.get_mut(slot) {
            *due = NEVER;
        }
    }

    /// The slots whose time has come.
    fn due(&mut self, now: Instant) -> Vec<usize> {
        let (mut due, mut next) = (Vec::new(), NEVER);
        for (slot, at) in self.dues.iter_mut().enumerate() {
            if *at <= now {
                *at = NEVER;
                due.push(slot);
            }
            next = next.min(*at);
        }
        let resting = u32::try_from(self.dues.len()).unwrap_or(u32::MAX);
        self.paced = now.saturating_add(PACE * resting);
        self.armed = (next != NEVER).then(|| next.max(self.paced));
        due
    }

    /// What there is for a keeper at this moment: the slots whose time has come, and when it is to look again. It is
    /// woken when it is to look earlier.
    pub(super) fn look(&mut self, id: u64, now: Instant, cx: &Context<'_>) -> (Vec<usize>, Option<Instant>) {
        let due = if self.armed.is_some_and(|armed| armed <= now) { self.due(now) } else { Vec::new() };
        if let Some(keeper) = self.keepers.iter_mut().find(|keeper| keeper.id == id) {
            keeper.waker = Some(cx.waker().clone());
        }
        (due, self.armed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn only_an_earlier_deadline_wakes_the_keeper() {
        let mut rests = Rests::default();
        assert!(rests.rest(0, at(5)).is_none(), "nobody keeps it");
        let id = rests.engage();
        let cx = Context::from_waker(Waker::noop());
        assert_eq!(rests.look(id, at(0), &cx), (Vec::new(), None));
        for (slot, due, woken) in [(0, 5, 1), (1, 6, 0), (2, 4, 1), (0, 9, 0)] {
            assert_eq!(rests.rest(slot, at(due)).map(|wakers| wakers.len()), Some(woken), "{slot} {due}");
            let (due, armed) = rests.look(id, at(1), &cx);
            assert!(due.is_empty() && armed <= Some(at(5)), "{armed:?}");
        }
        assert_eq!(rests.look(id, at(4), &cx), (vec![2], Some(at(6))));
        rests.forget(1);
        assert_eq!(rests.look(id, at(6), &cx), (Vec::new(), Some(at(9))), "it rests no more");
        assert_eq!(rests.look(id, at(9), &cx), (vec![0], None));
    }

    #[test]
    fn where_many_rest_they_are_looked_at_seldom() {
        let mut rests = Rests::default();
        let (id, cx) = (rests.engage(), Context::from_waker(Waker::noop()));
        for slot in 0..10_000 {
            assert!(rests.rest(slot, Instant::from_nanos(slot as u64)).is_some());
        }
        let mut now = Instant::from_nanos(100);
        let (due, next) = rests.look(id, now, &cx);
        assert_eq!((due.len(), next), (101, Some(now.saturating_add(Duration::from_millis(10)))));
        now = Instant::from_nanos(9_999);
        assert_eq!(rests.look(id, now, &cx), (Vec::new(), next));
        // Nor is it woken for what it would not look at yet.
        assert_eq!(rests.rest(0, now).map(|wakers| wakers.len()), Some(0));
        assert_eq!(rests.look(id, next.unwrap(), &cx).0.len(), 10_000 - 101 + 1);
    }

    #[test]
    fn whoever_rests_sees_to_itself_when_the_last_keeper_is_gone() {
        let mut rests = Rests::default();
        let (one, other) = (rests.engage(), rests.engage());
        assert!(rests.rest(3, at(1)).is_some());
        assert_eq!(rests.dismiss(one).1, []);
        assert_eq!(rests.dismiss(one).1, [], "once");
        assert_eq!(rests.dismiss(other).1, [3]);
        assert!(rests.rest(3, at(1)).is_none());
    }
}
