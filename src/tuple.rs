//! The five fields by which conntrack knows a flow, and their inversion.

use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use hashbrown::DefaultHashBuilder;
use serde::{Deserialize, Serialize};

/// An IP protocol number. It is written the way `conntrack -L` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Protocol(pub u8);

impl Protocol {
    /// RFC 792
    pub const ICMP: Self = Self(1);
    /// RFC 9293
    pub const TCP: Self = Self(6);
    /// RFC 768
    pub const UDP: Self = Self(17);
    /// RFC 4340
    pub const DCCP: Self = Self(33);
    /// RFC 2784; PPTP's is that of RFC 2637.
    pub const GRE: Self = Self(47);
    /// RFC 4443
    pub const ICMPV6: Self = Self(58);
    /// RFC 9260
    pub const SCTP: Self = Self(132);
    /// RFC 3828
    pub const UDPLITE: Self = Self(136);

    /// The name that netfilter's tools use, where there is one.
    pub fn name(self) -> Option<&'static str> {
        NAMES
            .iter()
            .find(|(number, _)| *number == self.0)
            .map(|(_, name)| *name)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

/// Which way a packet travels: with the one that opened the conntrack, or against it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Direction {
    /// With the packet that opened it.
    #[default]
    Original,
    /// Against it.
    Reply,
}

impl Direction {
    /// 0 and 1, for pairs by direction.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// As nft's `ct direction` has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Reply => "reply",
        }
    }
}

impl std::ops::Not for Direction {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Original => Self::Reply,
            Self::Reply => Self::Original,
        }
    }
}

/// One direction of a flow.
///
/// As in the kernel, every protocol fits into two 16-bit numbers: ports for TCP, UDP, UDP-Lite, SCTP and
/// DCCP; the keys for GRE; for ICMP the identifier as `sport`, type and code as the two bytes of `dport`;
/// zeros for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tuple {
    /// The sender.
    pub src: IpAddr,
    /// The receiver.
    pub dst: IpAddr,
    /// The sender's port, or what stands in its place.
    pub sport: u16,
    /// The receiver's port, or what stands in its place.
    pub dport: u16,
    /// What the two numbers belong to.
    pub protocol: Protocol,
}

/// What a packet's header adds to its addresses and its protocol, so that its flow is found: the numbers of its tuple, and
/// what that is hashed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// As in the tuple.
    pub sport: u16,
    /// As in the tuple.
    pub dport: u16,
    /// `Tuple::hash_of_flow`
    pub hash: u64,
}

impl Tuple {
    /// The same for both directions of a flow. It is another one each time the program runs, so that nobody can write flows
    /// that all have one.
    #[inline]
    pub fn hash_of_flow(&self) -> u64 {
        static SEED: LazyLock<DefaultHashBuilder> = LazyLock::new(DefaultHashBuilder::default);
        let mut state = SEED.build_hasher();
        self.hash_either_way(&mut state);
        state.finish()
    }

    /// The tuple of the answer; `None` for an ICMP type that has none (`nf_ct_invert_tuple`).
    pub fn inverse(&self) -> Option<Self> {
        let (sport, dport) = match self.protocol {
            Protocol::ICMP | Protocol::ICMPV6 => {
                let [kind, code] = self.dport.to_be_bytes();
                let answer = counterpart(self.protocol, kind)?;
                (self.sport, u16::from_be_bytes([answer, code]))
            }
            _ => (self.dport, self.sport),
        };
        Some(Self {
            src: self.dst,
            dst: self.src,
            sport,
            dport,
            protocol: self.protocol,
        })
    }

    /// Whether it is the tuple of the answer to the other one, as `inverse` makes it.
    #[inline]
    pub fn answers(&self, other: &Self) -> bool {
        if (self.src, self.dst, self.protocol) != (other.dst, other.src, other.protocol) {
            return false;
        }
        match self.protocol {
            Protocol::ICMP | Protocol::ICMPV6 => other.inverse() == Some(*self),
            _ => (self.sport, self.dport) == (other.dport, other.sport),
        }
    }

    /// Feeds what both directions of a flow have in common. Every packet is looked up by it: addresses go in as numbers,
    /// and nothing is put in order but two of these.
    #[inline]
    fn hash_either_way<H: Hasher>(&self, state: &mut H) {
        // ICMP has one identifier for both directions; of type and answer, the smaller stands for both.
        let (sport, dport, rest) = match self.icmp() {
            Some([kind, code]) => {
                let kind = counterpart(self.protocol, kind).map_or(kind, |other| kind.min(other));
                let [kind, code] = [kind, code].map(u64::from);
                (0, 0, u64::from(self.sport) << 16 | kind << 8 | code)
            }
            None => (self.sport, self.dport, 0),
        };
        match (self.src, self.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                let end = |address: Ipv4Addr, port: u16| {
                    u64::from(address.to_bits()) << 16 | u64::from(port)
                };
                let [one, other] = [end(src, sport), end(dst, dport)];
                state.write_u64(one.min(other));
                state.write_u64(one.max(other));
            }
            _ => {
                let bits = |address| match address {
                    IpAddr::V4(address) => u128::from(address.to_bits()),
                    IpAddr::V6(address) => address.to_bits(),
                };
                let [one, other] = [(bits(self.src), sport), (bits(self.dst), dport)];
                let [low, high] = [one.min(other), one.max(other)];
                state.write_u128(low.0);
                state.write_u128(high.0);
                state.write_u32(u32::from(low.1) << 16 | u32::from(high.1));
            }
        }
        state.write_u64(rest << 8 | u64::from(self.protocol.0));
    }

    /// Type and code, for ICMP and ICMPv6.
    pub fn icmp(&self) -> Option<[u8; 2]> {
        matches!(self.protocol, Protocol::ICMP | Protocol::ICMPV6).then(|| self.dport.to_be_bytes())
    }

    /// Of which family the addresses are.
    pub fn is_ipv6(&self) -> bool {
        self.src.is_ipv6()
    }
}

/// The address of nobody (`0.0.0.0`, `::`), of the family of this one.
pub const fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// The ICMP type that answers this one, or that it answers: `invmap` in `nf_conntrack_proto_icmp.c` and
/// `nf_conntrack_proto_icmpv6.c`.
fn counterpart(protocol: Protocol, kind: u8) -> Option<u8> {
    let pairs: &[(u8, u8)] = match protocol {
        // echo, timestamp, information, address mask
        Protocol::ICMP => &[(8, 0), (13, 14), (15, 16), (17, 18)],
        // echo, node information
        _ => &[(128, 129), (139, 140)],
    };
    pairs.iter().find_map(|&(request, answer)| match kind {
        k if k == request => Some(answer),
        k if k == answer => Some(request),
        _ => None,
    })
}

const NAMES: [(u8, &str); 10] = [
    (1, "icmp"),
    (2, "igmp"),
    (6, "tcp"),
    (17, "udp"),
    (33, "dccp"),
    (47, "gre"),
    (50, "esp"),
    (58, "icmpv6"),
    (132, "sctp"),
    (136, "udplite"),
];
