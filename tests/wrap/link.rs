//! Frames: a line a link type, and more where one carries IP in several ways.
//!
//! Source: <https://www.tcpdump.org/linktypes.html> and what is named there.

use super::is_v6;

pub struct Link {
    /// The LINKTYPE_ number.
    pub number: u16,
    pub name: &'static str,
    /// A frame around an IP packet.
    pub frame: fn(&[u8]) -> Vec<u8>,
}

pub const LINKS: &[Link] = &[
    link(0, "BSD loopback", |ip| {
        let family: u32 = if is_v6(ip) { 30 } else { 2 };
        joined(&[&family.to_le_bytes(), ip])
    }),
    link(1, "Ethernet", |ip| ethernet(&ether_type(ip), ip)),
    link(1, "Ethernet, VLAN", |ip| {
        let tag = joined(&[&[0x81, 0x00, 0x00, 0x05], &ether_type(ip)]);
        ethernet(&tag, ip)
    }),
    link(1, "Ethernet, QinQ", |ip| {
        let outer = [0x88, 0xa8, 0x20, 0x07];
        let inner = [0x81, 0x00, 0x00, 0x05];
        ethernet(&joined(&[&outer, &inner, &ether_type(ip)]), ip)
    }),
    link(1, "Ethernet, MPLS", |ip| {
        ethernet(&[0x88, 0x47], &joined(&[&MPLS, ip]))
    }),
    link(1, "Ethernet, PPPoE", |ip| {
        ethernet(&[0x88, 0x64], &pppoe(ip))
    }),
    link(1, "Ethernet, 802.3 and SNAP", |ip| {
        let snap = snap(ip);
        ethernet(&(snap.len() as u16).to_be_bytes(), &snap)
    }),
    // IEEE 802.1AE: a channel's identifier, neither encrypted nor changed, and 16 bytes that prove so.
    link(1, "Ethernet, MACsec", |ip| {
        let tag = joined(&[&[0x88, 0xe5, 0x20, 0, 0, 0, 0, 1], &MACS[..6], &[0, 1]]);
        ethernet(&tag, &joined(&[&ether_type(ip), ip, &[0; 16]]))
    }),
    link(8, "SLIP", |ip| joined(&[&[0, 0x40], &[0; 14], ip])),
    link(9, "PPP", ppp),
    link(9, "PPP without address and control", |ip| {
        ppp(ip)[2..].to_vec()
    }),
    link(10, "FDDI", |ip| joined(&[&[0x50], &MACS, &snap(ip)])),
    link(12, "raw, BSD", raw),
    link(14, "raw, OpenBSD", raw),
    link(50, "PPP in HDLC", ppp),
    link(51, "PPPoE session", pppoe),
    link(100, "ATM, RFC 1483", snap),
    link(101, "raw", raw),
    link(104, "Cisco HDLC", cisco),
    link(105, "802.11", wifi),
    link(107, "Frame Relay", frame_relay),
    link(108, "OpenBSD loopback", |ip| {
        joined(&[&[0, 0, 0, open_bsd_family(ip)], ip])
    }),
    link(109, "OpenBSD encapsulated IP", |ip| {
        joined(&[&[open_bsd_family(ip), 0, 0, 0], &[0; 8], ip])
    }),
    link(113, "Linux cooked v1", |ip| {
        joined(&[
            &[0, 0, 0, 1, 0, 6],
            &MACS[..6],
            &[0; 2],
            &ether_type(ip),
            ip,
        ])
    }),
    link(117, "OpenBSD pflog", |ip| {
        // Its length does not count the padding behind it.
        let mut header = vec![61, open_bsd_family(ip), 0, 0];
        header.extend(b"em0");
        header.resize(64, 0);
        joined(&[&header, ip])
    }),
    link(119, "802.11 with prism header", |ip| {
        let mut header = joined(&[&0x44u32.to_le_bytes(), &144u32.to_le_bytes()]);
        header.resize(144, 0);
        joined(&[&header, &wifi(ip)])
    }),
    link(122, "IP over Fibre Channel", |ip| {
        joined(&[&[0x10; 16], &snap(ip)])
    }),
    link(127, "802.11 with radiotap header", |ip| {
        joined(&[&[0, 0, 8, 0, 0, 0, 0, 0], &wifi(ip)])
    }),
    link(138, "IP over IEEE 1394", |ip| {
        joined(&[&[0x13; 16], &ether_type(ip), ip])
    }),
    link(163, "802.11 with AVS header", |ip| {
        let mut header = joined(&[&0x8021_1001u32.to_be_bytes(), &64u32.to_be_bytes()]);
        header.resize(64, 0);
        joined(&[&header, &wifi(ip)])
    }),
    link(166, "PPP with direction, of pppd", |ip| {
        joined(&[&[1], &ppp(ip)[1..]])
    }),
    link(192, "PPI", |ip| {
        joined(&[&[0, 0, 8, 0, 105, 0, 0, 0], &wifi(ip)])
    }),
    link(204, "PPP with direction", |ip| joined(&[&[1], &ppp(ip)])),
    link(205, "Cisco HDLC with direction", |ip| {
        joined(&[&[1], &cisco(ip)])
    }),
    link(206, "Frame Relay with direction", |ip| {
        joined(&[&[1], &frame_relay(ip)])
    }),
    link(219, "MPLS", |ip| joined(&[&MPLS, ip])),
    link(226, "Solaris ipnet", |ip| {
        let family = if is_v6(ip) { 26 } else { 2 };
        let length = (ip.len() as u32).to_be_bytes();
        joined(&[&[1, family, 0, 0], &length, &[0; 16], ip])
    }),
    link(228, "raw IPv4", raw),
    link(229, "raw IPv6", raw),
    link(239, "NFLOG", |ip| {
        let family = if is_v6(ip) { 10 } else { 2 };
        let hook = [8, 0, 1, 0, 0x08, 0x00, 1, 0];
        let length = (ip.len() as u16 + 4).to_le_bytes();
        joined(&[&[family, 0, 0, 0], &hook, &length, &[9, 0], ip])
    }),
    link(242, "IP over InfiniBand", |ip| {
        joined(&[&[0x1b; 40], &ether_type(ip), &[0; 2], ip])
    }),
    link(258, "PKTAP", |ip| {
        let words = [108u32, 1, 1].map(u32::to_le_bytes).concat();
        let mut header = joined(&[&words, b"en0"]);
        header.resize(108, 0);
        joined(&[&header, &ethernet(&ether_type(ip), ip)])
    }),
    link(276, "Linux cooked v2", |ip| {
        let device = [0, 0, 0, 2, 0, 1, 0, 6];
        joined(&[&ether_type(ip), &[0; 2], &device, &MACS[..6], &[0; 2], ip])
    }),
    // A switch's own port: the tag stands behind the addresses, or before them.
    link(281, "Broadcom's tag", |ip| {
        joined(&[&MACS, &[0, 0, 0, 8], &ether_type(ip), ip])
    }),
    link(282, "Broadcom's tag before the frame", |ip| {
        joined(&[&[0, 0, 0, 8], &ethernet(&ether_type(ip), ip)])
    }),
    link(284, "Marvell's tag", |ip| {
        joined(&[&MACS, &[0xc0, 0x18, 0, 5], &ether_type(ip), ip])
    }),
    link(285, "Marvell's tag behind an EtherType", |ip| {
        let tag = [0xda, 0xda, 0, 0, 0xc0, 0x18, 0, 5];
        joined(&[&MACS, &tag, &ether_type(ip), ip])
    }),
];

