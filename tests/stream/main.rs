//! Traffic without end, on standard output as pcap: what memory and time are measured with.
//!
//! ```text
//! cargo run --release --example traffic -- office 20GB | ctaudit analyse -
//! ```
//!
//! Everything follows from the workload and its size, so that a measurement can be made again. Packets are written once
//! and patched wherever they are sent: a few nanoseconds each, so that it is the reader who is measured.

mod flood;
mod script;
mod stage;

#[allow(dead_code)] // These two are the tests'.
#[path = "../traffic/flow.rs"]
mod flow;
#[allow(dead_code)]
#[path = "../traffic/packet.rs"]
mod packet;

use std::io::{self, StdoutLock, Write};
use std::process::ExitCode;

use stage::Stage;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parsed = match &arguments[..] {
        [workload, size] => Size::parse(size).map(|size| (workload.as_str(), size)),
        _ => None,
    };
    let Some((workload, size)) = parsed else {
        eprintln!("usage: traffic {WORKLOADS} SIZE\n\nSIZE: 50M packets, or 20GB (or 500MB)");
        return ExitCode::from(2);
    };
    let mut out = Output::new(size);
    let written = match workload {
        "office" => Stage::new(script::office(), 2_000, FLOW).play(&mut out),
        "expectations" => Stage::new(script::expectations(), 3_000, FLOW / 60).play(&mut out),
        "findings" => Stage::new(script::findings(), 1_000, FLOW / 60).play(&mut out),
        "syn-flood" => flood::syns(&mut out),
        "fragments" => flood::fragments(&mut out),
        _ => {
            eprintln!("no workload {workload}: {WORKLOADS}");
            return ExitCode::from(2);
        }
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

const WORKLOADS: &str = "office|syn-flood|expectations|fragments|findings";

/// Of capture time, in microseconds, between two new flows: a million an hour.
const FLOW: u64 = 3600;

/// How much is written, in packets or in bytes of the file.
#[derive(Clone, Copy)]
enum Size {
    Packets(u64),
    Bytes(u64),
}

impl Size {
    fn parse(text: &str) -> Option<Self> {
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

/// A pcap file on standard output, Ethernet, microseconds.
pub struct Output {
    out: StdoutLock<'static>,
    buffer: Vec<u8>,
    left: Size,
    /// Since the beginning, in microseconds.
    pub clock: u64,
}

impl Output {
    fn new(left: Size) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER + (1 << 17));
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 1 << 18, 1] {
            buffer.extend(u32::to_le_bytes(word));
        }
        Self {
            out: io::stdout().lock(),
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
            self.flush()?;
        }
        let (seconds, micros) = (self.clock / 1_000_000, self.clock % 1_000_000);
        for word in [
            seconds as u32 + START,
            micros as u32,
            length as u32,
            length as u32,
        ] {
            self.buffer.extend(word.to_le_bytes());
        }
        self.buffer.extend(ETHERNET);
        let start = self.buffer.len();
        self.buffer.extend_from_slice(packet);
        if packet[0] >> 4 == 6 {
            self.buffer[start - 2..start].copy_from_slice(&[0x86, 0xdd]);
        }
        Ok(Some(&mut self.buffer[start..]))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        self.out.flush()
    }
}

const ETHERNET: [u8; 14] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
/// The first packet's time, in seconds.
const START: u32 = 1_700_000_000;
const BUFFER: usize = 1 << 20;
