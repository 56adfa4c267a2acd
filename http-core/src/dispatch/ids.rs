//! Names of requests, connections and origins.

use core::fmt;

/// Where something stands in its slab, and which tenant of that place is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) index: u32,
    pub(super) generation: u32,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// It is never used again for another one, so that a late report about something that is gone is
        /// recognised and ignored.
        ///
        /// ```
        #[doc = concat!("use http_core::dispatch::", stringify!($name), ";")]
        ///
        #[doc = concat!("let id = ", stringify!($name), "::from_u64(7);")]
        /// assert_eq!(id.as_u64(), 7);
        /// ```
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(super) Key);

        impl $name {
            /// The id as a number, for recordings and for tables of the caller.
            #[must_use]
            pub const fn as_u64(self) -> u64 {
                // A widening of u32, which loses nothing; `From` is not const.
                (self.0.generation as u64) << 32 | self.0.index as u64
            }

            /// The id that [`as_u64`](Self::as_u64) gave. Any other number names nothing, and is ignored where
            /// it is used.
            #[must_use]
            pub const fn from_u64(number: u64) -> Self {
                Self(Key {
                    index: (number & 0xffff_ffff) as u32,
                    generation: (number >> 32) as u32,
                })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Key { index, generation } = self.0;
                write!(f, concat!(stringify!($name), "({}.{})"), index, generation)
            }
        }
    };
}

id! {
    /// A request that was handed to a [`Dispatcher`](super::Dispatcher).
    RequestId
}
id! {
    /// A connection that a [`Dispatcher`](super::Dispatcher) asked for.
    ConnectionId
}
id! {
    /// A place that requests go to, and beyond which no connection is shared: scheme, authority, proxy and TLS
    /// identity taken together. The driver keeps the table from those to the id.
    OriginId
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn ids_survive_the_way_through_a_number() {
        let id = ConnectionId(Key { index: 3, generation: u32::MAX });
        assert_eq!(ConnectionId::from_u64(id.as_u64()), id);
        assert_eq!(format!("{id:?}"), "ConnectionId(3.4294967295)");
    }
}
