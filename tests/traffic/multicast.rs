//! Multicast DNS and SLP: questions to a group, and answers from hosts of it.
//!
//! The helpers read nothing but addresses and ports, of every packet in either direction. So what matters is who sends
//! from where to where; what is said is as long or short as conntrackd can still be shown.

use std::net::{IpAddr, Ipv4Addr};

use super::flow::{Rng, SYN, Side, Step, Tcp, anybody, hosts, one_in, pick};
use super::packet::{End, udp, udp_of_length};

/// A host asks from one port, as often as not one that was used before.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 5);
    let service = pick(rng, &[5353, 5353, 427]);
    let from = End {
        address: if one_in(rng, 6) { server } else { client },
        port: match rng.u8(..20) {
            0 => pick(rng, &[0, 1, 65535]),
            1..3 => pick(rng, &[5353, 427]),
            3..8 => service,
            _ => 32768 + 3 * rng.u16(..80),
        },
    };
    let to = End {
        address: asked(rng, service, server),
        port: service,
    };
    let mut steps = Vec::new();
    for _ in 0..rng.usize(1..4) {
        steps.push(Step::Packet(datagram(rng, from, to)));
        if one_in(rng, 8) {
            // The far end of a question to one host answers in the same connection.
            steps.push(Step::Packet(datagram(rng, to, from)));
        }
        for _ in 0..pick(rng, &[0, 1, 1, 2, 3]) {
            steps.push(Step::Fork(answer(rng, from, service)));
        }
    }
    steps
}

/// The group of the service, in the main: else that of the other, a broadcast, or one host.
fn asked(rng: &mut Rng, service: u16, server: IpAddr) -> IpAddr {
    let (dns, slp) = (
        Ipv4Addr::new(224, 0, 0, 251),
        Ipv4Addr::new(239, 255, 255, 253),
    );
    match rng.u8(..16) {
        0..4 => server,
        _ if server.is_ipv6() => server,
        4 => Ipv4Addr::BROADCAST.into(),
        5 => Ipv4Addr::new(224, 0, 1, 22).into(),
        6 => pick(rng, &[dns, slp]).into(),
        _ if service == 427 => slp.into(),
        _ => dns.into(),
    }
}

/// Anything; rarely nothing, less than it says, or about as much as goes through conntrackd's queue.
fn datagram(rng: &mut Rng, from: End, to: End) -> Vec<u8> {
    match rng.u8(..50) {
        0 => udp(from, to, b""),
        1 => udp_of_length(from, to, b"question", pick(rng, &[-8, -1, 1, -9])),
        2 => udp(from, to, &vec![0; rng.usize(3800..3900)]),
        _ => udp(from, to, b"\0\0\x01\0question"),
    }
}

/// Mostly from a host of the group and the port that was asked, to the port that asked.
fn answer(rng: &mut Rng, asker: End, service: u16) -> Vec<Step> {
    let mut from = End {
        address: anybody(rng, asker.address),
        port: service,
    };
    let mut to = asker;
    match rng.u8(..20) {
        0 => from.port = pick(rng, &[5353, 427]),
        1 => from.port = from.port.wrapping_add(1),
        2 => to.port = to.port.wrapping_add(3),
        3 => to.address = anybody(rng, to.address),
        4 => from.address = to.address,
        5 => {
            let mut connection = Tcp::new(rng, from, to);
            connection.send(Side::Client, SYN, &[]);
            return connection.steps;
        }
        _ => {}
    }
    let mut packets = vec![datagram(rng, from, to)];
    match rng.u8(..8) {
        0 => packets.push(packets[0].clone()),
        // A question to whoever answered: back on the same flow.
        1..3 => packets.push(datagram(rng, to, from)),
        3 => packets.extend([datagram(rng, to, from), datagram(rng, from, to)]),
        _ => {}
    }
    packets.into_iter().map(Step::Packet).collect()
}
