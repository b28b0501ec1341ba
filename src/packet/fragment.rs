//! Defragmentation in front of conntrack (hook priority -400), as the kernel does it for each family.
//!
//! Sources: `ip_frag_queue` and `ip_frag_reasm` (net/ipv4/ip_fragment.c), `nf_ct_frag6_gather` and
//! `nf_ct_frag6_queue` (net/ipv6/netfilter/nf_conntrack_reasm.c), `inet_frag_queue_insert`
//! (net/ipv4/inet_fragment.c). RFC 5722 is applied to both families: an overlap discards the whole datagram,
//! while a fragment that lies within one run of earlier ones is a duplicate and only dropped itself.
//!
//! Limits: how much memory a fragment costs depends on the driver (see `truesize`), so a flood meets the threshold at
//! about the same fragment, not at the same one. The kernel's timers are late by up to two seconds and never early.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;

use super::ip::{self, FRAGMENT_HEADER, Header, IPV6_HEADER, MAX_DATAGRAM};
use super::{Malformed, Unseen};
use crate::time::Timestamp;

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

/// `struct frag_v4_compare_key`, `struct frag_v6_compare_key`; IPv6 takes no note of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    protocol: u8,
}

/// One fragment as it arrived.
struct Fragment<'a> {
    key: Key,
    offset: usize,
    more: bool,
    data: &'a [u8],
    /// What of the datagram is not fragmented, without a fragment header.
    head: &'a [u8],
    /// IPv6: what the fragment header names, and where in `head` that belongs.
    next_header: u8,
    next_header_at: usize,
    ecn: u8,
    /// Bytes of the packet that it came as.
    received: usize,
}

impl<'a> Fragment<'a> {
    fn ipv4(header: &Header, datagram: &'a [u8]) -> Option<Self> {
        let &[id_high, id_low, flags, offset] = datagram.get(4..)?.first_chunk()?;
        let field = u16::from_be_bytes([flags, offset]);
        let (more, offset) = (field & 0x2000 != 0, usize::from(field & 0x1fff) * 8);
        if !more && offset == 0 {
            return None;
        }
        let (head, data) = datagram.split_at_checked(header.length)?;
        let id = u32::from(u16::from_be_bytes([id_high, id_low]));
        Some(Self {
            key: Key {
                src: header.src,
                dst: header.dst,
                id,
                protocol: header.next,
            },
            offset,
            more,
            data,
            head,
            next_header: 0,
            next_header_at: 0,
            ecn: 1 << (datagram[1] & 3),
            received: datagram.len(),
        })
    }

    /// `find_prev_fhdr` and the checks of `nf_ct_frag6_gather`: what they pass over, conntrack sees as it is.
    fn ipv6(header: &Header, datagram: &'a [u8]) -> Result<Option<Self>, Unseen> {
        if datagram.len() == IPV6_HEADER {
            return Ok(None);
        }
        let (mut next, mut next_header_at, mut at) = (header.next, 6, IPV6_HEADER);
        while next != FRAGMENT {
            if !ip::is_extension(next) || next == NO_NEXT_HEADER {
                return Ok(None);
            }
            let Some(&[following, length]) = datagram.get(at..).and_then(<[u8]>::first_chunk)
            else {
                return Ok(None);
            };
            next_header_at = at;
            at += ip::extension_length(next, length);
            next = following;
        }
        let Some((head, rest)) = datagram.split_at_checked(at) else {
            return Ok(None);
        };
        if truncated_in_first(datagram, at) {
            return Ok(None);
        }
        // A fragment header that is cut off is dropped, where the check above has not let it through.
        let Some((fragment_header, data)) = rest.split_first_chunk::<FRAGMENT_HEADER>() else {
            return Err(Unseen::FragmentDropped);
        };
        let &[next_header, _, high, low, id @ ..] = fragment_header;
        let field = u16::from_be_bytes([high, low]);
        Ok(Some(Self {
            key: Key {
                src: header.src,
                dst: header.dst,
                id: u32::from_be_bytes(id),
                protocol: 0,
            },
            offset: usize::from(field & !7),
            more: field & 1 != 0,
            data,
            head,
            next_header,
            // The kernel keeps it in eight bits.
            next_header_at: next_header_at & 0xff,
            ecn: 1 << (datagram[1] >> 4 & 3),
            received: datagram.len(),
        }))
    }
}

