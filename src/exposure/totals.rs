//! Sums over all frames.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::LoggedBy;
use crate::conntrack::{Reason, State};
use crate::packet::Packet;
use crate::packet::link::NoIp;
use crate::packet::tunnel::{self, Tunnel};
use crate::service::Sighting;
use crate::stored;
use crate::time::Timestamp;
use crate::tuple::Protocol;

/// Sums over all frames.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Totals {
    /// All, with IP or without.
    pub frames: u64,
    /// By LINKTYPE_ number.
    pub links: BTreeMap<u16, Link>,
    /// Of NFLOG captures.
    pub logged: LoggedBy,
    /// Packets of TCP longer than Ethernet carries by default.
    pub merged: u64,
    /// Packets that the snap length cut off.
    pub cut: u64,
    /// The timestamp of the first frame.
    pub first: Option<Timestamp>,
    /// The latest timestamp.
    pub last: Option<Timestamp>,
    /// Frames whose timestamp lies before an earlier one's, and those at which the clock was set back or leapt.
    pub late: u64,
    /// Frames at which the clock was set back.
    pub set_back: u64,
    /// Frames at which the clock leapt ahead.
    pub leaps: u64,
    /// Packets of IPv4 and of IPv6 that came to the rules.
    pub families: [u64; 2],
    /// Packets and IP bytes, by `State`.
    states: [Count; 6],
    /// Packets that are invalid, dropped, or never came to the rules, by why.
    #[serde(with = "stored::pairs")]
    pub reasons: BTreeMap<Reason, u64>,
    /// Packets that went in and did not come out.
    pub dropped: u64,
    /// What packets were taken out of; of several tunnels around each other, the innermost.
    pub tunnels: BTreeMap<tunnel::Kind, Tunnels>,
    /// Packets that carry others and were not looked into.
    pub unopened: BTreeMap<tunnel::Kind, u64>,
    /// Those that entered the table.
    #[serde(with = "stored::pairs")]
    pub conntracks: BTreeMap<Protocol, Flows>,
    /// TCP connections whose beginning the capture does not hold.
    pub picked_up: u64,
    /// Conntracks that gave way because the table was full.
    pub early_drops: u64,
}

/// Frames of one link type.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Link {
    /// All of this link type.
    pub frames: u64,
    /// Those that were captured before.
    pub duplicates: u64,
    /// Those without an IP packet.
    pub without_ip: BTreeMap<NoIp, u64>,
}

impl Link {
    /// Frames with an IP packet.
    pub fn with_ip(&self) -> u64 {
        let others = self.duplicates + self.without_ip.values().sum::<u64>();
        self.frames.saturating_sub(others)
    }

    fn absorb(&mut self, other: Self) {
        self.frames += other.frames;
        self.duplicates += other.duplicates;
        for (why, frames) in other.without_ip {
            *self.without_ip.entry(why).or_default() += frames;
        }
    }
}

/// Tunnels of one kind that were looked into.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tunnels {
    /// All that were taken out of such a tunnel.
    pub packets: u64,
    /// Different ones, the first thousand.
    pub ids: BTreeSet<u32>,
    /// Between whom they are, either way round, the first thousand.
    pub ends: BTreeSet<(IpAddr, IpAddr)>,
}

impl Tunnels {
    fn add(&mut self, tunnel: &Tunnel) {
        self.packets += 1;
        let Tunnel { id, src, dst, .. } = *tunnel;
        if let Some(id) = id {
            list(&mut self.ids, id);
        }
        list(&mut self.ends, (src.min(dst), src.max(dst)));
    }

    fn absorb(&mut self, other: Self) {
        self.packets += other.packets;
        for id in other.ids {
            list(&mut self.ids, id);
        }
        for ends in other.ends {
            list(&mut self.ends, ends);
        }
    }
}

/// The first ones alone are told apart.
fn list<T: Ord>(listed: &mut BTreeSet<T>, one: T) {
    if listed.len() < LISTED {
        listed.insert(one);
    }
}

/// Conntracks of one protocol.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Flows {
    /// Those that entered the table.
    pub all: u64,
    /// Nobody answered.
    pub unreplied: u64,
    /// With traffic both ways that a full table spares.
    pub assured: u64,
}

