//! What is alive, in slots that are used again, and in which order it comes to its end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Timestamp;

/// Values in slots, each with one appointment at most.
pub struct Slots<T> {
    slots: Vec<Option<Slot<T>>>,
    free: Vec<u32>,
    /// When, the serial number of whom, and where that is. One that its value does not keep any more is void.
    due: BinaryHeap<Reverse<(Timestamp, u64, u32)>>,
    inserted: u64,
}

struct Slot<T> {
    /// No other value of these slots has or had it.
    serial: u64,
    due: Option<Timestamp>,
    value: T,
}

impl<T> Slots<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many slots there are, in use or not.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    pub fn get(&self, slot: u32) -> Option<&T> {
        Some(&self.slots.get(slot as usize)?.as_ref()?.value)
    }

    pub fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        Some(&mut self.slots.get_mut(slot as usize)?.as_mut()?.value)
    }

    pub fn insert(&mut self, value: T) -> u32 {
        self.inserted += 1;
        let entry = Some(Slot {
            serial: self.inserted,
            due: None,
            value,
        });
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = entry;
                slot
            }
            None => {
                self.slots.push(entry);
                // Each costs more than a byte, so 2^32 of them do not fit into memory.
                (self.slots.len() - 1) as u32
            }
        }
    }

    pub fn remove(&mut self, slot: u32) -> Option<T> {
        let entry = self.slots.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(entry.value)
    }

    /// Every slot in use, in the order of the slots.
    pub fn occupied(&self) -> impl Iterator<Item = u32> {
        let used =
            |(slot, entry): (usize, &Option<Slot<T>>)| entry.is_some().then_some(slot as u32);
        self.slots.iter().enumerate().filter_map(used)
    }

    /// When the value's appointment is.
    pub fn due(&self, slot: u32) -> Option<Timestamp> {
        self.slots.get(slot as usize)?.as_ref()?.due
    }

    /// Makes an appointment with the value in place of the one before.
    pub fn schedule(&mut self, slot: u32, at: Timestamp) {
        let Some(Some(entry)) = self.slots.get_mut(slot as usize) else {
            return;
        };
        entry.due = Some(at);
        let appointment = (at, entry.serial, slot);
        self.due.push(Reverse(appointment));
        // Void ones must not outnumber the others, however fast values come and go.
        if self.due.len() > 2 * self.len() + SPARE_APPOINTMENTS {
            let slots = &self.slots;
            self.due
                .retain(|Reverse(appointment)| is_kept(slots, *appointment));
        }
    }

    /// The next appointment, and with whom; of several at one time that with the oldest value.
    pub fn next_due(&mut self) -> Option<(Timestamp, u32)> {
        while let Some(&Reverse(appointment)) = self.due.peek() {
            if is_kept(&self.slots, appointment) {
                let (at, _, slot) = appointment;
                return Some((at, slot));
            }
            self.due.pop();
        }
        None
    }
}

fn is_kept<T>(slots: &[Option<Slot<T>>], (at, serial, slot): (Timestamp, u64, u32)) -> bool {
    let entry = slots.get(slot as usize).and_then(Option::as_ref);
    entry.is_some_and(|entry| (entry.due, entry.serial) == (Some(at), serial))
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            due: BinaryHeap::new(),
            inserted: 0,
        }
    }
}

/// Void appointments, beyond twice as many as there are values.
const SPARE_APPOINTMENTS: usize = 1024;
