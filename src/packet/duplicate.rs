//! Packets that were captured twice: at two points of their way, or as they came to a router and as they left it.
//!
//! The second one is the same but for what a router changes: the hop count, and the checksum of the header, which follows
//! it. So is a packet that was sent again at once; where the sender has numbered neither of the two (IPv6, or IPv4 with an
//! identification of 0), nobody can tell. That is why nothing is dropped unasked. Address translation between the points
//! hides that it is the same packet.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use hashbrown::HashMap;

use super::ip;
use crate::time::Timestamp;

/// Those seen of late.
#[derive(Debug)]
pub struct Duplicates {
    window: Duration,
    /// When each was seen first. Keys are hashes by a secret, so that nobody writes a packet that hides another.
    seen: HashMap<u64, Timestamp>,
    /// Their hashes, the oldest first.
    order: VecDeque<u64>,
    secret: RandomState,
}

impl Duplicates {
    /// Of two that are no further apart than `window`, the second is a duplicate.
    pub fn within(window: Duration) -> Self {
        Self {
            window,
            seen: HashMap::new(),
            order: VecDeque::new(),
            secret: RandomState::new(),
        }
    }

    /// Whether the IP packet that these bytes begin with was seen before. What follows it is the link's.
    pub fn is_one(&mut self, at: Timestamp, captured: &[u8]) -> bool {
        let length = ip::total_length(captured).unwrap_or(captured.len());
        let ip = captured.get(..length).unwrap_or(captured);
        self.forget(at);
        let hash = self.hash(ip);
        if let Some(first) = self.seen.get(&hash)
            && at.since(*first).max(first.since(at)) <= self.window
        {
            return true;
        }
        if self.seen.insert(hash, at).is_none() {
            self.order.push_back(hash);
        }
        false
    }

    /// The secret differs from run to run; what is found does not, but for a chance of one in 2^64.
    fn hash(&self, ip: &[u8]) -> u64 {
        let mut hasher = self.secret.build_hasher();
        let (version, kept): (_, &[(usize, usize)]) = match ip.first().map(|first| first >> 4) {
            Some(4) => (4, &[(0, 8), (9, 10), (12, usize::MAX)]),
            version => (version.unwrap_or(0), &[(0, 7), (8, usize::MAX)]),
        };
        hasher.write_u8(version);
        for &(from, to) in kept {
            hasher.write(ip.get(from..to.min(ip.len())).unwrap_or_default());
        }
        hasher.finish()
    }

    /// Lets go of those that are too old, and of the oldest where there are too many.
    fn forget(&mut self, at: Timestamp) {
        while let Some(oldest) = self.order.front() {
            let first = self.seen.get(oldest);
            let is_old = first.is_none_or(|first| at.since(*first) > self.window);
            if !is_old && self.order.len() < MOST {
                break;
            }
            self.seen.remove(oldest);
            self.order.pop_front();
        }
    }
}

/// Packets remembered.
const MOST: usize = 1 << 18;
