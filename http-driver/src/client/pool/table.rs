//! Values by the ids of the dispatcher.

use std::collections::BTreeMap;

use http_core::dispatch::{ConnectionId, OriginId, RequestId};

/// A name that the dispatcher gives: a dense index, and which tenant of it is meant.
pub(super) trait Id: Copy {
    fn number(self) -> u64;
}

impl Id for RequestId {
    fn number(self) -> u64 {
        self.as_u64()
    }
}

impl Id for ConnectionId {
    fn number(self) -> u64 {
        self.as_u64()
    }
}

impl Id for OriginId {
    fn number(self) -> u64 {
        self.as_u64()
    }
}

/// Values by id, found in one step: the ids are dense. The dispatcher gives a place to another tenant when it is done
/// with one, and that one may have to be kept a little longer: for who has not taken its outcome yet.
pub(super) struct Table<I, V> {
    places: Vec<Option<(I, V)>>,
    /// Tenants whose place is another's already.
    moved: BTreeMap<u64, (I, V)>,
    len: usize,
}

impl<I: Id, V> Table<I, V> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), moved: BTreeMap::new(), len: 0 }
    }

    pub(super) fn insert(&mut self, id: I, value: V) {
        let at = index(id);
        if self.places.len() <= at {
            self.places.resize_with(at + 1, || None);
        }
        self.len += 1;
        match self.places[at].replace((id, value)) {
            Some((before, _)) if before.number() == id.number() => self.len -= 1,
            Some(before) => drop(self.moved.insert(before.0.number(), before)),
            None => {}
        }
    }

    pub(super) fn get(&self, id: I) -> Option<&V> {
        match self.places.get(index(id)) {
            Some(Some((tenant, value))) if tenant.number() == id.number() => Some(value),
            _ => self.moved.get(&id.number()).map(|(_, value)| value),
        }
    }

    pub(super) fn get_mut(&mut self, id: I) -> Option<&mut V> {
        match self.places.get_mut(index(id)) {
            Some(Some((tenant, value))) if tenant.number() == id.number() => Some(value),
            _ => self.moved.get_mut(&id.number()).map(|(_, value)| value),
        }
    }

    pub(super) fn remove(&mut self, id: I) -> Option<V> {
        let here = self.places.get_mut(index(id));
        let here = here.filter(|place| place.as_ref().is_some_and(|(tenant, _)| tenant.number() == id.number()));
        let (_, value) = match here {
            Some(place) => place.take(),
            None => self.moved.remove(&id.number()),
        }?;
        self.len -= 1;
        Some(value)
    }

    /// As [`remove`](Self::remove), for what need not be moved to be dropped; whether it was there.
    pub(super) fn discard(&mut self, id: I) -> bool {
        match self.places.get_mut(index(id)) {
            Some(place) if place.as_ref().is_some_and(|(tenant, _)| tenant.number() == id.number()) => {
                *place = None;
                self.len -= 1;
                true
            }
            _ => self.remove(id).is_some(),
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (I, &V)> {
        self.places.iter().flatten().chain(self.moved.values()).map(|(id, value)| (*id, value))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.places.iter_mut().flatten().chain(self.moved.values_mut()).map(|(_, value)| value)
    }
}

fn index<I: Id>(id: I) -> usize {
    (id.number() & 0xffff_ffff) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_found_though_its_place_is_anothers() {
        let mut table = Table::new();
        let (first, second) = (RequestId::from_u64(2), RequestId::from_u64(1 << 32 | 2));
        table.insert(first, 'a');
        assert_eq!((table.get(first), table.get(second), table.len()), (Some(&'a'), None, 1));
        assert_eq!(table.remove(second), None);
        assert_eq!(table.remove(first), Some('a'));
        assert_eq!((table.get(first), table.len()), (None, 0));
        table.insert(second, 'b');
        assert_eq!(table.get(first), None);
        assert_eq!(table.get_mut(second).copied(), Some('b'));
        assert_eq!(table.iter().count(), 1);
        let third = RequestId::from_u64(2 << 32 | 2);
        table.insert(third, 'c');
        assert_eq!((table.get(second), table.get(third), table.len()), (Some(&'b'), Some(&'c'), 2));
        assert_eq!(table.iter().count(), 2);
        assert!(table.discard(second) && !table.discard(second));
        assert_eq!((table.get(second), table.get(third), table.len()), (None, Some(&'c'), 1));
    }
}
