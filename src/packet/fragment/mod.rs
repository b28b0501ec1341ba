//! Defragmentation in front of conntrack (hook priority -400), as the kernel does it for each family.
//!
//! Sources: `ip_frag_queue` and `ip_frag_reasm` (net/ipv4/ip_fragment.c), `nf_ct_frag6_gather` and
//! `nf_ct_frag6_queue` (net/ipv6/netfilter/nf_conntrack_reasm.c), `inet_frag_queue_insert`
//! (net/ipv4/inet_fragment.c). RFC 5722 is applied to both families: an overlap discards the whole datagram,
//! while a fragment that lies within one run of earlier ones is a duplicate and only dropped itself.
//!
//! Limits: how much memory a fragment costs depends on the driver (see `waiting::truesize`), so a flood meets the threshold at
//! about the same fragment, not at the same one. The kernel's timers are late by up to two seconds and never early.

mod arrived;
mod waiting;

use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;

use super::ip::{Header, IPV6_HEADER, MAX_DATAGRAM};
use super::{Malformed, Unseen};
use crate::time::Timestamp;
use arrived::{Fragment, Key};
use waiting::{Family, Inserted, Piece, Queue, ecn_agrees};

/// The sysctls that bound reassembly.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `net.ipv4.ipfrag_time`
    pub ipv4_timeout: Duration,
    /// `net.ipv4.ipfrag_high_thresh`, bytes
    pub ipv4_high: usize,
    /// `net.ipv4.ipfrag_max_dist`: fragments of one source between two of a datagram
    pub ipv4_max_dist: u32,
    /// `net.netfilter.nf_conntrack_frag6_timeout`
    pub ipv6_timeout: Duration,
    /// `net.netfilter.nf_conntrack_frag6_high_thresh`, bytes
    pub ipv6_high: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ipv4_timeout: Duration::from_secs(30),
            ipv4_high: 4 << 20,
            ipv4_max_dist: 64,
            ipv6_timeout: Duration::from_secs(60),
            ipv6_high: 4 << 20,
        }
    }
}

/// The fragments that wait for others, of both families.
#[derive(Debug, Default)]
pub struct Reassembler {
    limits: Limits,
    ipv4: Family,
    ipv6: Family,
    /// How many fragments each source of waiting IPv4 fragments has sent (`struct inet_peer`).
    peers: HashMap<IpAddr, Peer>,
    whole: Vec<u8>,
}

