//! What a helper expects, and on whose word.

use std::net::IpAddr;
use std::ops::Range;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::stored::{self, Word};
use crate::tuple::{self, Direction, Protocol, Tuple};

/// Where the value of a field came from. A wildcard has no origin: it is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// Taken from the master's tuple of this direction ("Fixed").
    Conntrack(Direction),
    /// Read from these bytes of the TCP or UDP payload of this packet, which may be an earlier one ("In CMD").
    Command { packet: u64, bytes: Range<u32> },
    /// The helper's own record, such as a registered port.
    Helper,
    /// The firewall's configuration, such as the mask of an interface.
    Config,
}

impl Origin {
    /// The same with so many more packets before it.
    fn count_on(&mut self, packets: u64) {
        if let Self::Command { packet, .. } = self {
            *packet += packets;
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sourced<T> {
    /// What is compared.
    pub value: T,
    /// Whose word it is.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// From the master's tuple of this direction.
    pub fn conntrack(value: T, direction: Direction) -> Self {
        Self {
            value,
            origin: Origin::Conntrack(direction),
        }
    }

    /// From these bytes of the payload of this packet.
    pub fn command(value: T, packet: u64, bytes: Range<usize>) -> Self {
        let bytes = saturate(bytes.start)..saturate(bytes.end);
        Self {
            value,
            origin: Origin::Command { packet, bytes },
        }
    }
}

/// The hole that a helper asks for: the first packet of a flow that shall be RELATED.
///
/// Destination address and port are always exact: the kernel's mask covers the source alone
/// (`struct nf_conntrack_tuple_mask`), so the type has no wildcard for them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Expectation {
    /// Of the flow to come.
    pub protocol: Protocol,
    /// `None`: anybody.
    pub src_addr: Option<Sourced<IpNet>>,
    /// `None`: any port.
    pub src_port: Option<Sourced<u16>>,
    /// To whom.
    pub dst_addr: Sourced<IpAddr>,
    /// To which port; of GRE the key.
    pub dst_port: Sourced<u16>,
    /// Index of the helper's policy (`max_expected`, `timeout`) that applies.
    pub class: u8,
    /// Whether it stays, waits, or has a twin.
    pub flags: Flags,
    /// The helper that the expected flow will carry itself.
    #[serde(deserialize_with = "stored::word_or_none")]
    pub helper: Option<Word>,
}

impl Expectation {
    /// From any port, of class 0, to be used once (`nf_ct_expect_init`).
    pub fn new(
        protocol: Protocol,
        src_addr: Option<Sourced<IpNet>>,
        dst_addr: Sourced<IpAddr>,
        dst_port: Sourced<u16>,
    ) -> Self {
        Self {
            protocol,
            src_addr,
            src_port: None,
            dst_addr,
            dst_port,
            class: 0,
            flags: Flags::default(),
            helper: None,
        }
    }

    /// The same with so many more packets before it.
    pub fn count_on(&mut self, packets: u64) {
        if let Some(src) = &mut self.src_addr {
            src.origin.count_on(packets);
        }
        if let Some(src) = &mut self.src_port {
            src.origin.count_on(packets);
        }
        self.dst_addr.origin.count_on(packets);
        self.dst_port.origin.count_on(packets);
    }

    /// The bytes of this packet that name the port; none where it stands elsewhere.
    pub fn named_in(&self, packet: u64) -> Range<usize> {
        match &self.dst_port.origin {
            Origin::Command { packet: of, bytes } if *of == packet => {
                bytes.start as usize..bytes.end as usize
            }
            _ => 0..0,
        }
    }

    /// What it names of the first packet, and zeros for what is not compared (`struct nf_conntrack_expect`, `tuple`).
    pub fn tuple(&self) -> Tuple {
        let dst = self.dst_addr.value;
        let src = self.src_addr.as_ref().map(|src| src.value.addr());
        Tuple {
            src: src.unwrap_or(tuple::unspecified(dst)),
            dst,
            sport: self.src_port.as_ref().map_or(0, |port| port.value),
            dport: self.dst_port.value,
            protocol: self.protocol,
        }
    }
}

/// A number that no other expectation of the replay has, in order of creation from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExpectationId(pub u64);

/// `enum nf_ct_expect_flags` (uapi `nf_conntrack_common.h`), and the one `expectfn` that does something without
/// address translation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flags {
    /// Stays after a match; still times out.
    pub permanent: bool,
    /// Matches nothing until it is activated.
    pub inactive: bool,
    /// When it matches, what is expected in the opposite direction falls with it (`pptp_expectfn`).
    pub paired: bool,
}

impl Flags {
    /// The number that ctnetlink reports.
    pub fn bits(self) -> u32 {
        u32::from(self.permanent) | u32::from(self.inactive) << 1
    }
}

/// A network; a single host without its prefix length.
pub fn network(net: IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        net.addr().to_string()
    } else {
        net.trunc().to_string()
    }
}

/// A payload is shorter than 64 KiB, so this never saturates in practice.
fn saturate(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
