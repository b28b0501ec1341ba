//! What an address or a port says about who is meant.

use std::net::IpAddr;

use crate::conntrack::event::ExpectationRecord;
use crate::expectation::network;
use crate::tuple::{Direction, Tuple};

/// A port that only the system may listen at, or that a service is known by which nobody means to open to others.
fn is_of_a_service(port: u16) -> bool {
    (1..1024).contains(&port) || SERVICES.contains(&port)
}

/// What an expectation opens, where that is the port of a service.
pub fn opened_service(record: &ExpectationRecord) -> Option<u16> {
    let port = record.expectation.dst_port.value;
    is_of_a_service(port).then_some(port)
}

/// An address of a network that is not routed in the internet (RFC 1918, RFC 6598, RFC 4193), or of a link.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || (a == 100 && b & 0xc0 == 64)
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// An address that no packet from elsewhere should ever be sent to.
pub fn is_nobodys(address: IpAddr) -> bool {
    let is_broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    address.is_loopback() || address.is_unspecified() || address.is_multicast() || is_broadcast
}

/// In one network, as networks mostly are cut: 24 bits of IPv4, 64 of IPv6.
pub fn are_neighbours(one: IpAddr, other: IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one.to_bits() >> 8 == other.to_bits() >> 8,
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() >> 64 == other.to_bits() >> 64,
        _ => false,
    }
}

/// Who speaks in this direction of a flow, and who listens.
pub fn ends(original: &Tuple, direction: Direction) -> (IpAddr, IpAddr) {
    match direction {
        Direction::Original => (original.src, original.dst),
        Direction::Reply => (original.dst, original.src),
    }
}

/// What an expectation opens, and to whom, in words.
pub fn opened(record: &ExpectationRecord) -> String {
    let expectation = &record.expectation;
    let who = expectation.src_addr.as_ref();
    format!(
        "{} let in to {} at {} port {}",
        who.map_or_else(|| "anybody".to_owned(), |who| network(who.value)),
        expectation.dst_addr.value,
        expectation.protocol,
        expectation.dst_port.value,
    )
}

/// Above the privileged ones (IANA's registry of service names): databases, remote desktops, caches, and what
/// administers clusters.
const SERVICES: [u16; 21] = [
    1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5672, 5900, 5984, 5985, 5986, 6379, 6443,
    8009, 9200, 10250, 11211, 27017,
];
