//! What is alive, in slots that are used again, and in which order it comes to its end.

use super::agenda::{Agenda, Appointment};
use crate::time::Timestamp;

/// Values in slots, each with one appointment at most.
pub struct Slots<T> {
    slots: Vec<Option<Slot<T>>>,
    free: Vec<u32>,
    /// One that its value does not keep is void.
    due: Agenda,
}

struct Slot<T> {
    /// The end of time where there is no appointment.
    due: Timestamp,
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
        let due = Timestamp::MAX;
        let entry = Some(Slot { due, value });
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

    /// The first slot in use from this one on.
    pub fn next_occupied(&self, from: u32) -> Option<u32> {
        let later = self.slots.get(from as usize..)?;
        let ahead = later.iter().position(Option::is_some)?;
        Some(from + ahead as u32)
    }

    /// When the value's appointment is; the end of time where it has none.
    pub fn due(&self, slot: u32) -> Option<Timestamp> {
        Some(self.slots.get(slot as usize)?.as_ref()?.due)
    }

    /// Makes an appointment with the value in place of the one before.
    pub fn schedule(&mut self, slot: u32, at: Timestamp) {
        let Some(Some(entry)) = self.slots.get_mut(slot as usize) else {
            return;
        };
        entry.due = at;
        self.due.add((at, slot));
        // Void ones must not outnumber the others, however fast values come and go.
        if self.due.len() > 2 * self.len() + SPARE_APPOINTMENTS {
            let slots = &self.slots;
            self.due.retain(|appointment| is_kept(slots, appointment));
        }
    }

    /// The next appointment that is not after `now`, and with whom; of several at one time that of the first slot.
    pub fn next_due(&mut self, now: Timestamp) -> Option<Appointment> {
        while let Some(appointment) = self.due.first(now) {
            if is_kept(&self.slots, appointment) {
                return Some(appointment);
            }
            self.due.pop();
        }
        None
    }
}

fn is_kept<T>(slots: &[Option<Slot<T>>], (at, slot): Appointment) -> bool {
    let entry = slots.get(slot as usize).and_then(Option::as_ref);
    entry.is_some_and(|entry| entry.due == at)
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            due: Agenda::default(),
        }
    }
}

/// Void appointments, beyond twice as many as there are values.
const SPARE_APPOINTMENTS: usize = 1024;
