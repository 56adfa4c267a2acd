//! The requests that wait for a connection of one origin, in order.

use alloc::vec::Vec;

use super::failure::Failure;
use super::ids::RequestId;
use super::list::Node;
use super::ordered::Ordered;
use super::turns::Turns;

/// A place in a queue: by priority, then in the order in which the requests came in; a retried request keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Lower ones go first.
    pub(super) rank: u8,
    pub(super) sequence: u64,
    pub(super) request: RequestId,
}

/// Which connections can serve a request, and what a connection can serve: what it says, and what comes before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    /// Any.
    Any,
    /// One that has not been given a request yet, or has answered since this was needed.
    Proven,
    /// Only one that has not been given a request yet.
    Fresh,
}

impl Need {
    pub(super) const ALL: [Self; 3] = [Self::Any, Self::Proven, Self::Fresh];
}

/// Where a request was put into a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    /// Of the lane, when it was put in.
    pub(super) epoch: u32,
    node: Node,
}

/// Requests that were given up together.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub(super) places: Lane,
    /// Of each, but for the number of its attempts.
    pub(super) failure: Failure,
}

/// Three queues, so that a request that not every connection can serve does not hold up those that any can.
///
/// What holds: each request is in one lane at most; a lane's epoch is that of all in it. `check` looks at the lanes.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    any: Lane,
    proven: Lane,
    /// How many answers the origin had given when somebody was last put into that lane.
    proven_since: u64,
    fresh: Lane,
    /// Of those that have been served while somebody waits who came before them.
    turns: Turns,
}

/// One queue. Its epoch changes when all of it is given up at once: a request remembers the epoch in which it was
/// put in, and so can be found without having been told.
///
/// What holds: levels ascend by rank, each place is in the level of its rank, and none is empty, but for one that is
/// alone: it is there for whichever comes next.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    levels: Vec<Level>,
    len: usize,
    epoch: u32,
}

/// Those of one priority: most come in order, and one that is sent again goes where it was.
#[derive(Clone, Debug)]
struct Level {
    rank: u8,
    places: Ordered<Place>,
}

impl Queue {
    pub(super) fn new(overtaking: u8) -> Self {
        let [any, proven, fresh] = Need::ALL.map(|_| Lane::default());
        Self { any, proven, proven_since: 0, fresh, turns: Turns::new(overtaking) }
    }

    /// Puts a request in, when the origin has given so many answers; the spot finds it again.
    pub(super) fn insert(&mut self, place: Place, need: Need, answers: u64) -> Spot {
        if need == Need::Proven {
            self.proven_since = answers;
        }
        let lane = self.lane_mut(need);
        Spot { epoch: lane.epoch, node: lane.insert(place) }
    }

    /// Takes a request out; false if it was given up with its lane.
    pub(super) fn remove(&mut self, place: &Place, need: Need, spot: Spot) -> bool {
        let lane = self.lane_mut(need);
        lane.epoch == spot.epoch && lane.remove(place, spot)
    }

    /// Whether a request that was put in, and not taken out, was not given up with its lane.
    pub(super) fn holds(&self, need: Need, spot: Spot) -> bool {
        self.lane(need).epoch == spot.epoch
    }

    /// Whom a connection would serve next.
    pub(super) fn first(&self, connection: Need) -> Option<Place> {
        let mut first = self.turn(&self.any);
        for need in [Need::Proven, Need::Fresh].into_iter().filter(|need| *need <= connection) {
            if let Some(other) = self.turn(self.lane(need)) {
                first = first.filter(|first| !self.goes_before(other, *first)).or(Some(other));
            }
        }
        first
    }

    /// Whether one that a connection which can serve `connection` cannot serve goes before `place`.
    pub(super) fn other_goes_before(&self, place: Place, connection: Need) -> bool {
        let others = [Need::Proven, Need::Fresh].into_iter().filter(|need| *need > connection);
        others.filter_map(|need| self.turn(self.lane(need))).any(|other| self.goes_before(other, place))
    }

    /// Whether a connection that answered last when the origin had given so many answers serves those that want one
    /// which has answered since.
    pub(super) fn is_proven_by(&self, answered_at: u64) -> bool {
        answered_at > self.proven_since
    }

    /// The same, if any of those waits.
    pub(super) fn is_awaited_by(&self, answered_at: u64) -> bool {
        !self.proven.is_empty() && self.is_proven_by(answered_at)
    }