/// Whether a first fragment ends before its transport header does (`ipv6frag_thdr_truncated`, RFC 8200 4.5).
fn truncated_in_first(datagram: &[u8], fragment_header_at: usize) -> bool {
    match ip::skip_extensions(datagram, fragment_header_at, FRAGMENT) {
        Some(ip::Skipped {
            next,
            at,
            fragment_offset: 0,
        }) => {
            let header = match next {
                6 => 20,
                17 | 58 => 8,
                _ => 1,
            };
            at + header > datagram.len()
        }
        _ => false,
    }
}

#[derive(Clone, Copy)]
struct Piece<'a> {
    offset: usize,
    data: &'a [u8],
}

impl Piece<'_> {
    fn end(&self) -> usize {
        self.offset + self.data.len()
    }
}

/// The datagrams of one family that wait.
#[derive(Debug, Default)]
struct Family {
    queues: HashMap<Key, Queue>,
    /// All queues of a family live equally long, so the first made is the first due.
    timers: VecDeque<(Timestamp, u64, Key)>,
    next_serial: u64,
    memory: usize,
}

impl Family {
    fn find(&mut self, key: Key, due: Timestamp) -> (&mut Queue, bool) {
        let cost = if key.src.is_ipv4() {
            IPV4_QUEUE
        } else {
            IPV6_QUEUE
        };
        let mut created = false;
        if self.timers.len() > 2 * self.queues.len() + SPARE_TIMERS {
            let queues = &self.queues;
            self.timers.retain(|(_, serial, key)| {
                queues.get(key).is_some_and(|queue| queue.serial == *serial)
            });
        }
        let queue = self.queues.entry(key).or_insert_with(|| {
            created = true;
            self.next_serial += 1;
            self.timers.push_back((due, self.next_serial, key));
            self.memory += cost;
            Queue {
                serial: self.next_serial,
                memory: cost,
                ..Queue::default()
            }
        });
        (queue, created)
    }

    fn insert(&mut self, fragment: &Fragment<'_>, piece: Piece<'_>) -> Inserted {
        let Some(queue) = self.queues.get_mut(&fragment.key) else {
            return Inserted::Duplicate;
        };
        let before = queue.memory;
        let inserted = queue.insert(fragment, piece);
        self.memory += queue.memory - before;
        inserted
    }

    fn forget(&mut self, key: Key) -> Option<Queue> {
        let queue = self.queues.remove(&key)?;
        self.memory -= queue.memory;
        Some(queue)
    }

    /// The next queue whose time is over. Timers of queues that are gone are dropped on the way.
    fn due(&mut self, at: Timestamp) -> Option<Key> {
        while let Some(&(due, serial, key)) = self.timers.front() {
            let alive = self
                .queues
                .get(&key)
                .is_some_and(|queue| queue.serial == serial);
            if alive && due >= at {
                return None;
            }
            self.timers.pop_front();
            if alive {
                return Some(key);
            }
        }
        None
    }
}

enum Inserted {
    Waiting,
    Complete,
    Duplicate,
    Overlap,
}

/// One datagram in pieces.
#[derive(Debug, Default)]
struct Queue {
    serial: u64,
    /// The unfragmented part of the fragment with offset 0, once it is here.
    head: Vec<u8>,
    next_header: u8,
    next_header_at: usize,
    first_in: bool,
    last_in: bool,
    /// Where the datagram ends, as far as known.
    length: usize,
    /// Bytes that have arrived.
    arrived: usize,
    pieces: Vec<(usize, Vec<u8>)>,
    /// Runs of pieces that touch, in order. The kernel joins a piece to a run only at the end of the last one,
    /// and tells a duplicate from an overlap by these runs.
    runs: Vec<(usize, usize)>,
    /// Offset and end of the piece that came last at the end.
    tail: (usize, usize),
    ecn: u8,
    last_peer_count: u32,
    memory: usize,
}

