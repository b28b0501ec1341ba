//! Packets put into tunnels, header by header as the standards draw them.

use std::net::IpAddr;

use super::packet::{End, GRE, ip, is_v4, udp};

/// A way to send a packet through a tunnel.
pub struct Wrapping {
    /// Unlike that of any other.
    pub name: &'static str,
    /// As `--decapsulate` calls it.
    pub kind: &'static str,
    pub id: Option<u32>,
    /// The versions of IP that it carries.
    pub carries: &'static [u8],
    /// What stands in front of the packet, and from where to where it goes.
    around: fn(&[u8]) -> Vec<u8>,
}

impl Wrapping {
    pub fn carries(&self, packet: &[u8]) -> bool {
        self.carries.contains(&(packet[0] >> 4))
    }

    pub fn around(&self, packet: &[u8]) -> Vec<u8> {
        (self.around)(packet)
    }
}

const ANY: &[u8] = &[4, 6];

pub const ALL: [Wrapping; 25] = [
    Wrapping {
        name: "GRE",
        kind: "gre",
        id: None,
        carries: ANY,
        around: |packet| gre(&[0, 0], ether_type(packet), &[], packet),
    },
    Wrapping {
        name: "GRE with checksum, key and sequence number",
        kind: "gre",
        id: Some(0x0102_0304),
        carries: ANY,
        around: |packet| {
            let options = [0x12, 0x34, 0, 0, 1, 2, 3, 4, 0, 0, 0, 7];
            gre(&[0xb0, 0], ether_type(packet), &options, packet)
        },
    },
    Wrapping {
        name: "GRE in IPv6",
        kind: "gre",
        id: None,
        carries: ANY,
        around: |packet| {
            let segment = [&[0, 0], &ether_type(packet)[..], packet].concat();
            in_ipv6(GRE, &segment)
        },
    },
    Wrapping {
        name: "NVGRE",
        kind: "gre",
        id: Some(0x00ab_cd05),
        carries: ANY,
        around: |packet| {
            let key = [0x00, 0xab, 0xcd, 0x05];
            gre(&[0x20, 0], [0x65, 0x58], &key, &ethernet(packet))
        },
    },
    Wrapping {
        name: "VXLAN",
        kind: "vxlan",
        id: Some(42),
        carries: ANY,
        around: |packet| in_udp(4789, &[8, 0, 0, 0, 0, 0, 42, 0], &ethernet(packet)),
    },
    Wrapping {
        name: "VXLAN to the port of Linux",
        kind: "vxlan",
        id: Some(0x00ff_ffff),
        carries: ANY,
        around: |packet| {
            let header = [8, 0, 0, 0, 0xff, 0xff, 0xff, 0];
            in_udp(8472, &header, &ethernet(packet))
        },
    },
    Wrapping {
        name: "VXLAN with a group policy",
        kind: "vxlan",
        id: Some(43),
        carries: ANY,
        around: |packet| in_udp(4789, &[0x88, 0x40, 1, 2, 0, 0, 43, 0], &ethernet(packet)),
    },
    Wrapping {
        name: "VXLAN-GPE around IP",
        kind: "vxlan",
        id: Some(44),
        carries: ANY,
        around: |packet| {
            let next = if is_v4(packet) { 1 } else { 2 };
            in_udp(4790, &[0x0c, 0, 0, next, 0, 0, 44, 0], packet)
        },
    },
    Wrapping {
        name: "VXLAN-GPE around Ethernet",
        kind: "vxlan",
        id: Some(45),
        carries: ANY,
        around: |packet| in_udp(4790, &[0x0c, 0, 0, 3, 0, 0, 45, 0], &ethernet(packet)),
    },
    Wrapping {
        name: "Geneve with an option",
        kind: "geneve",
        id: Some(46),
        carries: ANY,
        around: |packet| {
            let header = [
                2, 0, 0x65, 0x58, 0, 0, 46, 0, 1, 2, 0x80, 1, 0xaa, 0xbb, 0xcc, 0xdd,
            ];
            in_udp(6081, &header, &ethernet(packet))
        },
    },
    Wrapping {
        name: "Geneve around IP",
        kind: "geneve",
        id: Some(47),
        carries: ANY,
        around: |packet| {
            let [high, low] = ether_type(packet);
            in_udp(6081, &[0, 0, high, low, 0, 0, 47, 0], packet)
        },
    },
    Wrapping {
        name: "GTP-U",
        kind: "gtpu",
        id: Some(0x8000_0001),
        carries: ANY,
        around: |packet| gtpu(0x30, [0x80, 0, 0, 1], &[], packet),
    },
    Wrapping {
        name: "GTP-U with a sequence number",
        kind: "gtpu",
        id: Some(2),
        carries: ANY,
        around: |packet| gtpu(0x32, [0, 0, 0, 2], &[0, 9, 0, 0], packet),
    },
    Wrapping {
        name: "GTP-U with two extension headers",
        kind: "gtpu",
        id: Some(3),
        carries: ANY,
        // A UDP port, then a PDU session container.
        around: |packet| {
            let chain = [0, 0, 0, 0x40, 1, 0x08, 0x68, 0x85, 1, 0x10, 0x09, 0];
            gtpu(0x34, [0, 0, 0, 3], &chain, packet)
        },
    },
    Wrapping {
        name: "IPv4 in IPv4",
        kind: "ipip",
        id: None,
        carries: &[4],
        around: |packet| in_ipv4(4, packet),
    },
    Wrapping {
        name: "IPv4 in IPv6",
        kind: "ipip",
        id: None,
        carries: &[4],
        around: |packet| in_ipv6(4, packet),
    },
    Wrapping {
        name: "IPv6 in IPv6",
        kind: "ipip",
        id: None,
        carries: &[6],
        around: |packet| in_ipv6(41, packet),
    },
    Wrapping {
        name: "IPv6 in IPv6 with a tunnel encapsulation limit",
        kind: "ipip",
        id: None,
        carries: &[6],
        // RFC 2473, 4.1.1, as Linux sends it.
        around: |packet| in_ipv6(60, &[&[41, 0, 4, 1, 4, 1, 1, 0], packet].concat()),
    },
    Wrapping {
        name: "IPv6 in IPv4",
        kind: "6in4",
        id: None,
        carries: &[6],
        around: |packet| in_ipv4(41, packet),
    },
    Wrapping {
        name: "Teredo",
        kind: "teredo",
        id: None,
        carries: &[6],
        around: |packet| in_udp(3544, &[], packet),
    },
    Wrapping {
        name: "Teredo with authentication and origin",
        kind: "teredo",
        id: None,
        carries: &[6],
        around: |packet| {
            let authentication = [
                0, 1, 2, 3, 0xc1, 0xc2, 0xa1, 0xa2, 0xa3, 1, 2, 3, 4, 5, 6, 7, 8, 0,
            ];
            let origin = [0, 0, 0x63, 0xbf, 0x3f, 0xff, 0xfd, 0xf8];
            in_udp(3544, &[&authentication[..], &origin].concat(), packet)
        },
    },
    Wrapping {
        name: "ERSPAN type I",
        kind: "erspan",
        id: None,
        carries: ANY,
        around: |packet| gre(&[0, 0], [0x88, 0xbe], &[], &ethernet(packet)),
    },
    Wrapping {
        name: "ERSPAN type II",
        kind: "erspan",
        id: Some(100),
        carries: ANY,
        around: |packet| {
            let headers = [0, 0, 0, 9, 0x10, 7, 0x18, 100, 0, 0, 0, 5];
            gre(&[0x10, 0], [0x88, 0xbe], &headers, &ethernet(packet))
        },
    },
    Wrapping {
        name: "ERSPAN type III",
        kind: "erspan",
        id: Some(1023),
        carries: ANY,
        around: |packet| {
            let headers = [0, 0, 0, 9, 0x20, 7, 3, 0xff, 0, 0, 0, 5, 0, 0, 0x80, 0x04];
            gre(&[0x10, 0], [0x22, 0xeb], &headers, &ethernet(packet))
        },
    },
    Wrapping {
        name: "ERSPAN type III with a subheader",
        kind: "erspan",
        id: Some(1),
        carries: ANY,
        around: |packet| {
            let headers = [
                0, 0, 0, 9, 0x20, 7, 0, 1, 0, 0, 0, 5, 0, 0, 0x80, 0x01, 0x0c, 0, 0, 0, 0, 0, 0, 1,
            ];
            gre(&[0x10, 0], [0x22, 0xeb], &headers, &ethernet(packet))
        },
    },
];

