//! IP packets in tunnels: a line a kind, and more where one carries IP in several ways.

use super::is_v6;
use super::link::{ether_type, ethernet};

pub struct Tunnel {
    /// As `--decapsulate` has it.
    pub kind: &'static str,
    /// An outer IP packet around an inner one.
    pub packet: fn(&[u8]) -> Vec<u8>,
}

impl Tunnel {
    /// Whether it carries such a packet at all.
    pub fn carries(&self, ip: &[u8]) -> bool {
        !matches!(self.kind, "6in4" | "teredo") || is_v6(ip)
    }
}

pub const TUNNELS: &[Tunnel] = &[
    // RFC 2890, with a key.
    tunnel("gre", |ip| {
        let header = [&[0x20, 0], &ether_type(ip)[..], &[0, 0, 0, 7]].concat();
        ipv4(47, &[&header, ip].concat())
    }),
    // NVGRE, RFC 7637.
    tunnel("gre", |ip| {
        ipv4(
            47,
            &[&[0x20, 0, 0x65, 0x58, 0, 0, 7, 0], &*frame(ip)].concat(),
        )
    }),
    tunnel("vxlan", |ip| {
        udp(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0], &*frame(ip)].concat())
    }),
    // With an option of four bytes.
    tunnel("geneve", |ip| {
        let header = [2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 1, 0, 0, 0, 0];
        udp(6081, &[&header, &*frame(ip)].concat())
    }),
    tunnel("gtpu", |ip| {
        let length = (ip.len() as u16).to_be_bytes();
        udp(
            2152,
            &[&[0x30, 255], &length[..], &[0, 0, 0, 7], ip].concat(),
        )
    }),
    tunnel(
        "ipip",
        |ip| if is_v6(ip) { ipv6(41, ip) } else { ipv4(4, ip) },
    ),
    tunnel("6in4", |ip| ipv4(41, ip)),
    tunnel("teredo", |ip| udp(3544, ip)),
    // Type II: GRE with a sequence number, then version, VLAN, session and index.
    tunnel("erspan", |ip| {
        let gre = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1];
        let erspan = [0x10, 0, 0, 7, 0, 0, 0, 0];
        ipv4(47, &[&gre, &erspan[..], &frame(ip)].concat())
    }),
];

const fn tunnel(kind: &'static str, packet: fn(&[u8]) -> Vec<u8>) -> Tunnel {
    Tunnel { kind, packet }
}

fn frame(ip: &[u8]) -> Vec<u8> {
    ethernet(&ether_type(ip), ip)
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16 + 8).to_be_bytes();
    let ports = [49_152u16.to_be_bytes(), port.to_be_bytes()].concat();
    ipv4(17, &[&ports, &length[..], &[0, 0], payload].concat())
}

/// Without a checksum, which nobody looks at.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16 + 20).to_be_bytes();
    let header = [0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0];
    let addresses = [203, 0, 113, 1, 203, 0, 113, 2];
    [&header[..], &addresses, payload].concat()
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let header = [0x60, 0, 0, 0, high, low, next, 64];
    let mut addresses = [0; 32];
    addresses[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    addresses[16..20].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb9]);
    [&header[..], &addresses, payload].concat()
}
