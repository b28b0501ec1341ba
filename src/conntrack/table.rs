//! The conntrack table: entries found by either of their tuples, and the order in which they time out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};
use std::time::Duration;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::entry::Conntrack;
use super::event::Status;
use crate::time::Timestamp;
use crate::tuple::{Direction, Tuple};

/// Entries in slots, which are used again. Nothing iterates over the hash table, whose order is random.
#[derive(Default)]
pub struct Table {
    slots: Vec<Option<Conntrack>>,
    free: Vec<u32>,
    by_tuple: HashTable<u32>,
    hasher: DefaultHashBuilder,
    due: BinaryHeap<Reverse<(Timestamp, u64, u32)>>,
}

impl Table {
    /// Entries, confirmed or not.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub fn get(&self, slot: u32) -> Option<&Conntrack> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Conntrack> {
        self.slots.get_mut(slot as usize)?.as_mut()
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
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(ct);
                slot
            }
            None => {
                self.slots.push(Some(ct));
                // Each costs more than a byte, so 2^32 of them do not fit into memory.
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Lets the entry be found from now on, until it times out.
    pub fn link(&mut self, slot: u32, now: Timestamp) {
        let Some(key) = self.get(slot).and_then(|ct| canonical(&ct.original)) else {
            return;
        };
        let hash = self.hasher.hash_one(key);
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.by_tuple
            .insert_unique(hash, slot, |&slot| match &slots[slot as usize] {
                Some(ct) => canonical(&ct.original).map_or(0, |key| hasher.hash_one(key)),
                None => 0,
            });
        self.schedule(slot, now);
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
        let ct = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(ct)
    }

    /// To be called when an entry's time-out may have become shorter.
    pub fn schedule(&mut self, slot: u32, now: Timestamp) {
        let Some(ct) = self.get_mut(slot) else { return };
        ct.scheduled = ct.expires.min(now + LONGEST_WAIT);
        let due = Reverse((ct.scheduled, ct.id.0, slot));
        self.due.push(due);
        // Appointments of entries that are gone must not outnumber the living, however fast those come and go.
        if self.due.len() > 2 * self.len() + SPARE_APPOINTMENTS {
            let slots = &self.slots;
            self.due.retain(|Reverse((at, id, slot))| {
                let ct = slots.get(*slot as usize).and_then(Option::as_ref);
                ct.is_some_and(|ct| ct.id.0 == *id && ct.scheduled == *at)
            });
        }
    }

    /// The entry that times out next and when, if that is not after `now`.
    pub fn next_due(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        while let Some(&Reverse((at, id, slot))) = self.due.peek() {
            let current = self
                .get(slot)
                .filter(|ct| ct.id.0 == id && ct.scheduled == at && !ct.status.has(Status::DYING));
            match current.map(|ct| ct.expires) {
                Some(expires) if expires <= at => return (at <= now).then_some((at, slot)),
                Some(_) if at > now => return None,
                // From `now`, not from `at`: else a leap of the clock costs each entry an appointment every 300 s.
                Some(_) => {
                    self.due.pop();
                    self.schedule(slot, now);
                }
                None => {
                    self.due.pop();
                }
            }
        }
        None
    }

    /// An entry that may give way to a new flow with this tuple, when the table is full.
    ///
    /// The kernel looks into eight buckets from the new tuple's on (`early_drop`); with as many buckets as entries
    /// and two nodes an entry that is 16 of them, and its choice depends on a random seed. Here it is 16 slots from
    /// a place that depends on the tuple alone.
    pub fn droppable(&self, tuple: &Tuple) -> Option<u32> {
        let mut hasher = DefaultHasher::new();
        tuple.hash(&mut hasher);
        let slots = self.slots.len() as u64;
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
        let taken = |(slot, ct): (usize, &Option<Conntrack>)| ct.is_some().then_some(slot as u32);
        self.slots.iter().enumerate().filter_map(taken)
    }
}

/// The smaller of a flow's two tuples: one key for both directions.
fn canonical(tuple: &Tuple) -> Option<Tuple> {
    Some(tuple.inverse()?.min(*tuple))
}

/// How long an entry may go unlooked at. Entries that live for days would else leave their old appointments behind
/// when they end early.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const EVICTION_RANGE: u64 = 16;
const SPARE_APPOINTMENTS: usize = 1024;