/// The ends of every tunnel here in IPv4, and in IPv6.
pub const ENDS: [[&str; 2]; 2] = [
    ["203.0.113.1", "203.0.113.2"],
    ["2001:db8:ffff::1", "2001:db8:ffff::2"],
];

pub fn in_ipv4(protocol: u8, segment: &[u8]) -> Vec<u8> {
    between(ENDS[0], protocol, segment)
}

pub fn in_ipv6(protocol: u8, segment: &[u8]) -> Vec<u8> {
    between(ENDS[1], protocol, segment)
}

pub fn in_udp(port: u16, header: &[u8], packet: &[u8]) -> Vec<u8> {
    let [from, to] = ENDS[0].map(address);
    let end = |address, port| End { address, port };
    udp(end(from, 50000), end(to, port), &[header, packet].concat())
}

pub fn gre(flags: &[u8; 2], protocol: [u8; 2], options: &[u8], payload: &[u8]) -> Vec<u8> {
    let segment = [flags, &protocol[..], options, payload].concat();
    in_ipv4(GRE, &segment)
}

/// A G-PDU.
fn gtpu(flags: u8, tunnel: [u8; 4], options: &[u8], packet: &[u8]) -> Vec<u8> {
    let [high, low] = ((options.len() + packet.len()) as u16).to_be_bytes();
    let header = [&[flags, 255, high, low], &tunnel[..], options].concat();
    in_udp(2152, &header, packet)
}

pub fn ethernet(packet: &[u8]) -> Vec<u8> {
    let addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    [&addresses[..], &ether_type(packet), packet].concat()
}

fn ether_type(packet: &[u8]) -> [u8; 2] {
    if is_v4(packet) {
        [0x08, 0x00]
    } else {
        [0x86, 0xdd]
    }
}

fn between([from, to]: [&str; 2], protocol: u8, segment: &[u8]) -> Vec<u8> {
    ip(address(from), address(to), protocol, segment.to_vec())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}
