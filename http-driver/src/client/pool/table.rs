//! Values by the ids of the dispatcher.

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

/// Values by id, each found in one step: the ids are dense, and each place has one tenant at a time.
pub(super) struct Table<I, V> {
    places: Vec<Option<(I, V)>>,
    len: usize,
}

impl<I: Id, V> Table<I, V> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), len: 0 }
    }

    pub(super) fn insert(&mut self, id: I, value: V) {
        let at = index(id);
        if self.places.len() <= at {
            self.places.resize_with(at + 1, || None);
        }
        self.len += usize::from(self.places[at].is_none());
        self.places[at] = Some((id, value));
    }

    pub(super) fn get(&self, id: I) -> Option<&V> {
        match self.places.get(index(id)) {
            Some(Some((tenant, value))) if tenant.number() == id.number() => Some(value),
            _ => None,
        }
    }

    pub(super) fn get_mut(&mut self, id: I) -> Option<&mut V> {
        match self.places.get_mut(index(id)) {
            Some(Some((tenant, value))) if tenant.number() == id.number() => Some(value),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self, id: I) -> Option<V> {
        self.get(id)?;
        self.len -= 1;
        self.places[index(id)].take().map(|(_, value)| value)
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (I, &V)> {
        self.places.iter().flatten().map(|(id, value)| (*id, value))
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.places.iter_mut().flatten().map(|(_, value)| value)
    }
}

fn index<I: Id>(id: I) -> usize {
    (id.number() & 0xffff_ffff) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_tenant_at_a_time() {
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
    }
}
