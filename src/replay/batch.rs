//! Frames on their way from who reads them to who follows the flows: decoded, many at a time, and where they were read.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Clock, Frame};
use crate::capture::{Capture, Chunk, Error};
use crate::conntrack;
use crate::packet::duplicate::Duplicates;
use crate::packet::link::{self, NoIp};
use crate::packet::tunnel::Tunnel;
use crate::packet::{Decoder, Packet, Unseen};
use crate::time::{Monotonic, Tick, Timestamp};
use crate::tuple::{Key, Protocol};

/// Frames in a row. It ends with an error, or with the last frame, or where it is full.
#[derive(Default)]
pub(super) struct Batch {
    pub heads: Vec<Head>,
    /// Behind the last of these.
    pub error: Option<Error>,
    pub is_last: bool,
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
    name: Option<u32>,
    data: Span,
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
    src: IpAddr,
    dst: IpAddr,
    hop_limit: u8,
    fragmented: bool,
    transport: Option<(Protocol, u32)>,
    captured: u32,
    bytes: Span,
    tunnel: Option<Box<Tunnel>>,
    pub key: Option<Key>,
}

/// Bytes of a batch. Chunks are too short for these numbers to overflow.
#[derive(Clone, Copy)]
struct Span {
    /// `APART` for none.
    chunk: u32,
    start: u32,
    length: u32,
}

const APART: u32 = u32::MAX;

impl Batch {
    /// Whether it holds as much as is handed over at a time.
    fn is_full(&self) -> bool {
        self.length >= BYTES || self.heads.len() >= FRAMES
    }

    /// What comes behind the last frame.
    pub fn last() -> Self {
        Self {
            is_last: true,
            ..Self::default()
        }
    }

    pub fn clear(&mut self) {
        self.heads.clear();
        self.error = None;
        self.is_last = false;
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
    fn keep(&mut self, frame: &Frame<'_>) -> Span {
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
    fn place(&mut self, frame: &Frame<'_>, data: Span, datagram: &[u8]) -> Span {
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

    fn name(&mut self, name: &str) -> u32 {
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

/// Who reads: capture and decoder in a row.
pub(super) struct Intake {
    pub capture: Capture,
    pub decoder: Decoder,
    pub clock: Clock,
    pub time: Monotonic,
    pub duplicates: Option<Duplicates>,
    /// Each frame is handed over as it comes.
    pub is_live: bool,
}

impl Intake {
    pub fn fill(&mut self, batch: &mut Batch) {
        batch.clear();
        while !batch.is_full() {
            match self.capture.next() {
                Ok(Some(frame)) => {
                    let tick = self.time.tick(frame.at);
                    let clock = self.clock.of(&self.time);
                    let data = batch.keep(&frame);
                    let (decoder, seen) = (&mut self.decoder, &mut self.duplicates);
                    let brought = brought(decoder, seen.as_mut(), clock, &frame, data, batch);
                    let name = frame.interface_name.map(|name| batch.name(name));
                    batch.heads.push(Head {
                        number: frame.number,
                        at: frame.at,
                        clock,
                        tick,
                        link: frame.link,
                        interface: frame.interface,
                        name,
                        data,
                        brought,
                    });
                    if self.is_live {
                        return;
                    }
                }
                Ok(None) => {
                    batch.is_last = true;
                    return;
                }
                Err(error) => {
                    batch.error = Some(error);
                    return;
                }
            }
        }
    }
}

fn brought(
    decoder: &mut Decoder,
    seen: Option<&mut Duplicates>,
    clock: Timestamp,
    frame: &Frame<'_>,
    data: Span,
    batch: &mut Batch,
) -> Brought {
    let is_duplicate = seen.is_some_and(|seen| {
        let bytes = link::network_layer(frame.link, frame.data);
        bytes.is_ok_and(|bytes| seen.is_one(frame.at, bytes))
    });
    if is_duplicate {
        return Brought::Duplicate;
    }
    match decoder.decode(clock, frame.number, frame.link, frame.data) {
        Err(why) => Brought::Other(why),
        Ok(Err(why)) => Brought::Unseen(why),
        Ok(Ok(packet)) => Brought::Packet(Datagram {
            src: packet.src,
            dst: packet.dst,
            hop_limit: packet.hop_limit,
            fragmented: packet.fragmented,
            transport: packet.transport.map(|(protocol, at)| (protocol, at as u32)),
            captured: packet.captured as u32,
            bytes: batch.place(frame, data, packet.datagram),
            tunnel: packet.tunnel.copied().map(Box::new),
            key: conntrack::key(&packet),
        }),
    }
}

/// What is handed over at a time: so much that waking the other thread costs little, and so little that all that is under
/// way stays in a cache.
const BYTES: usize = 1 << 20;
const FRAMES: usize = 4096;
/// Names that are looked through, and those that are remembered from batch to batch.
const RECENT: usize = 8;
const NAMES: usize = 64;