const fn link(number: u16, name: &'static str, frame: fn(&[u8]) -> Vec<u8>) -> Link {
    Link {
        number,
        name,
        frame,
    }
}

fn raw(ip: &[u8]) -> Vec<u8> {
    ip.to_vec()
}

/// Behind the addresses, as `kind` says.
pub fn ethernet(kind: &[u8], payload: &[u8]) -> Vec<u8> {
    joined(&[&MACS, kind, payload])
}

fn ppp(ip: &[u8]) -> Vec<u8> {
    let protocol = if is_v6(ip) { 0x57 } else { 0x21 };
    joined(&[&[0xff, 0x03, 0x00, protocol], ip])
}

/// RFC 2516
fn pppoe(ip: &[u8]) -> Vec<u8> {
    let ppp = &ppp(ip)[2..];
    let length = (ppp.len() as u16).to_be_bytes();
    joined(&[&[0x11, 0, 0, 1], &length, ppp])
}

fn cisco(ip: &[u8]) -> Vec<u8> {
    joined(&[&[0x0f, 0x00], &ether_type(ip), ip])
}

/// RFC 2427: address, unnumbered information, the network layer's identifier.
fn frame_relay(ip: &[u8]) -> Vec<u8> {
    let identifier = if is_v6(ip) { 0x8e } else { 0xcc };
    joined(&[&[0x18, 0x41, 0x03, identifier], ip])
}

/// A data frame from the access point.
fn wifi(ip: &[u8]) -> Vec<u8> {
    joined(&[
        &[0x08, 0x02, 0, 0],
        &MACS,
        &MACS[..6],
        &[0x10, 0],
        &snap(ip),
    ])
}

/// 802.2 and SNAP
fn snap(ip: &[u8]) -> Vec<u8> {
    joined(&[&[0xaa, 0xaa, 3, 0, 0, 0], &ether_type(ip), ip])
}

pub fn ether_type(ip: &[u8]) -> [u8; 2] {
    if is_v6(ip) {
        [0x86, 0xdd]
    } else {
        [0x08, 0x00]
    }
}

fn open_bsd_family(ip: &[u8]) -> u8 {
    if is_v6(ip) { 24 } else { 2 }
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

const MACS: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
/// Label 16, the last of the stack.
const MPLS: [u8; 4] = [0, 1, 1, 64];
