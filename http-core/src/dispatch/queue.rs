//! The requests that wait for a connection of one origin, in order.

use alloc::collections::BTreeSet;
use core::ops::Bound;

use super::failure::Failure;
use super::ids::RequestId;

/// A place in a queue: by priority, then in the order in which the requests came in; a retried request keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Lower ones go first.
    pub(super) rank: u8,
    pub(super) sequence: u64,
    pub(super) request: RequestId,
}

/// Which connections can serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Any.
    Any,
    /// Only one that has not been given a request yet.
    Fresh,
}

/// Requests that were given up together.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub(super) places: BTreeSet<Place>,
    /// Of each, but for the number of its attempts.
    pub(super) failure: Failure,
}

/// Two queues, so that a request that needs a new connection does not hold up those that do not.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    any: Lane,
    fresh: Lane,
    /// How many have been served since somebody waits who came before them; at most `most_passed`.
    passed: u8,
    /// [`Policy::overtaking`](super::Policy::overtaking)
    most_passed: u8,
}

/// One queue. Its epoch changes when all of it is given up at once: a request remembers the epoch in which it was
/// put in, and so can be found without having been told.
#[derive(Clone, Debug, Default)]
struct Lane {
    places: BTreeSet<Place>,
    epoch: u32,
}

impl Queue {
    pub(super) fn new(most_passed: u8) -> Self {
        Self { any: Lane::default(), fresh: Lane::default(), passed: 0, most_passed }
    }

    /// Puts a request in; the epoch finds it again.
    pub(super) fn insert(&mut self, place: Place, need: Need) -> u32 {
        let lane = self.lane_mut(need);
        lane.places.insert(place);
        lane.epoch
    }

    /// Takes a request out; false if it was given up with its lane.
    pub(super) fn remove(&mut self, place: &Place, need: Need) -> bool {
        self.lane_mut(need).places.remove(place)
    }

    pub(super) fn holds(&self, place: &Place, need: Need) -> bool {
        match need {
            Need::Any => self.any.places.contains(place),
            Need::Fresh => self.fresh.places.contains(place),
        }
    }

    /// Whom a connection would serve next.
    pub(super) fn first(&self, connection: Need) -> Option<Place> {
        let any = self.turn(&self.any);
        match connection {
            Need::Any => any,
            Need::Fresh => match (any, self.turn(&self.fresh)) {
                (Some(one), Some(other)) => Some(if self.goes_before(other, one) { other } else { one }),
                (one, other) => one.or(other),
            },
        }
    }

    /// Whether one that only a new connection can serve goes before `place`.
    pub(super) fn fresh_goes_before(&self, place: Place) -> bool {
        self.turn(&self.fresh).is_some_and(|fresh| self.goes_before(fresh, place))
    }

    /// Whether any waits that only a new connection can serve.
    pub(super) fn awaits_fresh(&self) -> bool {
        !self.fresh.places.is_empty()
    }

    /// `place`, which was taken out, was served. `stuck`: a limit alone keeps those that need a new connection waiting.
    pub(super) fn note_served(&mut self, place: Place, need: Need, stuck: bool) {
        let came_before = |lane: &Lane| lane.eldest().is_some_and(|eldest| eldest.sequence < place.sequence);
        let passes = came_before(&self.any) || ((stuck || need == Need::Fresh) && came_before(&self.fresh));
        self.passed = if passes { self.passed.saturating_add(1).min(self.most_passed) } else { 0 };
    }

    /// What is counted while nobody waits says nothing.
    pub(super) fn passed(&self) -> u8 {
        if self.len() == 0 { 0 } else { self.passed }
    }

    fn turn(&self, lane: &Lane) -> Option<Place> {
        if self.passed == self.most_passed { lane.eldest() } else { lane.places.first().copied() }
    }

    fn goes_before(&self, one: Place, other: Place) -> bool {
        if self.passed == self.most_passed { one.sequence < other.sequence } else { one < other }
    }

    pub(super) fn len(&self) -> usize {
        self.any.places.len() + self.fresh.places.len()
    }

    /// Gives up one lane in one step: its places, and the epoch in which they were put in.
    pub(super) fn take(&mut self, need: Need) -> (BTreeSet<Place>, u32) {
        let lane = self.lane_mut(need);
        let epoch = lane.epoch;
        lane.epoch = lane.epoch.wrapping_add(1);
        (core::mem::take(&mut lane.places), epoch)
    }

    fn lane_mut(&mut self, need: Need) -> &mut Lane {
        match need {
            Need::Any => &mut self.any,
            Need::Fresh => &mut self.fresh,
        }
    }
}

impl Lane {
    /// Who came in first, whatever its priority: one step for each priority that waits.
    fn eldest(&self) -> Option<Place> {
        let mut eldest: Option<Place> = None;
        let mut next = self.places.first();
        while let Some(place) = next {
            if eldest.is_none_or(|eldest| place.sequence < eldest.sequence) {
                eldest = Some(*place);
            }
            let last = Place { rank: place.rank, sequence: u64::MAX, request: RequestId::from_u64(u64::MAX) };
            next = self.places.range((Bound::Excluded(last), Bound::Unbounded)).next();
        }
        eldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(rank: u8, sequence: u64) -> Place {
        Place { rank, sequence, request: RequestId::from_u64(sequence) }
    }

    #[test]
    fn by_rank_then_by_arrival_and_fresh_ones_apart() {
        let mut queue = Queue::new(16);
        queue.insert(place(5, 1), Need::Any);
        queue.insert(place(5, 0), Need::Fresh);
        queue.insert(place(1, 2), Need::Any);
        assert_eq!(queue.first(Need::Any), Some(place(1, 2)));
        assert!(queue.remove(&place(1, 2), Need::Any));
        assert_eq!(queue.first(Need::Any), Some(place(5, 1)));
        assert_eq!(queue.first(Need::Fresh), Some(place(5, 0)));
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn a_lane_is_given_up_in_one_step() {
        let mut queue = Queue::new(16);
        let epoch = queue.insert(place(0, 0), Need::Any);
        let (places, taken) = queue.take(Need::Any);
        assert_eq!((places.len(), taken), (1, epoch));
        assert!(!queue.remove(&place(0, 0), Need::Any));
        assert_ne!(queue.insert(place(0, 1), Need::Any), epoch);
    }
}
