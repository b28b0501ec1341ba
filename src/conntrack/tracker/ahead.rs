//! What is learnt of packets before their turn.

use std::hint::black_box;

use super::Tracker;
use crate::conntrack::transport::tuple_of;
use crate::packet::Packet;
use crate::tuple::{Protocol, Tuple};

/// What was learnt of a packet before its turn.
#[derive(Clone, Copy, Default)]
pub(super) struct Ahead {
    packet: u64,
    tuple: Option<Tuple>,
    hash: u64,
}

/// Packets whose flows are looked at together: as many as a processor can have under way.
pub const WARMED_UP: usize = 16;

impl Tracker {
    /// Looks at the flows of packets that come soon, to no other end than that they are in the cache then. One step at a
    /// time for all of them: memory is slow, but not slower for several than for one.
    pub fn warm_up<'p>(&mut self, packets: impl Iterator<Item = Packet<'p>> + Clone) {
        let headers = packets.clone().map(|packet| packet.transport_bytes());
        let first = headers.map(|header| header.first().copied().unwrap_or(0));
        black_box(first.fold(0, |sum, byte| sum ^ byte));
        for packet in packets {
            // Keys of GRE come and go.
            if matches!(packet.transport, Some((Protocol::GRE, _))) {
                continue;
            }
            let tuple = self.tuple_of(&packet);
            let hash = tuple.as_ref().map_or(0, |tuple| self.table.hash(tuple));
            self.ahead[packet.number as usize % WARMED_UP] = Ahead {
                packet: packet.number,
                tuple,
                hash,
            };
        }
        let mut slots = [u32::MAX; WARMED_UP];
        for (ahead, slot) in self.ahead.iter().zip(&mut slots) {
            *slot = self.table.guess(ahead.hash).unwrap_or(u32::MAX);
        }
        let looked_at = slots.into_iter().filter_map(|slot| self.table.get(slot));
        black_box(looked_at.fold(0, |sum, ct| sum ^ ct.touch()));
    }

    /// The packet's tuple and its hash.
    #[inline]
    pub(super) fn key(&self, packet: &Packet<'_>) -> Option<(Tuple, u64)> {
        let ahead = &self.ahead[packet.number as usize % WARMED_UP];
        if ahead.packet == packet.number
            && let Some(tuple) = ahead.tuple
        {
            return Some((tuple, ahead.hash));
        }
        let tuple = self.tuple_of(packet)?;
        Some((tuple, self.table.hash(&tuple)))
    }

    fn tuple_of(&self, packet: &Packet<'_>) -> Option<Tuple> {
        let (protocol, _) = packet.transport?;
        let transport = packet.transport_bytes();
        tuple_of(packet.src, packet.dst, protocol, transport, &self.context())
    }
}
