//! Flows that are looked at before their packets' turn.

use std::hint::black_box;

use super::Tracker;
use crate::conntrack::transport::tuple_of;
use crate::packet::Packet;
use crate::tuple::Tuple;

/// Packets whose flows are looked at together: as many as a processor can have under way.
pub const WARMED_UP: usize = 16;

impl Tracker {
    /// Looks at flows whose packets come soon, by their keys' hashes, to no other end than that they are in the cache then.
    /// One step at a time for all of them: memory is slow, but not slower for several than for one.
    pub fn warm_up(&self, hashes: impl Iterator<Item = u64>) {
        let mut slots = [u32::MAX; WARMED_UP];
        for (slot, hash) in slots.iter_mut().zip(hashes) {
            *slot = self.table.guess(hash).unwrap_or(u32::MAX);
        }
        let looked_at = slots.into_iter().filter_map(|slot| self.table.get(slot));
        black_box(looked_at.fold(0, |sum, ct| sum ^ ct.touch()));
    }

    /// The packet's tuple and its hash.
    #[inline]
    pub(super) fn key(&self, packet: &Packet<'_>) -> Option<(Tuple, u64)> {
        let (protocol, _) = packet.transport?;
        let (src, dst) = (packet.src, packet.dst);
        if let Some(key) = packet.key {
            let tuple = Tuple {
                src,
                dst,
                sport: key.sport,
                dport: key.dport,
                protocol,
            };
            return Some((tuple, key.hash));
        }
        let tuple = tuple_of(
            src,
            dst,
            protocol,
            packet.transport_bytes(),
            &self.context(),
        )?;
        Some((tuple, tuple.hash_of_flow()))
    }
}
