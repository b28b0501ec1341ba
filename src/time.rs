//! The capture's clock. Nothing in the simulation asks the machine what time it is.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970-01-01 00:00:00 UTC, as the capture tells them.
///
/// Arithmetic saturates: a timestamp is an attacker's number like any other byte of the capture.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The end of time.
    pub const MAX: Self = Self(i64::MAX);

    /// Since 1970; negative before.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Since 1970; negative before.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// How long before `self` the other instant lies; zero where it does not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0).max(0).unsigned_abs())
    }
}

/// A clock that never runs backwards, whatever timestamps say: a firewall measures its time-outs by one that nobody sets.
///
/// A packet that is a little older than the one before was captured by another queue or interface: the clock stands
/// still until timestamps have caught up. Where they go back further, the capturing host's clock was set back: from there
/// on they count from where the clock stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic {
    now: Timestamp,
    /// What later timestamps are short of.
    set_back: Duration,
}

/// How a timestamp follows the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// Not before the last one, and within a day of it.
    Forward,
    /// By more than a day.
    Leap,
    /// It lies before an earlier one.
    Late,
    /// By so much that somebody has set the clock.
    SetBack,
}

impl Monotonic {
    /// The next timestamp; the first one sets the clock.
    pub fn tick(&mut self, at: Timestamp) -> Tick {
        let before = std::mem::replace(&mut self.now, at + self.set_back);
        let (back, forth) = (before.since(self.now), self.now.since(before));
        if back.is_zero() {
            let is_first = before == Timestamp::default();
            return match forth > LEAP && !is_first {
                true => Tick::Leap,
                false => Tick::Forward,
            };
        }
        self.now = before;
        if back <= DISORDER {
            return Tick::Late;
        }
        self.set_back += back;
        Tick::SetBack
    }

    /// That of the last timestamp, or a later one.
    pub fn now(&self) -> Timestamp {
        self.now
    }
}

/// Packets of several queues or interfaces may be so far out of order.
const DISORDER: Duration = Duration::from_secs(10);
const LEAP: Duration = Duration::from_secs(24 * 3600);

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let nanos = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(nanos))
    }
}
