//! Frames on their way from who reads them, past who follows their flows, to who learns from both: decoded, many at a time,
//! and where they were read.

use std::net::IpAddr;
use std::sync::Arc;

use crate::capture::{Chunk, Error, Frame};
use crate::conntrack::event::Event;
use crate::conntrack::{Late, Step, Verdict};
use crate::firewall::Firewall;
use crate::packet::link::NoIp;
use crate::packet::tunnel::Tunnel;
use crate::packet::{Packet, Unseen};
use crate::time::{Tick, Timestamp};
use crate::tuple::{Key, Protocol};

/// Frames in a row. It ends with an error, or with the last frame, or where it is full.
#[derive(Default)]
pub(super) struct Batch {
    pub frames: Frames,
    pub told: Told,
    /// Behind the last frame.
    pub error: Option<Error>,
    pub is_last: bool,
}

/// What was read.
#[derive(Default)]
pub(super) struct Frames {
    pub heads: Vec<Head>,
    /// Where the frames lie, and at last datagrams that are not as they stand in one.
    chunks: Vec<Chunk>,
    apart: Vec<u8>,
    /// Bytes of frames and datagrams.
    length: usize,
    /// Names of interfaces.
    names: Vec<Arc<str>>,
}

/// A frame in a batch.
pub(super) struct Head {
    pub number: u64,
    pub at: Timestamp,
    pub clock: Timestamp,
    pub tick: Tick,
    pub link: u16,
    pub interface: u32,
    pub name: Option<u32>,
    pub data: Span,
    pub brought: Brought,
}

/// What a frame brought, before anybody followed its flow.
pub(super) enum Brought {
    Other(NoIp),
    Duplicate,
    Unseen(Unseen),
    Packet(Datagram),
}

/// A packet in a batch.
pub(super) struct Datagram {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub hop_limit: u8,
    pub fragmented: bool,
    pub transport: Option<(Protocol, u32)>,
    pub captured: u32,
    pub bytes: Span,
    pub tunnel: Option<Box<Tunnel>>,
    pub key: Option<Key>,
}

/// Bytes of a batch. Chunks are too short for these numbers to overflow.
#[derive(Clone, Copy)]
pub(super) struct Span {
    /// `APART` for none.
    chunk: u32,
    start: u32,
    length: u32,
}

const APART: u32 = u32::MAX;

impl Batch {
    /// What comes behind the last frame.
    pub fn last() -> Self {
        Self {
            is_last: true,
            ..Self::default()
        }
    }

    pub fn clear(&mut self) {
        self.frames.clear();
        self.told.clear();
        self.error = None;
        self.is_last = false;
    }
}

impl Frames {
    /// Whether there are as many as are handed over at a time.
    pub fn are_enough(&self) -> bool {
        self.length >= BYTES || self.heads.len() >= FRAMES
    }

    fn clear(&mut self) {
        self.heads.clear();
        self.chunks.clear();
        self.apart.clear();
        self.length = 0;
    }

    pub fn frame(&self, head: &Head) -> &[u8] {
        self.bytes(head.data)
    }

    pub fn interface_name(&self, head: &Head) -> Option<&str> {
        Some(self.names.get(head.name? as usize)?)
    }

    pub fn packet<'a>(&'a self, head: &Head, datagram: &'a Datagram) -> Packet<'a> {
        Packet {
            number: head.number,
            src: datagram.src,
            dst: datagram.dst,
            hop_limit: datagram.hop_limit,
            datagram: self.bytes(datagram.bytes),
            transport: datagram
                .transport
                .map(|(protocol, at)| (protocol, at as usize)),
            captured: datagram.captured as usize,
            fragmented: datagram.fragmented,
            tunnel: datagram.tunnel.as_deref(),
            key: datagram.key,
        }
    }

    /// Reads something of its header.
    pub fn touch(&self, datagram: &Datagram) -> u8 {
        let at = datagram.transport.map_or(0, |(_, at)| at);
        let bytes = self.bytes(datagram.bytes);
        bytes.get(at as usize).copied().unwrap_or(0)
    }

