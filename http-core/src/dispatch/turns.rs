//! Whose turn it is: how often those that came later may go first.

/// Counts overtakings in a row, and says when it is the turn of who came first.
///
/// What holds: never more are counted than there may be.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    passed: u8,
    /// [`Policy::overtaking`](super::Policy::overtaking)
    most: u8,
}

impl Turns {
    pub(super) fn new(most: u8) -> Self {
        Self { passed: 0, most }
    }

    /// Whether so many have gone first that it is the turn of who came first.
    pub(super) fn are_used_up(&self) -> bool {
        self.passed >= self.most
    }

    /// Somebody who came later has gone first.
    pub(super) fn pass(&mut self) {
        self.passed = self.passed.saturating_add(1).min(self.most);
    }

    /// Nobody who came before waits any more, or has had the turn.
    pub(super) fn begin_anew(&mut self) {
        self.passed = 0;
    }

    pub(super) fn passed(&self) -> u8 {
        self.passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_so_many_it_is_the_turn_of_who_came_first() {
        for most in [0, 1, 16, u8::MAX] {
            let mut turns = Turns::new(most);
            for passed in 0..most {
                assert_eq!((turns.are_used_up(), turns.passed()), (false, passed));
                turns.pass();
            }
            turns.pass();
            assert_eq!((turns.are_used_up(), turns.passed()), (true, most));
            turns.begin_anew();
            assert_eq!(turns.are_used_up(), most == 0);
        }
    }
}
