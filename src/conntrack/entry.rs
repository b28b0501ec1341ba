//! One conntrack, and what the trackers of the protocols may do to it.

use std::time::Duration;

use super::Reason;
use super::dccp::Dccp;
use super::event::{ConntrackId, ConntrackRecord, Life, Root, Status};
use super::sctp::Sctp;
use super::tcp::Tcp;
use crate::expectation::ExpectationId;
use crate::helper::{Helper, Spec};
use crate::packet::Packet;
use crate::packet::tunnel::Tunnel;
use crate::time::Timestamp;
use crate::tuple::{Direction, Tuple};

/// A flow in both directions (`struct nf_conn`). Millions may be alive, and each packet touches all of one: it is kept
/// small, and what few flows have lies elsewhere.
pub struct Conntrack {
    pub id: ConntrackId,
    pub original: Tuple,
    pub status: Status,
    pub cached: Cached,
    pub expires: Timestamp,
    pub l4: L4,
    pub life: Life,
    extensions: Option<Box<Extensions>>,
}

/// What few flows have (`struct nf_ct_ext`).
#[derive(Default)]
struct Extensions {
    related: Option<Related>,
    help: Option<Help>,
    tunnel: Option<Tunnel>,
}

/// What the protocol's tracker remembers.
#[derive(Clone, Debug, Default)]
pub enum L4 {
    #[default]
    Stateless,
    Tcp(Tcp),
    /// The flow counts as a stream from this instant on.
    Udp(Timestamp),
    Sctp(Sctp),
    Dccp(Dccp),
}

/// Where an expected flow comes from. It outlives the master, as the kernel's reference does.
#[derive(Clone, Debug)]
pub struct Related {
    pub expectation: ExpectationId,
    pub master: Tuple,
    pub master_id: ConntrackId,
    pub root: Root,
    /// The master's helper: what `ct helper "ftp"` matches on the expected flow.
    pub helper: &'static str,
}

/// A helper at work on one flow.
pub struct Help {
    /// Its name to rules.
    pub name: &'static str,
    pub spec: &'static Spec,
    /// `None` while it reads a packet.
    pub helper: Option<Box<dyn Helper>>,
    /// Slots of what it expects now, newest first.
    pub expectations: Vec<u32>,
}

impl Conntrack {
    /// Of the flow that this packet begins.
    pub fn new(id: ConntrackId, original: Tuple, packet: &Packet<'_>, now: Timestamp) -> Self {
        let mut new = Self {
            id,
            original,
            status: Status::default(),
            cached: Cached::default(),
            expires: now,
            l4: L4::Stateless,
            life: Life::begin(packet.number, now),
            extensions: None,
        };
        if packet.tunnel.is_some() {
            new.extend().tunnel = packet.tunnel.copied();
        }
        new
    }

    /// Reads something of each of its parts.
    #[inline]
    pub fn touch(&self) -> u64 {
        let of_tcp = match &self.l4 {
            L4::Tcp(tcp) => u64::from(tcp.retransmissions()),
            _ => 0,
        };
        self.id.0
            ^ self.expires.nanos().cast_unsigned()
            ^ u64::from(self.extensions.is_some())
            ^ self.life.packets[0]
            ^ of_tcp
            ^ self.life.bytes[1]
            ^ self.life.first_packet
            ^ u64::from(self.original.dport)
    }

    /// The other direction's tuple: without address translation, the inverse. A flow whose tuple has none is never made.
    pub fn reply(&self) -> Tuple {
        self.original.inverse().unwrap_or(self.original)
    }

    /// Which of its directions this tuple is. Where both are one tuple (an address that talks to itself), the kernel meets
    /// the reply first: it was inserted last (`__nf_conntrack_hash_insert`).
    #[inline]
    pub fn direction_of(&self, tuple: &Tuple) -> Option<Direction> {
        if tuple.answers(&self.original) {
            return Some(Direction::Reply);
        }
        (*tuple == self.original).then_some(Direction::Original)
    }

    /// For an expected flow.
    pub fn related(&self) -> Option<&Related> {
        self.extensions.as_ref()?.related.as_ref()
    }

    pub fn relate(&mut self, related: Related) {
        self.extend().related = Some(related);
    }

    /// For a flow that a helper reads.
    pub fn help(&self) -> Option<&Help> {
        self.extensions.as_ref()?.help.as_ref()
    }

    pub fn help_mut(&mut self) -> Option<&mut Help> {
        self.extensions.as_mut()?.help.as_mut()
    }

    pub fn attach(&mut self, help: Help) {
        self.extend().help = Some(help);
    }

    fn extend(&mut self) -> &mut Extensions {
        self.extensions.get_or_insert_default()
    }

    /// The flow that the helper of this one comes from.
    pub fn root(&self, helper: &'static str) -> Root {
        let tuple = self.original;
        let related = self.related();
        related.map_or(Root { helper, tuple }, |related| related.root)
    }

    /// As ctnetlink would describe it now, with everything it knows.
    pub fn record(&self, now: Timestamp) -> ConntrackRecord {
        ConntrackRecord {
            id: self.id,
            original: self.original,
            reply: self.reply(),
            status: self.status,
            timeout: self.expires.since(now),
            state: match &self.l4 {
                L4::Tcp(tcp) => Some(tcp.state.name()),
                L4::Sctp(sctp) => Some(sctp.state.name()),
                L4::Dccp(dccp) => Some(dccp.state.name()),
                L4::Stateless | L4::Udp(_) => None,
            },
            helper: self.help().map(|help| help.name),
            master: self.related().map(|related| related.master),
            expectation: self.related().map(|related| related.expectation),
            root: self.related().map(|related| related.root),
            master_helper: self.related().map(|related| related.helper),
            tunnel: self.extensions.as_ref().and_then(|more| more.tunnel),
            life: self.life,
        }
    }
}

/// A tracker's word on a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It belongs to the flow; the entry may stay this much longer, or as long as before.
    Accept(Option<Duration>),
    Invalid(Reason),
    /// The kernel throws the packet away on the spot (`NF_DROP`).
    Drop(Reason),
    /// It belongs to the flow, which is over with it.
    Kill,
    /// The entry is of a flow that is over, and this packet opens another one.
    Reopen,
}

/// Changes that ctnetlink is to be told once the packet passes (`enum ip_conntrack_events`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cached(u8);

impl Cached {
    pub const NEW: Self = Self(1 << 0);
    pub const RELATED: Self = Self(1 << 1);
    pub const REPLY: Self = Self(1 << 2);
    pub const ASSURED: Self = Self(1 << 3);
    pub const PROTOINFO: Self = Self(1 << 4);

    pub fn set(&mut self, changes: Self) {
        self.0 |= changes.0;
    }

    pub fn has(self, changes: Self) -> bool {
        self.0 & changes.0 != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