    fn bytes(&self, span: Span) -> &[u8] {
        let bytes = match self.chunks.get(span.chunk as usize) {
            Some(chunk) => chunk.as_slice(),
            None => &self.apart,
        };
        let start = span.start as usize;
        &bytes[start..start + span.length as usize]
    }

    /// Keeps a frame.
    pub fn keep(&mut self, frame: &Frame<'_>) -> Span {
        let is_last = |chunk: &Chunk| Arc::ptr_eq(chunk, frame.chunk);
        if !self.chunks.last().is_some_and(is_last) {
            self.chunks.push(Arc::clone(frame.chunk));
        }
        self.length += frame.data.len();
        Span {
            chunk: self.chunks.len() as u32 - 1,
            start: frame.start as u32,
            length: frame.data.len() as u32,
        }
    }

    /// Keeps a datagram. Most are part of their frame.
    pub fn place(&mut self, frame: &Frame<'_>, data: Span, datagram: &[u8]) -> Span {
        let length = datagram.len() as u32;
        let offset = datagram
            .as_ptr()
            .addr()
            .wrapping_sub(frame.data.as_ptr().addr());
        match frame.data.get(offset..) {
            Some(rest) if datagram.len() <= rest.len() => Span {
                start: data.start + offset as u32,
                length,
                ..data
            },
            _ => {
                let start = self.apart.len() as u32;
                self.apart.extend_from_slice(datagram);
                self.length += datagram.len();
                Span {
                    chunk: APART,
                    start,
                    length,
                }
            }
        }
    }

    pub fn name(&mut self, name: &str) -> u32 {
        // A capture may name thousands, which are not all looked through for each frame.
        let recent = self.names.iter().enumerate().rev().take(RECENT);
        let mut known = recent.filter(|(_, known)| ***known == *name);
        let known = known.next().map(|(index, _)| index);
        let index = known.unwrap_or_else(|| {
            if self.heads.is_empty() && self.names.len() > NAMES {
                self.names.clear();
            }
            self.names.push(name.into());
            self.names.len() - 1
        });
        index as u32
    }
}

/// What conntrack said of each frame, and what happened.
#[derive(Default)]
pub(super) struct Told {
    steps: Vec<Said>,
    late: Vec<Late>,
    events: Vec<Event>,
}

struct Said {
    verdict: Verdict,
    /// Where what happened ends.
    late: usize,
    events: usize,
}

impl Told {
    fn clear(&mut self) {
        self.steps.clear();
        self.late.clear();
        self.events.clear();
        // Once in a while all flows time out at once. A flood, of which each packet does something, has room all the time.
        self.late.shrink_to(ROOM);
        self.events.shrink_to(ROOM);
    }

    /// What the firewall has to tell so far of the next frame.
    #[inline]
    pub fn gather(&mut self, firewall: &mut Firewall) {
        firewall.tell(&mut self.late, &mut self.events);
    }

    /// Of the next frame, with what the firewall has to tell of it.
    #[inline]
    pub fn add(&mut self, verdict: Verdict, firewall: &mut Firewall) {
        self.gather(firewall);
        self.steps.push(Said {
            verdict,
            late: self.late.len(),
            events: self.events.len(),
        });
    }

    /// Of the frame at this place.
    #[inline]
    pub fn step(&self, at: usize) -> Step<'_> {
        let Some(said) = self.steps.get(at) else {
            return Step::default();
        };
        let before = at.checked_sub(1).and_then(|before| self.steps.get(before));
        let (late, events) = before.map_or((0, 0), |before| (before.late, before.events));
        Step {
            verdict: said.verdict,
            late: &self.late[late..said.late],
            events: &self.events[events..said.events],
        }
    }
}

/// What is handed over at a time: so much that waking the other thread costs little, and so little that all that is under
/// way stays in a cache.
const BYTES: usize = 1 << 20;
const FRAMES: usize = 4096;
/// What happened, of each kind, that memory is kept for from batch to batch.
const ROOM: usize = 2 * FRAMES;
/// Names that are looked through, and those that are remembered from batch to batch.
const RECENT: usize = 8;
const NAMES: usize = 64;
