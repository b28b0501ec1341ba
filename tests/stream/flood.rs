//! Packets that belong to nothing.

use std::io;

use super::Output;
use super::stage::{client, server};
use crate::traffic::flow::{Rng, SYN, Side, Step, Tcp, pick};
use crate::traffic::packet::{UDP, ip, seal};

/// SYNs from anybody to anybody, one in two to the port of a helper, a hundred thousand a second.
pub fn syns(out: &mut Output) -> io::Result<()> {
    let rng = &mut Rng::with_seed(1);
    let mut connection = Tcp::new(rng, client(0), server(0));
    connection.send(Side::Client, SYN, &[]);
    let Some(Step::Packet(syn)) = connection.steps.pop() else {
        return Ok(());
    };
    loop {
        out.clock += 10;
        let Some(packet) = out.send(&syn)? else {
            return out.flush();
        };
        // Neither 0 nor a group.
        packet[12..16].copy_from_slice(&rng.u32(1 << 24..224 << 24).to_be_bytes());
        packet[16..20].copy_from_slice(&rng.u32(1 << 24..224 << 24).to_be_bytes());
        packet[20..22].copy_from_slice(&rng.u16(1..).to_be_bytes());
        let port = match rng.bool() {
            true => pick(rng, &[21, 1720, 1723, 5060, 6566, 6667]),
            false => rng.u16(1..),
        };
        packet[22..24].copy_from_slice(&port.to_be_bytes());
    }
}

/// First fragments of IPv4 and IPv6 in turn, of which nothing follows, a thousand a second.
pub fn fragments(out: &mut Output) -> io::Result<()> {
    let rng = &mut Rng::with_seed(1);
    let mut ipv4 = ip(client(0).address, server(0).address, UDP, vec![0; 1480]);
    ipv4[6] = 0x20;
    seal(&mut ipv4[..20]);
    let [from, to] = [1, 2].map(|last| std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    let mut segment = vec![0; 1448];
    segment[..4].copy_from_slice(&[UDP, 0, 0, 1]);
    let ipv6 = ip(from.into(), to.into(), FRAGMENT, segment);
    loop {
        out.clock += 1000;
        let Some(packet) = out.send(&ipv4)? else {
            return out.flush();
        };
        packet[4..6].copy_from_slice(&rng.u16(..).to_be_bytes());
        packet[13..16].copy_from_slice(&rng.u32(..).to_be_bytes()[1..]);
        let Some(packet) = out.send(&ipv6)? else {
            return out.flush();
        };
        packet[16..24].copy_from_slice(&rng.u64(..).to_be_bytes());
        packet[44..48].copy_from_slice(&rng.u32(..).to_be_bytes());
    }
}

const FRAGMENT: u8 = 44;
