//! The first packet of a flow.

use std::net::IpAddr;

use etherparse::{IpNumber, PacketBuilder};

use crate::tuple::{Protocol, Tuple};

/// `None` for a protocol that no helper asks for, and for ends of two families.
pub fn packet(tuple: &Tuple) -> Option<Vec<u8>> {
    let ip = match (tuple.src, tuple.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => PacketBuilder::ipv4(src.octets(), dst.octets(), HOPS),
        (IpAddr::V6(src), IpAddr::V6(dst)) => PacketBuilder::ipv6(src.octets(), dst.octets(), HOPS),
        _ => return None,
    };
    let mut bytes = Vec::new();
    let written = match tuple.protocol {
        Protocol::TCP => {
            let syn = ip.tcp(tuple.sport, tuple.dport, SEQUENCE, WINDOW).syn();
            syn.write(&mut bytes, &[])
        }
        Protocol::UDP => ip.udp(tuple.sport, tuple.dport).write(&mut bytes, &DATA),
        Protocol::GRE => ip.write(&mut bytes, IpNumber::GRE, &tunnelled(tuple.dport)),
        _ => return None,
    };
    written.ok().map(|()| bytes)
}

/// A packet of a PPTP tunnel: key and sequence number present, version 1, PPP (RFC 2637, 4.1).
fn tunnelled(call: u16) -> Vec<u8> {
    let [high, low] = call.to_be_bytes();
    let header = [0x30, 0x01, 0x88, 0x0b, 0, PPP.len() as u8, high, low];
    [&header[..], &[0, 0, 0, 1], &PPP].concat()
}

const HOPS: u8 = 64;
const SEQUENCE: u32 = 1_000_000;
const WINDOW: u16 = 64240;
/// What is in a datagram counts for nothing: an RTP header of twelve bytes (RFC 3550, 5.1).
const DATA: [u8; 12] = [0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
/// A Configure-Request of LCP without options (RFC 1661, 5).
const PPP: [u8; 8] = [0xff, 0x03, 0xc0, 0x21, 1, 1, 0, 4];
