//! What stood open, hour by hour.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::room::Room;
use crate::time::Timestamp;

/// Hours of UTC, by their number since 1970.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Hours {
    hours: BTreeMap<i64, Hour>,
    /// What fell into hours that are too far apart to be listed, or found no room.
    pub beyond: Hour,
}

/// What stood open in an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hour {
    /// Expectations made that continued none.
    pub made: u64,
    /// Those that a flow came for, by the hour of the flow.
    pub used: u64,
    /// Socket-time: of two that were open for the whole hour, two hours.
    pub open: Duration,
    /// The part of it that let in anybody.
    pub to_anybody: Duration,
}

impl Hour {
    /// Takes in what stood open elsewhere in the same hour.
    pub fn add(&mut self, other: &Self) {
        self.made += other.made;
        self.used += other.used;
        self.open += other.open;
        self.to_anybody += other.to_anybody;
    }
}

impl Hours {
    /// In their order, each with the instant at which it begins.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, &Hour)> {
        let begin = |number: &i64| Timestamp::from_nanos(number.saturating_mul(HOUR));
        self.hours
            .iter()
            .map(move |(number, hour)| (begin(number), hour))
    }

    /// Counts an expectation that was made then.
    pub fn made(&mut self, at: Timestamp, room: &mut Room) {
        self.of(at.nanos().div_euclid(HOUR), room).made += 1;
    }

    /// Counts a flow that came then.
    pub fn used(&mut self, at: Timestamp, room: &mut Room) {
        self.of(at.nanos().div_euclid(HOUR), room).used += 1;
    }

    /// Something stood open from one instant to another.
    pub fn open(&mut self, from: Timestamp, until: Timestamp, to_anybody: bool, room: &mut Room) {
        let (mut at, end) = (from.nanos(), until.nanos());
        let add = |hour: &mut Hour, nanos: i64| {
            let length = Duration::from_nanos(nanos.max(0).unsigned_abs());
            hour.open += length;
            if to_anybody {
                hour.to_anybody += length;
            }
        };
        for _ in 0..LONGEST {
            if at >= end {
                return;
            }
            let number = at.div_euclid(HOUR);
            let stop = number.saturating_add(1).saturating_mul(HOUR).min(end);
            add(self.of(number, room), stop.saturating_sub(at));
            at = stop;
        }
        add(&mut self.beyond, end.saturating_sub(at));
    }

    /// Takes in what stood open elsewhere.
    pub fn absorb(&mut self, other: Self, room: &mut Room) {
        for (number, hour) in other.hours {
            self.of(number, room).add(&hour);
        }
        self.beyond.add(&other.beyond);
    }

    fn of(&mut self, number: i64, room: &mut Room) -> &mut Hour {
        if self.hours.len() >= LISTED && !self.hours.contains_key(&number) {
            return &mut self.beyond;
        }
        room.entry(&mut self.hours, number)
            .unwrap_or(&mut self.beyond)
    }
}

/// Nanoseconds.
const HOUR: i64 = 3_600_000_000_000;
/// Hours over which one expectation is spread: a month. A registration may name 136 years.
const LONGEST: usize = 31 * 24;
/// Hours of one service: more than a year.
const LISTED: usize = 10_000;