impl Reassembler {
    /// Without a fragment.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// `Ok(None)` for a datagram that conntrack sees as it is, `Ok(Some)` for one that this fragment completes.
    pub fn gather<'a>(
        &'a mut self,
        at: Timestamp,
        header: Header,
        datagram: &[u8],
    ) -> Result<Option<&'a [u8]>, Unseen> {
        let fragment = match header.src {
            IpAddr::V4(_) => Fragment::ipv4(&header, datagram),
            IpAddr::V6(_) => Fragment::ipv6(&header, datagram)?,
        };
        let Some(fragment) = fragment else {
            return Ok(None);
        };
        self.expire(at);
        if header.src.is_ipv4() {
            self.queue_ipv4(at, &fragment)
        } else {
            self.queue_ipv6(at, &fragment)
        }
    }

    fn queue_ipv4(
        &mut self,
        at: Timestamp,
        fragment: &Fragment<'_>,
    ) -> Result<Option<&[u8]>, Unseen> {
        if self.ipv4.memory > self.limits.ipv4_high {
            return Err(Unseen::FragmentDropped);
        }
        let due = at + self.limits.ipv4_timeout;
        let (mut queue, created) = self.ipv4.find(fragment.key, due);
        let peer = self.peers.entry(fragment.key.src).or_default();
        peer.queues += u32::from(created);
        peer.fragments = peer.fragments.wrapping_add(1);
        let distance = peer.fragments.wrapping_sub(queue.last_peer_count);
        if !queue.pieces.is_empty() && distance > self.limits.ipv4_max_dist {
            self.ipv4.forget(fragment.key);
            (queue, _) = self.ipv4.find(fragment.key, due);
        }
        queue.last_peer_count = peer.fragments;
        // A piece that is not the last one is cut to a multiple of 8 bytes; IPv6 refuses it instead.
        let length = if fragment.more {
            fragment.data.len() & !7
        } else {
            fragment.data.len()
        };
        let piece = Piece {
            offset: fragment.offset,
            data: &fragment.data[..length],
        };
        if !queue.extend_to(piece.end(), fragment.more) || piece.data.is_empty() {
            self.forget_ipv4(fragment.key);
            return Err(Unseen::FragmentDropped);
        }
        match self.ipv4.insert(fragment, piece) {
            Inserted::Waiting => Err(Unseen::Fragment),
            Inserted::Duplicate => Err(Unseen::FragmentDropped),
            Inserted::Overlap => {
                self.forget_ipv4(fragment.key);
                Err(Unseen::FragmentDropped)
            }
            Inserted::Complete => {
                let queue = self
                    .forget_ipv4(fragment.key)
                    .ok_or(Unseen::FragmentDropped)?;
                self.join_ipv4(&queue)
            }
        }
    }

    /// `ip_frag_reasm`
    fn join_ipv4(&mut self, queue: &Queue) -> Result<Option<&[u8]>, Unseen> {
        queue.join(&mut self.whole);
        let length = u16::try_from(self.whole.len()).map_err(|_| Unseen::FragmentDropped)?;
        if !ecn_agrees(queue.ecn) {
            return Err(Unseen::FragmentDropped);
        }
        self.whole[2..4].copy_from_slice(&length.to_be_bytes());
        self.whole[6..8].fill(0);
        Ok(Some(&self.whole))
    }

    fn forget_ipv4(&mut self, key: Key) -> Option<Queue> {
        let queue = self.ipv4.forget(key)?;
        if let Some(peer) = self.peers.get_mut(&key.src) {
            peer.queues -= 1;
            if peer.queues == 0 {
                self.peers.remove(&key.src);
            }
        }
        Some(queue)
    }

    fn queue_ipv6(
        &mut self,
        at: Timestamp,
        fragment: &Fragment<'_>,
    ) -> Result<Option<&[u8]>, Unseen> {
        if self.ipv6.memory > self.limits.ipv6_high {
            return Err(Unseen::FragmentDropped);
        }
        let (queue, _) = self.ipv6.find(fragment.key, at + self.limits.ipv6_timeout);
        let piece = Piece {
            offset: fragment.offset,
            data: fragment.data,
        };
        if piece.end() > MAX_DATAGRAM {
            return Err(Unseen::FragmentDropped);
        }
        if fragment.more && !piece.end().is_multiple_of(8) {
            // The datagram is given up, but this fragment goes on to conntrack as it is (-EPROTO).
            self.ipv6.forget(fragment.key);
            return Ok(None);
        }
        if !queue.extend_to(piece.end(), fragment.more) || piece.data.is_empty() {
            return Err(Unseen::FragmentDropped);
        }
        match self.ipv6.insert(fragment, piece) {
            // A duplicate is treated as queued.
            Inserted::Waiting | Inserted::Duplicate => Err(Unseen::Fragment),
            Inserted::Overlap => {
                self.ipv6.forget(fragment.key);
                Err(Unseen::FragmentDropped)
            }
            Inserted::Complete => {
                let queue = self
                    .ipv6
                    .forget(fragment.key)
                    .ok_or(Unseen::FragmentDropped)?;
                self.join_ipv6(&queue)
            }
        }
    }

    /// `nf_ct_frag6_reasm`: the fragment header goes, the header before it names what it named.
    fn join_ipv6(&mut self, queue: &Queue) -> Result<Option<&[u8]>, Unseen> {
        queue.join(&mut self.whole);
        let length = self.whole.len() - IPV6_HEADER;
        if length > MAX_DATAGRAM || !ecn_agrees(queue.ecn) {
            return Err(Unseen::FragmentDropped);
        }
        let length = u16::try_from(length).map_err(|_| Unseen::Refused(Malformed::HeaderLength))?;
        self.whole[4..6].copy_from_slice(&length.to_be_bytes());
        self.whole[queue.next_header_at] = queue.next_header;
        Ok(Some(&self.whole))
    }

    fn expire(&mut self, at: Timestamp) {
        while let Some(key) = self.ipv4.due(at) {
            self.forget_ipv4(key);
        }
        while let Some(key) = self.ipv6.due(at) {
            self.ipv6.forget(key);
        }
    }
}

#[derive(Debug, Default)]
struct Peer {
    fragments: u32,
    queues: u32,
}
