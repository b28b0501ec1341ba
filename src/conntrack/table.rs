//! The conntrack table: entries found by either of their tuples, and the order in which they time out.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};

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
    hasher: DefaultHashBuilder,
}

impl Table {
    /// Entries, confirmed or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn get(&self, slot: u32) -> Option<&Conntrack> {
        self.entries.get(slot)
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Conntrack> {
        self.entries.get_mut(slot)
    }

    /// The confirmed entry of this tuple and which of its directions that is.
    pub fn find(&self, tuple: &Tuple) -> Option<(u32, Direction)> {
        let key = canonical(tuple)?;
        let hash = self.hasher.hash_one(key);
        let slot = *self.by_tuple.find(hash, |&slot| {
            self.get(slot)
                .is_some_and(|ct| ct.original == *tuple || ct.reply == *tuple)
        })?;
        // Where both directions are one tuple (an address that talks to itself), the kernel meets the reply first:
        // it was inserted last (`__nf_conntrack_hash_insert`).
        let direction = if self.get(slot)?.reply == *tuple {
            Direction::Reply
        } else {
            Direction::Original
        };
        Some((slot, direction))
    }

    /// Takes an entry in without letting it be found.
    pub fn hold(&mut self, ct: Conntrack) -> u32 {
        self.entries.insert(ct)
    }

    /// Lets the entry be found from now on, until it times out.
    pub fn link(&mut self, slot: u32) {
        let Some(key) = self.get(slot).and_then(|ct| canonical(&ct.original)) else {
            return;
        };
        let hash = self.hasher.hash_one(key);
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.by_tuple.insert_unique(hash, slot, |&slot| {
            let key = entries.get(slot).and_then(|ct| canonical(&ct.original));
            key.map_or(0, |key| hasher.hash_one(key))
        });
        self.schedule(slot);
    }

    /// The entry is not found any more, but still there.
    pub fn unlink(&mut self, slot: u32) {
        let Some(key) = self.get(slot).and_then(|ct| canonical(&ct.original)) else {
            return;
        };
        let hash = self.hasher.hash_one(key);
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
            let (at, slot) = self.entries.next_due().filter(|(at, _)| *at <= now)?;
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

    /// Every slot in use, in the order of the slots.
    pub fn occupied(&self) -> impl Iterator<Item = u32> {
        self.entries.occupied()
    }
}

/// The smaller of a flow's two tuples: one key for both directions.
fn canonical(tuple: &Tuple) -> Option<Tuple> {
    Some(tuple.inverse()?.min(*tuple))
}

const EVICTION_RANGE: u64 = 16;