impl Queue {
    /// Notes where the datagram ends; `false` where that contradicts what is known.
    fn extend_to(&mut self, end: usize, more: bool) -> bool {
        if more {
            if end > self.length {
                if self.last_in {
                    return false;
                }
                self.length = end;
            }
        } else {
            if end < self.length || self.last_in && end != self.length {
                return false;
            }
            self.last_in = true;
            self.length = end;
        }
        true
    }

    fn insert(&mut self, fragment: &Fragment<'_>, piece: Piece<'_>) -> Inserted {
        let (offset, end) = (piece.offset, piece.end());
        if self.runs.is_empty() {
            self.runs.push((offset, end));
            self.tail = (offset, end);
        } else if self.tail.1 < end {
            if offset < self.tail.1 {
                return Inserted::Overlap;
            }
            match self.runs.last_mut() {
                Some(run) if offset == self.tail.1 => run.1 = end,
                _ => self.runs.push((offset, end)),
            }
            self.tail = (offset, end);
        } else {
            let after = self.runs.partition_point(|run| run.1 <= offset);
            match self.runs.get(after) {
                Some(run) if run.0 <= offset && end <= run.1 => return Inserted::Duplicate,
                Some(run) if run.0 < end => return Inserted::Overlap,
                _ => self.runs.insert(after, (offset, end)),
            }
        }
        self.arrived += piece.data.len();
        self.memory += truesize(fragment.received);
        self.ecn |= fragment.ecn;
        self.pieces.push((offset, piece.data.to_vec()));
        if offset == 0 {
            self.first_in = true;
            self.head = fragment.head.to_vec();
            self.next_header = fragment.next_header;
            self.next_header_at = fragment.next_header_at;
        }
        if self.first_in && self.last_in && self.arrived == self.length {
            Inserted::Complete
        } else {
            Inserted::Waiting
        }
    }

    fn join(&self, whole: &mut Vec<u8>) {
        whole.clear();
        whole.extend_from_slice(&self.head);
        whole.resize(self.head.len() + self.length, 0);
        for (offset, data) in &self.pieces {
            let at = self.head.len() + offset;
            whole[at..at + data.len()].copy_from_slice(data);
        }
    }
}

/// RFC 3168, 5.3: fragments with ECN marks and without do not belong together (`ip_frag_ecn_table`).
fn ecn_agrees(seen: u8) -> bool {
    let not_ect = seen & 1 != 0;
    !not_ect || seen == 1
}

const FRAGMENT: u8 = 44;
const NO_NEXT_HEADER: u8 = 59;
/// Timers of datagrams that are gone, beyond as many as there are waiting ones.
const SPARE_TIMERS: usize = 1024;

/// What a fragment costs the kernel (`skb->truesize`) where it comes through a TUN device: `struct sk_buff`, and a block
/// of a power of two for the bytes, the room in front and `struct skb_shared_info`; what a page does not hold lies in
/// further pages. Measured on a 6.18.44; other drivers differ.
fn truesize(length: usize) -> usize {
    let block = match length + AROUND {
        needed if needed <= SMALL_BLOCK => SMALL_BLOCK,
        needed if needed <= PAGE => needed.next_power_of_two(),
        needed => needed.next_multiple_of(PAGE),
    };
    SK_BUFF + block
}

const SK_BUFF: usize = 256;
const SMALL_BLOCK: usize = 576;
const AROUND: usize = 64 + 320;
const PAGE: usize = 4096;
/// What a waiting datagram costs by itself (`struct ipq`, `struct frag_queue`), bytes.
const IPV4_QUEUE: usize = 200;
const IPV6_QUEUE: usize = 184;
