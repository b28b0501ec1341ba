//! Addresses for those who have no part in a dialogue.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Who they are. IPv4: of the network for tests between routers (RFC 2544); IPv6: of the one for benchmarks (RFC 5180).
#[derive(Clone, Copy, Debug)]
pub struct Stranger {
    ipv4: Ipv4Addr,
    ipv6: Ipv6Addr,
}

impl Stranger {
    /// Comes where anybody may.
    pub const VISITOR: Self = Self::new(55, 0x55);
    /// Is named in a message.
    pub const THIRD: Self = Self::new(66, 0x66);
    /// Comes where somebody else was expected.
    pub const INTRUDER: Self = Self::new(77, 0x77);
    /// Is talked to in place of the server.
    pub const SERVER: Self = Self::new(88, 0x88);

    const fn new(ipv4: u8, ipv6: u16) -> Self {
        Self {
            ipv4: Ipv4Addr::new(198, 18, 0, ipv4),
            ipv6: Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, ipv6),
        }
    }

    /// The address in the family of that one: the first from the usual one on that is not taken.
    pub fn like(self, example: IpAddr, taken: &BTreeSet<IpAddr>) -> IpAddr {
        let mut address = match example {
            IpAddr::V4(_) => IpAddr::V4(self.ipv4),
            IpAddr::V6(_) => IpAddr::V6(self.ipv6),
        };
        while taken.contains(&address) {
            address = shifted(address, 1);
        }
        address
    }
}

/// The nearest address in its /24 or /64 that is not taken and that a host may have.
pub fn neighbour(of: IpAddr, taken: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let distances = (1..=127).flat_map(|distance| [distance, -distance]);
    let mut nearby = distances.map(|distance| shifted(of, distance));
    nearby.find(|address| shares_network(of, *address) && !taken.contains(address))
}

/// Of IPv4 neither the network's own address nor that of its broadcast.
fn shares_network(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            one.to_bits() >> 8 == other.to_bits() >> 8 && ![0, 255].contains(&other.octets()[3])
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            one.to_bits() >> 64 == other.to_bits() >> 64 && other.to_bits() << 64 != 0
        }
        _ => false,
    }
}

fn shifted(address: IpAddr, by: i8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits().wrapping_add_signed(by.into())).into()
        }
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits().wrapping_add_signed(by.into())).into()
        }
    }
}