    /// Whether any waits that not every connection can serve.
    pub(super) fn awaits_fresh(&self) -> bool {
        self.fresh.len + self.proven.len > 0
    }

    /// `place`, which was taken out, was served. `stuck`: a limit alone keeps those that
    /// need a new connection waiting.
    pub(super) fn note_served(&mut self, place: Place, need: Need, stuck: bool) {
        let came_before = |lane: &Lane| lane.eldest().is_some_and(|eldest| eldest.sequence < place.sequence);
        let others = [Need::Proven, Need::Fresh].into_iter().filter(|lane| stuck || *lane <= need);
        if came_before(&self.any) || others.into_iter().any(|lane| came_before(self.lane(lane))) {
            self.turns.pass();
        } else {
            self.turns.begin_anew();
        }
    }

    /// One was served without having been put in, for nobody waits.
    pub(super) fn note_served_at_once(&mut self) {
        self.turns.begin_anew();
    }

    /// What is counted while nobody waits says nothing.
    pub(super) fn passed(&self) -> u8 {
        if self.is_empty() { 0 } else { self.turns.passed() }
    }

    fn turn(&self, lane: &Lane) -> Option<Place> {
        if self.turns.are_used_up() { lane.eldest() } else { lane.first() }
    }

    fn goes_before(&self, one: Place, other: Place) -> bool {
        if self.turns.are_used_up() { one.sequence < other.sequence } else { one < other }
    }

    pub(super) fn len(&self) -> usize {
        self.any.len + self.proven.len + self.fresh.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives up one lane in one step: its places, and the epoch in which they were put in.
    pub(super) fn take(&mut self, need: Need) -> (Lane, u32) {
        let lane = self.lane_mut(need);
        let epoch = lane.epoch;
        let next = Lane { epoch: epoch.wrapping_add(1), ..Lane::default() };
        (core::mem::replace(lane, next), epoch)
    }

    fn lane(&self, need: Need) -> &Lane {
        match need {
            Need::Any => &self.any,
            Need::Proven => &self.proven,
            Need::Fresh => &self.fresh,
        }
    }

    fn lane_mut(&mut self, need: Need) -> &mut Lane {
        match need {
            Need::Any => &mut self.any,
            Need::Proven => &mut self.proven,
            Need::Fresh => &mut self.fresh,
        }
    }

    /// Whether what must hold does.
    #[cfg(test)]
    pub(super) fn check(&self) {
        [&self.any, &self.proven, &self.fresh].into_iter().for_each(Lane::check);
    }
}

impl Lane {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn insert(&mut self, place: Place) -> Node {
        if let ([level], 0) = (&mut self.levels[..], self.len) {
            level.rank = place.rank;
        }
        self.len += 1;
        let at = self.levels.partition_point(|level| level.rank < place.rank);
        match self.levels.get_mut(at) {
            Some(level) if level.rank == place.rank => level.places.insert(place),
            _ => {
                let mut places = Ordered::new();
                let node = places.insert(place);
                self.levels.insert(at, Level { rank: place.rank, places });
                node
            }
        }
    }

    /// Takes one out; false if it is not in.
    pub(super) fn remove(&mut self, place: &Place, spot: Spot) -> bool {
        let at = self.levels.partition_point(|level| level.rank < place.rank);
        let removed = self.levels.get_mut(at).is_some_and(|level| level.places.remove(place, spot.node));
        self.len -= usize::from(removed);
        self.tidy(at);
        removed
    }

    pub(super) fn contains(&self, place: &Place, spot: Spot) -> bool {
        let at = self.levels.partition_point(|level| level.rank < place.rank);
        self.levels.get(at).is_some_and(|level| level.places.contains(place, spot.node))
    }

    pub(super) fn pop_first(&mut self) -> Option<Place> {
        let place = self.levels.first_mut()?.places.pop_first()?;
        self.len -= 1;
        self.tidy(0);
        Some(place)
    }

    fn tidy(&mut self, at: usize) {
        if self.levels.len() > 1 && self.levels.get(at).is_some_and(|level| level.places.is_empty()) {
            self.levels.remove(at);
        }
    }

    fn first(&self) -> Option<Place> {
        self.levels.first()?.places.first()
    }

