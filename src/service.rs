//! A server, by the helper that is attached for it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::conntrack::event::Root;
use crate::stored::{self, Word};
use crate::tuple::Protocol;

/// What a rule that attaches a helper names: the helper, and where control connections to it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Service {
    /// By the name that rules use.
    #[serde(deserialize_with = "stored::word")]
    pub helper: Word,
    /// Of the control connection.
    pub protocol: Protocol,
    /// To whom clients connect.
    pub server: IpAddr,
    /// The destination port of control connections.
    pub port: u16,
}

impl Service {
    /// The service that a control connection uses.
    pub fn of(root: &Root) -> Self {
        Self {
            helper: root.helper,
            protocol: root.tuple.protocol,
            server: root.tuple.dst,
            port: root.tuple.dport,
        }
    }
}

/// How often something was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// How often.
    pub times: u64,
    /// The first time, by its packet; 0 where it was never seen.
    pub first: u64,
}

impl Sighting {
    /// Counts one more, in this packet.
    pub fn add(&mut self, packet: u64) {
        if self.times == 0 {
            self.first = packet;
        }
        self.times += 1;
    }

    /// The same with so many more packets before it.
    pub fn count_on(&mut self, packets: u64) {
        if self.times > 0 {
            self.first += packets;
        }
    }

    /// Takes in what was seen elsewhere.
    pub fn merge(&mut self, other: Self) {
        if other.times > 0 && (self.times == 0 || other.first < self.first) {
            self.first = other.first;
        }
        self.times += other.times;
    }
}
