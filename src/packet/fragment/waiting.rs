//! Datagrams that wait for their other fragments.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::arrived::{Fragment, Key};
use crate::time::Timestamp;

/// What of a fragment counts: its bytes, and where in the datagram they belong.
#[derive(Clone, Copy)]
pub struct Piece<'a> {
    pub offset: usize,
    pub data: &'a [u8],
}

impl Piece<'_> {
    pub fn end(&self) -> usize {
        self.offset + self.data.len()
    }
}

/// The datagrams of one family that wait.
#[derive(Debug, Default)]
pub struct Family {
    queues: HashMap<Key, Queue>,
    /// All queues of a family live equally long, so the first made is the first due.
    timers: VecDeque<(Timestamp, u64, Key)>,
    next_serial: u64,
    /// What they cost the kernel, bytes.
    pub memory: usize,
}

impl Family {
    /// The datagram's queue, and whether it was made just now.
    pub fn find(&mut self, key: Key, due: Timestamp) -> (&mut Queue, bool) {
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

    /// Puts a piece into its queue, which must be there.
    pub fn insert(&mut self, fragment: &Fragment<'_>, piece: Piece<'_>) -> Inserted {
        let Some(queue) = self.queues.get_mut(&fragment.key) else {
            return Inserted::Duplicate;
        };
        let before = queue.memory;
        let inserted = queue.insert(fragment, piece);
        self.memory += queue.memory - before;
        inserted
    }

    /// Takes a queue out.
    pub fn forget(&mut self, key: Key) -> Option<Queue> {
        let queue = self.queues.remove(&key)?;
        self.memory -= queue.memory;
        Some(queue)
    }

    /// The next queue whose time is over. Timers of queues that are gone are dropped on the way.
    pub fn due(&mut self, at: Timestamp) -> Option<Key> {
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

/// What became of a piece.
pub enum Inserted {
    Waiting,
    Complete,
    Duplicate,
    Overlap,
}

/// One datagram in pieces.
#[derive(Debug, Default)]
pub struct Queue {
    serial: u64,
    /// The unfragmented part of the fragment with offset 0, once it is here.
    pub head: Vec<u8>,
    pub next_header: u8,
    pub next_header_at: usize,
    first_in: bool,
    last_in: bool,
    /// Where the datagram ends, as far as known.
    length: usize,
    /// Bytes that have arrived.
    arrived: usize,
    pub pieces: Vec<(usize, Vec<u8>)>,
    /// Runs of pieces that touch, in order. The kernel joins a piece to a run only at the end of the last one,
    /// and tells a duplicate from an overlap by these runs.
    runs: Vec<(usize, usize)>,
    /// Offset and end of the piece that came last at the end.
    tail: (usize, usize),
    pub ecn: u8,
    pub last_peer_count: u32,
    memory: usize,
}

impl Queue {
    /// Notes where the datagram ends; `false` where that contradicts what is known.
    pub fn extend_to(&mut self, end: usize, more: bool) -> bool {
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

    /// The datagram that the pieces make, in place of what `whole` held.
    pub fn join(&self, whole: &mut Vec<u8>) {
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
pub fn ecn_agrees(seen: u8) -> bool {
    let not_ect = seen & 1 != 0;
    !not_ect || seen == 1
}

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
