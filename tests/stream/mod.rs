//! Traffic without end: what memory and time are measured with.
//!
//! Everything follows from the workload and its size, so that a measurement can be made again. Packets are written once
//! and patched wherever they are sent, so that it is the reader who is measured.

mod control;
mod flood;
mod script;
mod stage;

use std::io::{self, Write};

use stage::Stage;

/// What there is, and who says it: so many sessions at a time, or the workload's own number.
pub fn play(workload: &str, alive: Option<usize>, out: &mut Output) -> Option<io::Result<()>> {
    let (scripts, sessions, apart) = match workload {
        "office" => (script::office(), OFFICE, 3 * FLOW),
        "small" => (script::small(), SMALL, 0),
        "elephants" => (script::elephants(), 50, 0),
        "helpers" => (control::helpers(), 200, FLOW),
        "expectations" => (script::expectations(), 3_000, FLOW / 60),
        "findings" => (script::findings(), 1_000, FLOW / 60),
        "syn-flood" => return Some(flood::syns(out)),
        "fragments" => return Some(flood::fragments(out)),
        _ => return None,
    };
    Some(Stage::new(scripts, alive.unwrap_or(sessions), apart).play(out))
}

pub const WORKLOADS: &str =
    "office|small|elephants|helpers|expectations|findings|syn-flood|fragments";

/// Of capture time, in microseconds, between two new flows: a million an hour.
const FLOW: u64 = 3600;

/// Of every two flows that conntrack knows one goes on, and one is over and not yet timed out: 20,000 in all.
const OFFICE: usize = 10_000;
/// Flows of "small", none of which ends.
pub const SMALL: usize = 1_000_000;

/// How much is written, in packets or in bytes of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    Packets(u64),
    Bytes(u64),
}

impl Size {
    pub fn parse(text: &str) -> Option<Self> {
        let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
        let number: u64 = number.parse().ok()?;
        let (factor, size): (u64, fn(u64) -> Self) = match unit {
            "GB" => (1_000_000_000, Self::Bytes),
            "MB" => (1_000_000, Self::Bytes),
            "M" => (1_000_000, Self::Packets),
            "k" => (1_000, Self::Packets),
            "" => (1, Self::Packets),
            _ => return None,
        };
        Some(size(number.checked_mul(factor)?))
    }
}

/// What packets are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Pcap,
    Pcapng,
}

/// A capture that is being written: Ethernet, microseconds.
pub struct Output {
    out: Box<dyn Write>,
    format: Format,
    buffer: Vec<u8>,
    /// As pcap has it: other formats hold the same packets.
    left: Size,
    /// Since the beginning, in microseconds.
    pub clock: u64,
}

impl Output {
    pub fn new(out: Box<dyn Write>, format: Format, left: Size) -> Self {
        let header: &[u32] = match format {
            Format::Pcap => &[0xa1b2_c3d4, 0x0004_0002, 0, 0, 1 << 18, 1],
            // A section of unknown length, and in it an interface.
            Format::Pcapng => &[
                0x0a0d_0d0a,
                28,
                0x1a2b_3c4d,
                1,
                u32::MAX,
                u32::MAX,
                28,
                1,
                20,
                1,
                1 << 18,
                20,
            ],
        };
        let mut buffer = Vec::with_capacity(BUFFER + (1 << 17));
        buffer.extend(header.iter().flat_map(|word| word.to_le_bytes()));
        Self {
            out,
            format,
            buffer,
            left,
            clock: 0,
        }
    }

    /// Writes an IP packet in an Ethernet frame. What comes back may be patched until the next; `None` where the size is
    /// reached.
    pub fn send(&mut self, packet: &[u8]) -> io::Result<Option<&mut [u8]>> {
        let length = packet.len() + ETHERNET.len();
        match &mut self.left {
            Size::Packets(0) | Size::Bytes(0) => return Ok(None),
            Size::Packets(packets) => *packets -= 1,
            Size::Bytes(bytes) => *bytes = bytes.saturating_sub(16 + length as u64),
        }
        if self.buffer.len() > BUFFER {
            self.out.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        let at = START * 1_000_000 + self.clock;
        let (captured, padded) = (length as u32, length.next_multiple_of(4));
        let whole = padded as u32 + 32;
        let header: &[u32] = match self.format {
            Format::Pcap => &[
                (at / 1_000_000) as u32,
                (at % 1_000_000) as u32,
                captured,
                captured,
            ],
            Format::Pcapng => &[
                6,
                whole,
                0,
                (at >> 32) as u32,
                at as u32,
                captured,
                captured,
            ],
        };
        let words = header.iter().flat_map(|word| word.to_le_bytes());
        self.buffer.extend(words);
        self.buffer.extend(ETHERNET);
        let start = self.buffer.len();
        self.buffer.extend_from_slice(packet);
        if packet[0] >> 4 == 6 {
            self.buffer[start - 2..start].copy_from_slice(&[0x86, 0xdd]);
        }
        let end = self.buffer.len();
        if self.format == Format::Pcapng {
            self.buffer.resize(end + padded - length, 0);
            self.buffer.extend(whole.to_le_bytes());
        }
        Ok(Some(&mut self.buffer[start..end]))
    }

    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }
}

const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
/// The first packet's time, in seconds.
const START: u64 = 1_700_000_000;
const BUFFER: usize = 1 << 20;
