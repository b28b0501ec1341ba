//! Appointments, in the order of time.
//!
//! Most are far away, and made void or put off before their time comes. So they are only put in order when it is near:
//! until then those of about a second lie together as they came.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::time::Timestamp;

/// When, and with which slot.
pub type Appointment = (Timestamp, u32);

#[derive(Default)]
pub struct Agenda {
    near: BinaryHeap<Reverse<Appointment>>,
    /// By `span`.
    later: BTreeMap<i64, Vec<Appointment>>,
    /// The last span whose appointments are near.
    reached: Option<i64>,
    length: usize,
}

impl Agenda {
    pub fn len(&self) -> usize {
        self.length
    }

    pub fn add(&mut self, appointment: Appointment) {
        self.length += 1;
        let span = span(appointment.0);
        match self.reached {
            Some(reached) if span <= reached => self.near.push(Reverse(appointment)),
            _ => self.later.entry(span).or_default().push(appointment),
        }
    }

    /// The first that is not after `now`; of several at one time that of the first slot.
    pub fn first(&mut self, now: Timestamp) -> Option<Appointment> {
        if self.reached.is_none_or(|reached| span(now) > reached) {
            self.reach(span(now));
        }
        let &Reverse(first) = self.near.peek()?;
        (first.0 <= now).then_some(first)
    }

    /// Strikes out what `first` gave.
    pub fn pop(&mut self) {
        self.length -= usize::from(self.near.pop().is_some());
    }

    pub fn retain(&mut self, is_kept: impl Fn(Appointment) -> bool) {
        self.near
            .retain(|Reverse(appointment)| is_kept(*appointment));
        self.later.retain(|_, appointments| {
            appointments.retain(|appointment| is_kept(*appointment));
            appointments.shrink_to_fit();
            !appointments.is_empty()
        });
        self.length = self.near.len() + self.later.values().map(Vec::len).sum::<usize>();
    }

    #[cold]
    fn reach(&mut self, span: i64) {
        self.reached = Some(span);
        while let Some(earliest) = self
            .later
            .first_entry()
            .filter(|entry| *entry.key() <= span)
        {
            self.near.extend(earliest.remove().into_iter().map(Reverse));
        }
    }
}

/// About a second.
fn span(at: Timestamp) -> i64 {
    at.nanos() >> 30
}
