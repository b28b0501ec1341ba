//! IP packets, written byte by byte: without the library that the program reads them with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const GRE: u8 = 47;
pub const ICMPV6: u8 = 58;

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub address: IpAddr,
    pub port: u16,
}

/// An IP packet around a segment whose checksum field, still zero, is filled in where the protocol has one.
pub fn ip(from: IpAddr, to: IpAddr, protocol: u8, mut segment: Vec<u8>) -> Vec<u8> {
    let octets = |address| match address {
        IpAddr::V4(address) => Ipv4Addr::octets(&address).to_vec(),
        IpAddr::V6(address) => Ipv6Addr::octets(&address).to_vec(),
    };
    let (source, destination) = (octets(from), octets(to));
    seal_segment(protocol, sum(&source) + sum(&destination), &mut segment);
    let length = segment.len() as u16;
    let mut packet = match from {
        IpAddr::V4(_) => {
            let [high, low] = (length + 20).to_be_bytes();
            vec![0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0]
        }
        IpAddr::V6(_) => {
            let [high, low] = length.to_be_bytes();
            vec![0x60, 0, 0, 0, high, low, protocol, 64]
        }
    };
    packet.extend(source);
    packet.extend(destination);
    if from.is_ipv4() {
        seal(&mut packet);
    }
    packet.extend(segment);
    packet
}

/// Gives an IPv4 header, and it alone, its checksum.
pub fn seal(header: &mut [u8]) {
    header[10..12].fill(0);
    let checksum = complement(sum(header)).to_be_bytes();
    header[10..12].copy_from_slice(&checksum);
}

/// Gives a segment between addresses of this sum its checksum, in the field that is still zero.
pub fn seal_segment(protocol: u8, addresses: u32, segment: &mut [u8]) {
    let at = match protocol {
        TCP => 16,
        UDP => 6,
        ICMP | ICMPV6 => 2,
        _ => return,
    };
    let mut sum = sum(segment);
    if protocol != ICMP {
        sum += addresses + u32::from(protocol) + segment.len() as u32;
    }
    if let Some(field) = segment.get_mut(at..at + 2) {
        field.copy_from_slice(&complement(sum).to_be_bytes());
    }
}

pub fn is_v4(packet: &[u8]) -> bool {
    packet[0] >> 4 == 4
}

/// Source and destination of a packet.
pub fn ends(packet: &[u8]) -> (IpAddr, IpAddr) {
    let v4 = |at: usize| Ipv4Addr::from(std::array::from_fn::<u8, 4, _>(|i| packet[at + i])).into();
    let v6 =
        |at: usize| Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|i| packet[at + i])).into();
    if is_v4(packet) {
        (v4(12), v4(16))
    } else {
        (v6(8), v6(24))
    }
}

pub fn sum(bytes: &[u8]) -> u32 {
    bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum()
}

fn complement(mut sum: u32) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// A UDP datagram whose length field is off by so much.
pub fn udp_of_length(from: End, to: End, payload: &[u8], off: i16) -> Vec<u8> {
    let length = (payload.len() as u16 + 8).wrapping_add_signed(off);
    let mut segment = [from.port, to.port, length, 0]
        .map(u16::to_be_bytes)
        .concat();
    segment.extend_from_slice(payload);
    ip(from.address, to.address, UDP, segment)
}

pub fn udp(from: End, to: End, payload: &[u8]) -> Vec<u8> {
    udp_of_length(from, to, payload, 0)
}

/// "Port unreachable", from one end to the other about a packet of the other's.
pub fn unreachable(packet: &[u8], from: End, to: End) -> Vec<u8> {
    let (protocol, kind, code) = if from.address.is_ipv4() {
        (ICMP, 3, 3)
    } else {
        (ICMPV6, 1, 4)
    };
    ip(
        from.address,
        to.address,
        protocol,
        [&[kind, code, 0, 0, 0, 0, 0, 0], packet].concat(),
    )
}

/// Numbers in network order.
pub fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}
