//! Expectations and conntracks that are over.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Possible;
use crate::conntrack::event::{Closed, ConntrackRecord, Ended, ExpectationRecord};
use crate::packet::tunnel::Tunnel;
use crate::service::Service;
use crate::stored;
use crate::time::Timestamp;

/// An expectation from its beginning to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClosedExpectation {
    /// As it was made.
    #[serde(with = "stored::shared")]
    pub record: Arc<ExpectationRecord>,
    /// What it was good for.
    pub outcome: Outcome,
    /// The packet that closed it; none where time or the end of the capture did.
    pub packet: Option<u64>,
    /// How long it stood open.
    pub open: Duration,
    /// It took the place of one that was the same: the hole was there before.
    pub continues: bool,
    /// How often its helper gave it more time.
    pub renewed: u64,
    /// The first who came for it.
    pub visitor: Option<Visitor>,
    /// What a forger could have chosen.
    pub possible: Possible,
}

impl ClosedExpectation {
    /// The same with so many more packets before it.
    pub fn count_on(&mut self, packets: u64) {
        let record = Arc::make_mut(&mut self.record);
        record.packet += packets;
        record.expectation.count_on(packets);
        if let Outcome::Unused(Closed::Matched { packet }) = &mut self.outcome {
            *packet += packets;
        }
        if let Some(packet) = &mut self.packet {
            *packet += packets;
        }
        if let Some(visitor) = &mut self.visitor {
            visitor.packet += packets;
        }
    }
}

/// Who came for an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visitor {
    /// Whose packet it was.
    pub src: IpAddr,
    /// From which port; of GRE the key.
    pub sport: u16,
    /// Its number in the capture.
    pub packet: u64,
    /// When it came.
    pub at: Timestamp,
}

/// What an expectation was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// A flow came for it.
    Used,
    /// A packet matched it that opened no flow, being INVALID or dropped: gone.
    Burned,
    /// Nobody came.
    Unused(Closed),
}

impl Outcome {
    /// As reports and tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Burned => "burned",
            Self::Unused(why) => why.name(),
        }
    }
}

/// A conntrack from its beginning to its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndedConntrack {
    /// As it was when it left the table.
    pub record: ConntrackRecord,
    /// Why it did.
    pub ended: Ended,
    /// Where it was expected: the service whose helper expected it.
    pub expected_by: Option<Service>,
}

/// A command that made no expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The packet's number in the capture.
    pub frame: u64,
    /// What its packet was taken out of.
    pub tunnel: Option<Tunnel>,
    /// When it came.
    pub at: Timestamp,
    /// Whose helper read it.
    pub service: Service,
    /// Who opened the control connection.
    pub client: IpAddr,
    /// The helper's words, or conntrack's.
    pub reason: &'static str,
    /// Where it stands in the payload; none where the helper says so of the whole packet.
    pub bytes: Option<std::ops::Range<usize>>,
    /// The helper dropped the packet.
    pub dropped: bool,
}
