//! The conntrack table: entries found by either of their tuples, and the order in which they time out.

use std::hash::{DefaultHasher, Hash, Hasher};

use hashbrown::HashTable;

use super::entry::Conntrack;
use super::event::Status;
use super::slots::Slots;
use crate::time::Timestamp;
use crate::tuple::{Direction, Tuple};

/// Nothing iterates over the hash table, whose order is random.
#[derive(Default)]
pub struct Table {
    entries: Slots<Conntrack>,
    by_tuple: HashTable<u32>,
}

impl Table {
    /// Entries, confirmed or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many there have been at once, at the most.
    pub fn most(&self) -> usize {
        self.entries.slots()
    }

    pub fn get(&self, slot: u32) -> Option<&Conntrack> {
        self.entries.get(slot)
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Conntrack> {
        self.entries.get_mut(slot)
    }

    /// The confirmed entry of this tuple and which of its directions that is.
    #[inline]
    pub fn find(&self, tuple: &Tuple) -> Option<(u32, Direction)> {
        self.find_hashed(tuple, tuple.hash_of_flow())
    }

    /// The same, for whom the hash is known.
    #[inline]
    pub fn find_hashed(&self, tuple: &Tuple, hash: u64) -> Option<(u32, Direction)> {
        let mut direction = None;
        let slot = *self.by_tuple.find(hash, |&slot| {
            direction = self.get(slot).and_then(|ct| ct.direction_of(tuple));
            direction.is_some()
        })?;
        Some((slot, direction?))
    }

    /// The entry that is probably found by a tuple with this hash. Nothing of it is looked at.
    #[inline]
    pub fn guess(&self, hash: u64) -> Option<u32> {
        self.by_tuple.find(hash, |_| true).copied()
    }

    /// Takes an entry in without letting it be found.
    pub fn hold(&mut self, ct: Conntrack) -> u32 {
        self.entries.insert(ct)
    }

    /// Lets the entry be found from now on, until it times out.
    pub fn link(&mut self, slot: u32) {
        let Some(ct) = self.get(slot) else {
            return;
        };
        let hash = ct.original.hash_of_flow();
        let entries = &self.entries;
        self.by_tuple.insert_unique(hash, slot, |&slot| {
            let original = entries.get(slot).map(|ct| &ct.original);
            original.map_or(0, Tuple::hash_of_flow)
        });
        self.schedule(slot);
    }

    /// The entry is not found any more, but still there.
    pub fn unlink(&mut self, slot: u32) {
        let Some(ct) = self.get(slot) else {
            return;
        };
        let hash = ct.original.hash_of_flow();
        if let Ok(found) = self.by_tuple.find_entry(hash, |&other| other == slot) {
            found.remove();
        }
    }

    pub fn release(&mut self, slot: u32) -> Option<Conntrack> {
        self.entries.remove(slot)
    }

    /// To be called when an entry's time-out may have become shorter.
    pub fn hasten(&mut self, slot: u32) {
        let expires = self.get(slot).map(|ct| ct.expires);
        if expires < self.entries.due(slot) {
            self.schedule(slot);
        }
    }

    fn schedule(&mut self, slot: u32) {
        if let Some(ct) = self.entries.get(slot) {
            let at = ct.expires;
            self.entries.schedule(slot, at);
        }
    }

    /// The entry that times out next and when, if that is not after `now`.
    pub fn next_due(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        loop {
            let (at, slot) = self.entries.next_due(now)?;
            if self.get(slot)?.expires <= at {
                return Some((at, slot));
            }
            // A packet has given it more time since: one new appointment a packet at most.
            self.schedule(slot);
        }
    }

    /// An entry that may give way to a new flow with this tuple, when the table is full.
    ///
    /// The kernel looks into eight buckets from the new tuple's on (`early_drop`); with as many buckets as entries
    /// and two nodes an entry that is 16 of them, and its choice depends on a random seed. Here it is 16 slots from
    /// a place that depends on the tuple alone.
    pub fn droppable(&self, tuple: &Tuple) -> Option<u32> {
        let mut hasher = DefaultHasher::new();
        tuple.hash(&mut hasher);
        let slots = self.entries.slots() as u64;
        let start = hasher.finish().checked_rem(slots)?;
        (start..start + EVICTION_RANGE.min(slots))
            .map(|at| (at % slots) as u32)
            .find(|&slot| {
                self.get(slot).is_some_and(|ct| {
                    ct.status.has(Status::CONFIRMED) && !ct.status.has(Status::ASSURED)
                })
            })
    }

    /// The first slot in use from this one on.
    pub fn next_occupied(&self, from: u32) -> Option<u32> {
        self.entries.next_occupied(from)
    }
}

const EVICTION_RANGE: u64 = 16;
