//! Values in numbered places that are used again, each tenant with its own generation.

use alloc::vec::Vec;

use super::ids::Key;

#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Slot<T>>,
    /// The place that was freed last: the head of a list through the vacant slots.
    free: Option<u32>,
    len: usize,
}

#[derive(Clone, Debug)]
struct Slot<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Clone, Debug)]
enum Content<T> {
    Vacant { next: Option<u32> },
    Occupied(T),
}

impl<T> Slab<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: None, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        self.len += 1;
        if let Some(index) = self.free {
            if let Some(slot) = self.slots.get_mut(index as usize) {
                if let Content::Vacant { next } = slot.content {
                    self.free = next;
                    slot.content = Content::Occupied(value);
                    return Key { index, generation: slot.generation };
                }
            }
        }
        // Four thousand million slots do not fit into the memory of any machine; the number saturates rather
        // than panics all the same.
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot { generation: 0, content: Content::Occupied(value) });
        Key { index, generation: 0 }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        match &slot.content {
            Content::Occupied(value) if slot.generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        match &mut slot.content {
            Content::Occupied(value) if slot.generation == key.generation => Some(value),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        match self.vacate(key) {
            Some(Content::Occupied(value)) => Some(value),
            _ => None,
        }
    }

    /// What was in a place, which is free, or used up, from now on.
    #[inline]
    fn vacate(&mut self, key: Key) -> Option<Content<T>> {
        let slot = self.slots.get_mut(key.index as usize)?;
        // A place whose generations are used up is retired: an id must never come again.
        let next = if slot.generation == u32::MAX {
            None
        } else {
            slot.generation += 1;
            self.free.replace(key.index)
        };
        self.len -= 1;
        Some(core::mem::replace(&mut slot.content, Content::Vacant { next }))
    }

    /// As [`remove`](Self::remove), for what need not be moved to be dropped.
    pub(super) fn discard(&mut self, key: Key) {
        if self.get(key).is_some() {
            self.vacate(key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.slots.iter().zip(0u32..).filter_map(|(slot, index)| {
            let generation = slot.generation;
            match &slot.content {
                Content::Occupied(value) => Some((Key { index, generation }, value)),
                Content::Vacant { .. } => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_under_another_name() {
        let mut slab = Slab::new();
        let first = slab.insert('a');
        let second = slab.insert('b');
        assert_eq!(slab.remove(first), Some('a'));
        assert_eq!(slab.remove(first), None);
        let third = slab.insert('c');
        assert_eq!(third.index, first.index);
        assert_ne!(third, first);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get(third), Some(&'c'));
        assert_eq!(slab.get_mut(second), Some(&mut 'b'));
        assert_eq!(slab.len(), 2);
        assert_eq!(slab.iter().map(|(key, _)| key).min(), Some(second.min(third)));
    }

    #[test]
    fn free_places_are_a_list() {
        let mut slab = Slab::new();
        let keys: [Key; 3] = core::array::from_fn(|n| slab.insert(n));
        for key in keys {
            slab.remove(key);
        }
        assert!(slab.is_empty());
        assert_eq!(slab.insert(3).index, 2);
        assert_eq!(slab.insert(4).index, 1);
        assert_eq!(slab.insert(5).index, 0);
        assert_eq!(slab.insert(6).index, 3);
    }

    #[test]
    fn a_place_without_generations_left_is_retired() {
        let mut slab = Slab::new();
        let key = slab.insert('a');
        slab.slots[0].generation = u32::MAX;
        let last = Key { generation: u32::MAX, ..key };
        assert_eq!(slab.remove(last), Some('a'));
        assert_eq!(slab.get(last), None);
        assert_eq!(slab.insert('b').index, 1);
    }
}
