//! What conntrack has to tell: the events of `conntrack -E` and `conntrack -E expect`, with their causes.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::expectation::{Expectation, ExpectationId, Origin};
use crate::packet::tunnel::Tunnel;
use crate::stored::{self, Word};
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol, Tuple};

/// Something that happened to a conntrack or an expectation, or that a helper decided.
#[derive(Clone, Debug)]
pub enum Event {
    /// The conntrack entered the table.
    ConntrackNew(ConntrackRecord),
    /// State, ASSURED or SEEN_REPLY changed.
    ConntrackUpdate(ConntrackRecord),
    /// The conntrack left the table.
    ConntrackDestroy(ConntrackRecord, Ended),
    /// A helper made it.
    ExpectationNew(Arc<ExpectationRecord>),
    /// Its helper activated it, or gave it more time. The kernel tells nobody.
    ExpectationRenewed {
        /// As it was made.
        expectation: Arc<ExpectationRecord>,
        /// From now on.
        timeout: Duration,
    },
    /// It can be matched no longer.
    ExpectationDestroy {
        /// As it was made.
        expectation: Arc<ExpectationRecord>,
        /// What ended it.
        why: Closed,
        /// How long it could have been matched: an inactive one never.
        open: Duration,
        /// What its timer still had to run.
        left: Duration,
    },
    /// A helper saw something that looks like a command and expects nothing, or conntrack did not take what it wanted to
    /// expect.
    Declined {
        /// Whose control connection it was said on.
        root: Root,
        /// A helper's words, or conntrack's.
        reason: &'static str,
        /// Where it stands in the payload.
        bytes: Range<usize>,
    },
    /// A helper dropped the packet.
    Refused {
        /// Whose control connection it was said on.
        root: Root,
        /// The kernel's log line.
        reason: &'static str,
    },
}

/// A number that no other conntrack of the replay has, in order of creation from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConntrackId(pub u64);

/// A conntrack as ctnetlink would report it at this moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConntrackRecord {
    /// Which of the replay's conntracks it is.
    pub id: ConntrackId,
    /// Of the packet that opened it.
    pub original: Tuple,
    /// Of the answers to it. Without translation the inverse.
    pub reply: Tuple,
    /// The bits of this moment.
    pub status: Status,
    /// What its timer has to run.
    pub timeout: Duration,
    /// Of TCP, SCTP and DCCP. Told with an event where it changed, as ctnetlink does.
    #[serde(deserialize_with = "stored::word_or_none")]
    pub state: Option<Word>,
    /// What reads the flow itself.
    #[serde(deserialize_with = "stored::word_or_none")]
    pub helper: Option<Word>,
    /// Told with the first event of an expected flow.
    pub master: Option<Tuple>,
    /// Of an expected flow: what it came for.
    pub expectation: Option<ExpectationId>,
    /// Of an expected flow: whose helper began it all.
    pub root: Option<Root>,
    /// What a rule's `ct helper` matches on an expected flow: the helper of the master.
    #[serde(deserialize_with = "stored::word_or_none")]
    pub master_helper: Option<Word>,
    /// What its first packet was taken out of.
    pub tunnel: Option<Tunnel>,
    /// Packets, bytes and times.
    pub life: Life,
}

impl ConntrackRecord {
    /// A TCP connection that was open when conntrack first saw it (`nf_conntrack_tcp_loose`). Of a record as it is told
    /// when the conntrack enters the table.
    pub fn is_picked_up(&self) -> bool {
        self.original.protocol == Protocol::TCP && self.state == Some("ESTABLISHED")
    }
}

/// What a conntrack has seen so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    /// Number of the packet that opened it.
    pub first_packet: u64,
    /// When that packet came.
    pub first_at: Timestamp,
    /// When the last one came.
    pub last_at: Timestamp,
    /// By direction; ICMP errors about the flow are not counted.
    pub packets: [u64; 2],
    /// IP bytes, by direction.
    pub bytes: [u64; 2],
}

impl Life {
    /// Of a conntrack without a packet; its first one is counted like any other.
    pub fn begin(first_packet: u64, at: Timestamp) -> Self {
        Self {
            first_packet,
            first_at: at,
            last_at: at,
            packets: [0; 2],
            bytes: [0; 2],
        }
    }

    /// Takes in a packet with so many IP bytes.
    pub fn count(&mut self, at: Timestamp, direction: Direction, bytes: usize) {
        self.last_at = at;
        self.packets[direction.index()] += 1;
        self.bytes[direction.index()] += bytes as u64;
    }
}

