//! The five fields by which conntrack knows a flow, and their inversion.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP protocol number. It is written the way `conntrack -L` writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    pub const ICMP: Self = Self(1);
    pub const TCP: Self = Self(6);
    pub const UDP: Self = Self(17);
    pub const DCCP: Self = Self(33);
    pub const GRE: Self = Self(47);
    pub const ICMPV6: Self = Self(58);
    pub const SCTP: Self = Self(132);
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    #[default]
    Original,
    Reply,
}

impl Direction {
    pub const fn index(self) -> usize {
        self as usize
    }

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tuple {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub sport: u16,
    pub dport: u16,
    pub protocol: Protocol,
}

impl Tuple {
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

    /// Type and code, for ICMP and ICMPv6.
    pub fn icmp(&self) -> Option<[u8; 2]> {
        matches!(self.protocol, Protocol::ICMP | Protocol::ICMPV6).then(|| self.dport.to_be_bytes())
    }

    pub fn is_ipv6(&self) -> bool {
        self.src.is_ipv6()
    }
}

impl Hash for Tuple {
    /// Addresses go in as numbers: the derived form hashes a length and each octet. Every packet is looked up by it, and a
    /// call costs more than what it does.
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        for address in [self.src, self.dst] {
            match address {
                IpAddr::V4(a) => state.write_u32(a.to_bits()),
                IpAddr::V6(a) => state.write_u128(a.to_bits()),
            }
        }
        let ports = u64::from(self.sport) << 16 | u64::from(self.dport);
        state.write_u64(ports << 8 | u64::from(self.protocol.0));
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
