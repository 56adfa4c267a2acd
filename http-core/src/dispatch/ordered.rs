//! An ordered set that most come into in order.

use alloc::collections::BTreeSet;

use super::list::{List, Node};

/// What goes behind all that came in order is put in and taken out in one step; the rest takes O(log n).
///
/// What holds: `in_order` ascends, and nothing is twice. [`check`](Self::check) looks at it.
#[derive(Clone, Debug)]
pub(super) struct Ordered<T> {
    in_order: List<T>,
    others: BTreeSet<T>,
}

impl<T: Copy + Ord> Ordered<T> {
    pub(super) const fn new() -> Self {
        Self { in_order: List::new(), others: BTreeSet::new() }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.in_order.len() + self.others.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.in_order.is_empty() && self.others.is_empty()
    }

    /// Puts in what is not in; where it stands is needed to take it out again.
    pub(super) fn insert(&mut self, member: T) -> Node {
        if self.in_order.peek_back().is_none_or(|last| *last < member) {
            return self.in_order.push_back(member);
        }
        self.others.insert(member);
        Node::NOWHERE
    }

    pub(super) fn contains(&self, member: &T, node: Node) -> bool {
        match self.in_order.look(node) {
            Some(found) => found == member,
            None => node == Node::NOWHERE && self.others.contains(member),
        }
    }

    /// False if it is not in.
    pub(super) fn remove(&mut self, member: &T, node: Node) -> bool {
        if node == Node::NOWHERE {
            return self.others.remove(member);
        }
        self.in_order.look(node) == Some(member) && self.in_order.remove(node).is_some()
    }

    pub(super) fn first(&self) -> Option<T> {
        self.peek().copied()
    }

    /// The first, where it stands.
    #[inline]
    pub(super) fn peek(&self) -> Option<&T> {
        let one = self.in_order.peek();
        if self.others.is_empty() {
            return one;
        }
        match (one, self.others.first()) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }

    pub(super) fn pop_first(&mut self) -> Option<T> {
        let first = self.first()?;
        if self.in_order.front() == Some(first) { self.in_order.pop_front() } else { self.others.pop_first() }
    }

    /// In no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.in_order.iter().chain(self.others.iter().copied())
    }

    /// Whether what must hold does.
    #[cfg(test)]
    pub(super) fn check(&self)
    where
        T: core::fmt::Debug,
    {
        self.in_order.check();
        assert!(self.in_order.iter().zip(self.in_order.iter().skip(1)).all(|(one, next)| one < next));
        assert!(self.in_order.iter().all(|member| !self.others.contains(&member)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn it_is_an_ordered_set_whatever_the_order_they_come_in() {
        let mut set = Ordered::new();
        let mut model: BTreeMap<u32, Node> = BTreeMap::new();
        let mut random = 1_u32;
        for _ in 0..2000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let number = (random >> 8) % 64;
            match random >> 30 {
                0 => {
                    let node = model.remove(&number);
                    assert_eq!(set.remove(&number, node.unwrap_or(Node::NOWHERE)), node.is_some());
                }
                1 => assert_eq!(set.pop_first(), model.pop_first().map(|(number, _)| number)),
                _ if !model.contains_key(&number) => {
                    let node = set.insert(number);
                    assert!(set.contains(&number, node));
                    model.insert(number, node);
                }
                _ => {}
            }
            set.check();
            assert_eq!((set.first(), set.len()), (model.keys().next().copied(), model.len()));
            assert!(model.iter().all(|(number, node)| set.contains(number, *node)));
        }
    }

    #[test]
    fn a_place_that_another_one_has_now_is_not_taken_for_it() {
        let mut set = Ordered::new();
        let node = set.insert(1);
        assert!(set.remove(&1, node));
        assert_eq!(set.insert(2), node);
        assert!(!set.contains(&1, node) && !set.remove(&1, node));
        assert_eq!(set.first(), Some(2));
    }
}
