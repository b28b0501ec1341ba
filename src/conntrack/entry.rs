//! One conntrack, and what the trackers of the protocols may do to it.

use std::time::Duration;

use super::Reason;
use super::dccp::Dccp;
use super::event::{ConntrackId, ConntrackRecord, Life, Root, Status};
use super::sctp::Sctp;
use super::tcp::Tcp;
use crate::expectation::ExpectationId;
use crate::helper::{Helper, Spec};
use crate::time::Timestamp;
use crate::tuple::Tuple;

/// A flow in both directions (`struct nf_conn`). Without address translation the reply tuple is the inverse of the
/// original one; it is kept because every packet is compared with both.
pub struct Conntrack {
    pub id: ConntrackId,
    pub original: Tuple,
    pub reply: Tuple,
    pub status: Status,
    pub cached: Cached,
    pub expires: Timestamp,
    pub l4: L4,
    pub life: Life,
    /// For an expected flow.
    pub related: Option<Box<Related>>,
    /// For a flow that a helper reads.
    pub help: Option<Box<Help>>,
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
    /// The flow that the helper of this one comes from.
    pub fn root(&self, helper: &'static str) -> Root {
        let tuple = self.original;
        let related = self.related.as_ref();
        related.map_or(Root { helper, tuple }, |related| related.root)
    }

    /// As ctnetlink would describe it now, with everything it knows.
    pub fn record(&self, now: Timestamp) -> ConntrackRecord {
        ConntrackRecord {
            id: self.id,
            original: self.original,
            reply: self.reply,
            status: self.status,
            timeout: self.expires.since(now),
            state: match &self.l4 {
                L4::Tcp(tcp) => Some(tcp.state.name()),
                L4::Sctp(sctp) => Some(sctp.state.name()),
                L4::Dccp(dccp) => Some(dccp.state.name()),
                L4::Stateless | L4::Udp(_) => None,
            },
            helper: self.help.as_ref().map(|help| help.name),
            master: self.related.as_ref().map(|related| related.master),
            expectation: self.related.as_ref().map(|related| related.expectation),
            root: self.related.as_ref().map(|related| related.root),
            master_helper: self.related.as_ref().map(|related| related.helper),
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
