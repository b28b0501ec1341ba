//! The tracker, packet by packet.

mod calls;
mod declined;
mod expect;
mod gre;
mod tcp;
mod timeouts;

use std::net::IpAddr;
use std::time::Duration;

use ctaudit::conntrack::event::Event;
use ctaudit::conntrack::{State, Tracker, Verdict};
use ctaudit::packet::Decoder;
use ctaudit::time::Timestamp;

use crate::support::firewall;
use crate::traffic::packet;

/// A firewall and a clock.
pub struct Bench {
    tracker: Tracker,
    decoder: Decoder,
    now: Timestamp,
    number: u64,
    /// What the last packet caused, and what time did before it.
    pub events: Vec<Event>,
    pub late: Vec<Event>,
}

impl Bench {
    pub fn new(series: &str, sysctls: &[&str]) -> Self {
        let mut config = firewall(series, false);
        sysctls
            .iter()
            .for_each(|sysctl| config.sysctls.set(sysctl).unwrap());
        Self::of(Tracker::new(config))
    }

    pub fn of(tracker: Tracker) -> Self {
        Self {
            tracker,
            decoder: Decoder::default(),
            now: Timestamp::from_nanos(1_700_000_000_000_000_000),
            number: 0,
            events: Vec::new(),
            late: Vec::new(),
        }
    }

    pub fn wait(&mut self, duration: Duration) -> &mut Self {
        self.now = self.now + duration;
        self
    }

    pub fn wait_seconds(&mut self, seconds: u64) -> &mut Self {
        self.wait(Duration::from_secs(seconds))
    }

    /// Sends an IP packet through the firewall.
    pub fn send(&mut self, ip: &[u8]) -> Verdict {
        self.number += 1;
        // 101: raw IP
        let packet = self
            .decoder
            .decode(self.now, self.number, 101, ip)
            .unwrap()
            .unwrap();
        let step = self.tracker.packet(self.now, &packet);
        self.events = step.events.to_vec();
        self.late = step.late.iter().map(|late| late.event.clone()).collect();
        step.verdict
    }

    pub fn state(&mut self, ip: &[u8]) -> State {
        self.send(ip).state
    }
}

/// Address and port.
pub type End = (&'static str, u16);

pub fn end((address, port): End) -> packet::End {
    packet::End {
        address: address.parse::<IpAddr>().unwrap(),
        port,
    }
}

pub fn udp(from: End, to: End, payload: &[u8]) -> Vec<u8> {
    packet::udp(end(from), end(to), payload)
}

/// A TCP segment by its fields.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'s> {
    pub flags: &'s str,
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    pub options: &'s [u8],
    pub payload: &'s [u8],
}

pub fn segment(flags: &str, seq: u32, ack: u32) -> Segment<'_> {
    Segment {
        flags,
        seq,
        ack,
        window: 8192,
        options: &[],
        payload: &[],
    }
}

pub fn tcp(from: End, to: End, segment: Segment<'_>) -> Vec<u8> {
    let (from, to) = (end(from), end(to));
    let flags = segment.flags.chars().fold(0u8, |flags, letter| {
        flags
            | 1 << "FSRPAU"
                .find(letter)
                .unwrap_or_else(|| panic!("no flag {letter}"))
    });
    assert!(segment.options.len().is_multiple_of(4));
    let offset = (5 + segment.options.len() as u8 / 4) << 4;
    let mut bytes = Vec::new();
    bytes.extend(from.port.to_be_bytes());
    bytes.extend(to.port.to_be_bytes());
    bytes.extend(segment.seq.to_be_bytes());
    bytes.extend(segment.ack.to_be_bytes());
    bytes.extend([offset, flags]);
    bytes.extend(segment.window.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(segment.options);
    bytes.extend(segment.payload);
    packet::ip(from.address, to.address, packet::TCP, bytes)
}