    /// Who came in first, whatever its priority: one step for each priority that waits.
    fn eldest(&self) -> Option<Place> {
        self.levels.iter().filter_map(|level| level.places.first()).min_by_key(|place| place.sequence)
    }

    /// All of them, the first one first.
    pub(super) fn in_order(&self) -> Vec<Place> {
        let mut places: Vec<Place> = self.levels.iter().flat_map(|level| level.places.iter()).collect();
        places.sort_unstable();
        places
    }

    #[cfg(test)]
    fn check(&self) {
        assert!(self.levels.iter().zip(self.levels.iter().skip(1)).all(|(one, next)| one.rank < next.rank));
        for Level { rank, places } in &self.levels {
            places.check();
            assert!(self.levels.len() == 1 || !places.is_empty());
            assert!(places.iter().all(|place| place.rank == *rank));
        }
        assert_eq!(self.len, self.levels.iter().map(|level| level.places.len()).sum::<usize>());
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
        queue.insert(place(5, 1), Need::Any, 0);
        queue.insert(place(5, 0), Need::Fresh, 0);
        let spot = queue.insert(place(1, 2), Need::Any, 0);
        queue.check();
        assert_eq!(queue.first(Need::Any), Some(place(1, 2)));
        assert!(queue.remove(&place(1, 2), Need::Any, spot));
        queue.check();
        assert_eq!(queue.first(Need::Any), Some(place(5, 1)));
        assert_eq!(queue.first(Need::Fresh), Some(place(5, 0)));
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn what_wants_a_proven_connection_goes_on_one_that_has_answered_since() {
        let mut queue = Queue::new(16);
        queue.insert(place(5, 0), Need::Fresh, 3);
        queue.insert(place(5, 1), Need::Proven, 3);
        queue.insert(place(5, 2), Need::Any, 4);
        assert!(!queue.is_proven_by(3) && queue.is_proven_by(4));
        let first = Need::ALL.map(|need| queue.first(need));
        assert_eq!(first, [Some(place(5, 2)), Some(place(5, 1)), Some(place(5, 0))]);
        assert!(queue.other_goes_before(place(5, 2), Need::Any) && queue.other_goes_before(place(5, 1), Need::Proven));
        assert!(!queue.other_goes_before(place(5, 2), Need::Fresh));
        // Whoever is put in later wants later answers.
        queue.insert(place(5, 3), Need::Proven, 9);
        assert!(!queue.is_proven_by(9) && queue.is_proven_by(10));
    }

    #[test]
    fn a_lane_is_given_up_in_one_step() {
        let mut queue = Queue::new(16);
        let spot = queue.insert(place(0, 0), Need::Any, 0);
        let (places, taken) = queue.take(Need::Any);
        assert_eq!((places.len(), taken), (1, spot.epoch));
        assert!(places.contains(&place(0, 0), spot));
        assert!(!queue.holds(Need::Any, spot) && !queue.remove(&place(0, 0), Need::Any, spot));
        assert_ne!(queue.insert(place(0, 1), Need::Any, 0).epoch, spot.epoch);
        queue.check();
    }

    #[test]
    fn a_lane_is_in_order_whatever_comes_and_goes() {
        let mut lane = Lane::default();
        let mut model: Vec<(Place, Spot)> = Vec::new();
        let mut random = 7_u32;
        for sequence in 0..3000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let chance = (random >> 8) as usize;
            if chance % 5 < 2 && !model.is_empty() {
                let (place, spot) = model.remove(chance / 5 % model.len());
                assert!(lane.contains(&place, spot) && lane.remove(&place, spot) && !lane.remove(&place, spot));
                if chance % 3 == 0 {
                    // Sent again, it goes where it was.
                    model.push((place, Spot { epoch: 0, node: lane.insert(place) }));
                }
            } else if chance % 5 == 2 {
                let first = lane.pop_first();
                assert_eq!(first, model.iter().map(|(place, _)| *place).min());
                model.retain(|(place, _)| Some(*place) != first);
            } else {
                let place = place([128, 128, 128, 0, 200][chance / 5 % 5], sequence);
                model.push((place, Spot { epoch: 0, node: lane.insert(place) }));
            }
            lane.check();
            let places = || model.iter().map(|(place, _)| *place);
            assert_eq!((lane.len(), lane.first()), (model.len(), places().min()));
            assert_eq!(lane.eldest(), places().min_by_key(|place| place.sequence));
        }
    }
}
