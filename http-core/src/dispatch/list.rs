//! A list whose members are put in at its end and taken out anywhere, each in one step.

use alloc::vec::Vec;

/// Where a member stands, until it is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node(u32);

impl Node {
    /// Where nothing stands.
    pub(super) const NOWHERE: Self = Self(u32::MAX);
}

/// What holds: the links lead from the first member to the last and back over the same ones, `len` of them, and places
/// without a member are linked through `after` from `free`. [`check`](Self::check) looks at all of it.
#[derive(Clone, Debug)]
pub(super) struct List<T> {
    places: Vec<Place<T>>,
    first: Node,
    last: Node,
    /// The place that became free last.
    free: Node,
    len: usize,
}

#[derive(Clone, Debug)]
struct Place<T> {
    before: Node,
    after: Node,
    member: Option<T>,
}

impl<T: Copy> List<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), first: Node::NOWHERE, last: Node::NOWHERE, free: Node::NOWHERE, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn get(&self, node: Node) -> Option<T> {
        self.places.get(node.0 as usize)?.member
    }

    /// What stands there, where it stands.
    #[inline]
    pub(super) fn look(&self, node: Node) -> Option<&T> {
        self.places.get(node.0 as usize)?.member.as_ref()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<&T> {
        self.look(self.first)
    }

    #[inline]
    pub(super) fn peek_back(&self) -> Option<&T> {
        self.look(self.last)
    }

    #[inline]
    pub(super) fn front(&self) -> Option<T> {
        self.get(self.first)
    }

    pub(super) fn back(&self) -> Option<T> {
        self.get(self.last)
    }

    pub(super) fn push_back(&mut self, member: T) -> Node {
        let before = self.last;
        let place = Place { before, after: Node::NOWHERE, member: Some(member) };
        let node = if let Some(free) = self.places.get_mut(self.free.0 as usize) {
            let node = self.free;
            self.free = free.after;
            *free = place;
            node
        } else {
            // As many as do not fit into the memory of any machine: saturated rather than a panic.
            let node = Node(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
            self.places.push(place);
            node
        };
        match self.places.get_mut(before.0 as usize) {
            Some(last) => last.after = node,
            None => self.first = node,
        }
        self.last = node;
        self.len += 1;
        node
    }

    /// Takes a member out; `None` if nothing stands there.
    pub(super) fn remove(&mut self, node: Node) -> Option<T> {
        let free = self.free;
        let place = self.places.get_mut(node.0 as usize)?;
        let member = place.member.take()?;
        let (before, after) = (place.before, core::mem::replace(&mut place.after, free));
        self.free = node;
        match self.places.get_mut(before.0 as usize) {
            Some(place) => place.after = after,
            None => self.first = after,
        }
        match self.places.get_mut(after.0 as usize) {
            Some(place) => place.before = before,
            None => self.last = before,
        }
        self.len -= 1;
        Some(member)
    }

    pub(super) fn pop_front(&mut self) -> Option<T> {
        self.remove(self.first)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.follow(self.first, |place| place.after)
    }

    /// From the last to the first.
    pub(super) fn iter_back(&self) -> impl Iterator<Item = T> {
        self.follow(self.last, |place| place.before)
    }

    fn follow(&self, from: Node, next: fn(&Place<T>) -> Node) -> impl Iterator<Item = T> {
        let mut at = from;
        core::iter::from_fn(move || {
            let place = self.places.get(at.0 as usize)?;
            at = next(place);
            place.member
        })
    }

    /// Whether what must hold does.
    #[cfg(test)]
    pub(super) fn check(&self)
    where
        T: PartialEq + core::fmt::Debug,
    {
        let forth: Vec<T> = self.iter().collect();
        let mut back: Vec<T> = self.iter_back().collect();
        back.reverse();
        assert_eq!(forth, back);
        assert_eq!(forth.len(), self.len);
        let mut free = 0;
        let mut at = self.free;
        while let Some(place) = self.places.get(at.0 as usize) {
            assert!(place.member.is_none());
            at = place.after;
            free += 1;
        }
        assert_eq!(free + self.len, self.places.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::VecDeque;

    #[test]
    fn members_leave_from_anywhere_and_their_places_are_used_again() {
        let mut list = List::new();
        let nodes: [Node; 5] = core::array::from_fn(|n| list.push_back(n));
        for (node, member, left) in [
            (nodes[2], 2, &[0, 1, 3, 4][..]),
            (nodes[0], 0, &[1, 3, 4]),
            (nodes[4], 4, &[1, 3]),
            (nodes[1], 1, &[3]),
            (nodes[3], 3, &[]),
        ] {
            assert_eq!(list.remove(node), Some(member));
            assert_eq!(list.remove(node), None);
            assert!(list.iter().eq(left.iter().copied()));
            list.check();
        }
        for n in 0..5 {
            list.push_back(n);
        }
        assert_eq!((list.places.len(), list.front(), list.back()), (5, Some(0), Some(4)));
        assert!(list.iter_back().eq([4, 3, 2, 1, 0]));
        assert_eq!(list.remove(Node::NOWHERE), None);
        list.check();
    }

    #[test]
    fn it_is_a_queue() {
        let (mut list, mut queue) = (List::new(), VecDeque::new());
        for n in 0..100 {
            list.push_back(n);
            queue.push_back(n);
            if n % 3 == 0 {
                assert_eq!(list.pop_front(), queue.pop_front());
            }
            list.check();
        }
        assert!(list.iter().eq(queue));
    }
}
