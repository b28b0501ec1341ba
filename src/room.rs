//! How much of what a capture names is remembered.
//!
//! No more flows and expectations are alive than conntrack's own tables hold. What is summed over the whole capture has no
//! such end: who sends it chooses how many services, addresses and ports there are. So each of these tables has room for
//! so many entries, counts what finds none, and the report says so. Those that came first stay: an entry is never given
//! up for a later one, so that a sum is whole or not there.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

/// Room for the entries of a table, or of several together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Room {
    left: usize,
    /// What found none, in whatever its owner counts.
    pub omitted: u64,
}

impl Room {
    /// For so many entries.
    pub const fn new(entries: usize) -> Self {
        Self {
            left: entries,
            omitted: 0,
        }
    }

    /// The entry of a key, which is made where it is missing and there is room. Where there is none, that is counted.
    pub fn entry<'m, K: Ord, V: Default>(
        &mut self,
        of: &'m mut BTreeMap<K, V>,
        key: K,
    ) -> Option<&'m mut V> {
        match of.entry(key) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(new) if self.take() => Some(new.insert(V::default())),
            Entry::Vacant(_) => {
                self.omitted += 1;
                None
            }
        }
    }

    /// Counts what found none elsewhere.
    pub fn absorb(&mut self, other: &Self) {
        self.omitted += other.omitted;
    }

    /// Room for one more, if there is any.
    pub fn take(&mut self) -> bool {
        let is_room = self.left > 0;
        self.left -= usize::from(is_room);
        is_room
    }

    /// Whether the next entry finds none.
    pub fn is_full(&self) -> bool {
        self.left == 0
    }
}

/// Services with a helper; and as many beyond these for which a flow came.
pub const SERVICES: usize = 16_384;
/// Of all services together: clients that are listed, ports of flows, and hours in which something stood open.
pub const CLIENTS: usize = 131_072;
/// Ports of all services together.
pub const PORTS: usize = 131_072;
/// Hours of all services together.
pub const HOURS: usize = 131_072;
/// Pairs of ends between which expected flows went, beside the first of each service.
pub const ENDS: usize = 32_768;
/// Addresses of which it is known by which interface they send.
pub const SENDERS: usize = 65_536;
/// Services of one entry of the catalogue.
pub const FOUND_AT: usize = 1_000;
/// Services that speak a control protocol without a helper.
pub const DISCOVERED: usize = 1_000;