/// Packets, how long they are, and where they begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// How many.
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
    /// The first packet's number.
    pub first: u64,
}

impl Count {
    pub(super) fn add(&mut self, packet: u64, bytes: u64) {
        if self.packets == 0 {
            self.first = packet;
        }
        self.packets += 1;
        self.bytes += bytes;
    }

    pub(super) fn count_on(&mut self, packets: u64) {
        if self.packets > 0 {
            self.first += packets;
        }
    }

    /// Takes in what was counted behind it.
    pub(super) fn absorb(&mut self, other: Self) {
        if self.packets == 0 {
            self.first = other.first;
        }
        self.packets += other.packets;
        self.bytes += other.bytes;
    }
}

impl Totals {
    /// Packets of this state.
    pub fn state(&self, state: State) -> Count {
        self.states[state as usize]
    }

    pub(super) fn count(&mut self, state: State) -> &mut Count {
        &mut self.states[state as usize]
    }

    /// What the packet was taken out of, and what there still is in it.
    pub(super) fn tunnel(&mut self, packet: &Packet<'_>) {
        if let Some(tunnel) = &packet.tunnel {
            self.tunnels.entry(tunnel.kind).or_default().add(tunnel);
        }
        if let Some(opened) = tunnel::open(packet) {
            *self.unopened.entry(opened.tunnel.kind).or_default() += 1;
        }
    }

    pub(super) fn count_on(&mut self, frames: u64) {
        let states = self.states.iter_mut();
        states.for_each(|count| count.count_on(frames));
        self.logged.count_on(frames);
    }

    /// Takes in sums over frames behind these, or beside them.
    pub(super) fn absorb(&mut self, other: Self) {
        let Self {
            frames,
            links,
            logged,
            merged,
            cut,
            first,
            last,
            late,
            set_back,
            leaps,
            families,
            states,
            reasons,
            dropped,
            tunnels,
            unopened,
            conntracks,
            picked_up,
            early_drops,
        } = other;
        self.frames += frames;
        for (link, other) in links {
            self.links.entry(link).or_default().absorb(other);
        }
        self.logged.absorb(logged);
        self.merged += merged;
        self.cut += cut;
        self.first = [self.first, first].into_iter().flatten().min();
        self.last = self.last.max(last);
        self.late += late;
        self.set_back += set_back;
        self.leaps += leaps;
        for (packets, others) in self.families.iter_mut().zip(families) {
            *packets += others;
        }
        for (count, other) in self.states.iter_mut().zip(states) {
            count.absorb(other);
        }
        for (reason, packets) in reasons {
            *self.reasons.entry(reason).or_default() += packets;
        }
        self.dropped += dropped;
        for (kind, other) in tunnels {
            self.tunnels.entry(kind).or_default().absorb(other);
        }
        for (kind, packets) in unopened {
            *self.unopened.entry(kind).or_default() += packets;
        }
        for (protocol, other) in conntracks {
            let flows = self.conntracks.entry(protocol).or_default();
            flows.all += other.all;
            flows.unreplied += other.unreplied;
            flows.assured += other.assured;
        }
        self.picked_up += picked_up;
        self.early_drops += early_drops;
    }

    /// From the first frame to the last.
    pub fn duration(&self) -> Duration {
        self.first
            .zip(self.last)
            .map_or(Duration::ZERO, |(first, last)| last.since(first))
    }
}

/// An ICMP error that belonged to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IcmpError {
    /// ICMP or ICMPv6.
    pub protocol: Protocol,
    /// The type.
    pub kind: u8,
}

/// ICMP errors of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcmpErrors {
    /// All of them.
    pub seen: Count,
    /// Of these, the ones that the firewall forwarded, and those to itself.
    pub forwarded: Sighting,
    /// Those that the firewall took in itself.
    pub delivered: Sighting,
}

impl IcmpErrors {
    pub(super) fn count_on(&mut self, packets: u64) {
        self.seen.count_on(packets);
        self.forwarded.count_on(packets);
        self.delivered.count_on(packets);
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.seen.absorb(other.seen);
        self.forwarded.merge(other.forwarded);
        self.delivered.merge(other.delivered);
    }
}

const LISTED: usize = 1000;