/// An expectation as it was made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExpectationRecord {
    /// Which of the replay's expectations it is.
    pub id: ExpectationId,
    /// What is expected, and on whose word.
    pub expectation: Expectation,
    /// The flow that it was asked for on.
    pub master_id: ConntrackId,
    /// The master's original tuple.
    pub master: Tuple,
    /// The helper that made it.
    #[serde(deserialize_with = "stored::word")]
    pub helper: Word,
    /// Whose helper began it all.
    pub root: Root,
    /// The packet at which it was made.
    pub packet: u64,
    /// What that was taken out of.
    pub tunnel: Option<Tunnel>,
    /// Which way that packet went: on whose word the hole opened.
    pub direction: Direction,
    /// When it was made.
    pub at: Timestamp,
    /// That of its class, from `at` on.
    pub timeout: Duration,
}

impl ExpectationRecord {
    /// Whom it lets somebody in to, where the payload names neither end of the master.
    pub fn third_host(&self) -> Option<IpAddr> {
        let named = &self.expectation.dst_addr;
        let ends = [self.master.src, self.master.dst];
        let is_third =
            matches!(named.origin, Origin::Command { .. }) && !ends.contains(&named.value);
        is_third.then_some(named.value)
    }
}

/// The flow that a rule attached a helper to: for one that inherited its helper, its master, or the master's master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// By the name that the rule used.
    #[serde(deserialize_with = "stored::word")]
    pub helper: Word,
    /// Client to server.
    pub tuple: Tuple,
}

/// Why a conntrack left the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Ended {
    /// No packet came in time.
    TimedOut,
    /// A RST answered before anything else did.
    Reset,
    /// A SYN reopened a closed connection; a fresh conntrack took its place.
    Reopened,
    /// The table was full.
    EarlyDrop,
    /// The helper of another flow ended it (a PPTP call).
    Killed,
    /// The capture ended first.
    StillOpen,
}

/// Why an expectation went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Closed {
    /// The packet with this number matched it.
    Matched {
        /// Counted over the capture.
        packet: u64,
    },
    /// Nobody came in time.
    TimedOut,
    /// The same one was made again.
    Refreshed,
    /// Its class was full; the oldest gave way.
    Evicted,
    /// The helper took it back, or the other one of a pair matched.
    Withdrawn,
    /// The flow that it was asked for on left the table.
    MasterGone,
    /// The capture ended first.
    StillOpen,
}

impl Ended {
    /// As reports and tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimedOut => "timed out",
            Self::Reset => "reset",
            Self::Reopened => "reopened",
            Self::EarlyDrop => "early drop",
            Self::Killed => "killed",
            Self::StillOpen => "still open",
        }
    }
}

impl Closed {
    /// As reports and tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched { .. } => "matched",
            Self::TimedOut => "timed out",
            Self::Refreshed => "refreshed",
            Self::Evicted => "evicted",
            Self::Withdrawn => "withdrawn",
            Self::MasterGone => "master gone",
            Self::StillOpen => "still open",
        }
    }
}

/// The status bits of a conntrack (`enum ip_conntrack_status`, uapi `nf_conntrack_common.h`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status(u16);

impl Status {
    /// `IPS_EXPECTED`: it came for an expectation.
    pub const EXPECTED: Self = Self(1 << 0);
    /// `IPS_SEEN_REPLY`: somebody answered.
    pub const SEEN_REPLY: Self = Self(1 << 1);
    /// `IPS_ASSURED`: a full table does not end it early.
    pub const ASSURED: Self = Self(1 << 2);
    /// `IPS_CONFIRMED`: its first packet has left, and it is in the table.
    pub const CONFIRMED: Self = Self(1 << 3);
    /// `IPS_SRC_NAT`, which rules may ask for and the simulation never sets.
    pub const SRC_NAT: Self = Self(1 << 4);
    /// `IPS_DST_NAT`, likewise.
    pub const DST_NAT: Self = Self(1 << 5);
    /// `IPS_DYING`: it is being taken out of the table.
    pub const DYING: Self = Self(1 << 9);
    /// `IPS_HELPER`: a rule attached its helper.
    pub const HELPER: Self = Self(1 << 13);

    /// Whether all of the bits are set.
    pub fn has(self, bits: Self) -> bool {
        self.0 & bits.0 == bits.0
    }

    /// Whether one of the bits at least is set.
    pub fn has_any(self, bits: Self) -> bool {
        self.0 & bits.0 != 0
    }

    /// Sets the bits; `true` where they were not set before.
    pub fn set(&mut self, bits: Self) -> bool {
        let before = self.0;
        self.0 |= bits.0;
        self.0 != before
    }

    /// Names of the bits that are set, in the kernel's order.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        const NAMES: [(Status, &str); 6] = [
            (Status::EXPECTED, "EXPECTED"),
            (Status::SEEN_REPLY, "SEEN_REPLY"),
            (Status::ASSURED, "ASSURED"),
            (Status::CONFIRMED, "CONFIRMED"),
            (Status::DYING, "DYING"),
            (Status::HELPER, "HELPER"),
        ];
        NAMES
            .into_iter()
            .filter(move |(bit, _)| self.has(*bit))
            .map(|(_, name)| name)
    }
}
