//! DHCPv6: questions to the groups of servers and relays, and answers from addresses that nobody asked.
//!
//! The helper looks at one byte of what goes to a multicast address: the message type, which also says how long the
//! connection lives.

use std::net::{IpAddr, Ipv6Addr};

use super::flow::{Rng, SYN, Side, Step, Tcp, anybody, hosts, one_in, pick};
use super::packet::{End, udp, udp_of_length};

const SERVER: u16 = 547;
const CLIENT: u16 = 546;

/// A host asks some times. What ends a connection after 1 to 4 s is never the last: when the kernel collects what timed
/// out is not fixed.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (mut client, server) = hosts(rng, 100);
    if one_in(rng, 5) {
        client = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, rng.u16(1..4)).into();
    }
    let from = End {
        address: client,
        port: match rng.u8(..24) {
            0 => pick(rng, &[0, 1023, 65535]),
            1..4 => SERVER,
            _ => CLIENT,
        },
    };
    let group = End {
        address: asked(rng, server),
        port: if one_in(rng, 30) { CLIENT } else { SERVER },
    };
    let mut steps = Vec::new();
    for _ in 0..rng.usize(1..4) {
        let kind = pick(rng, &[0, 1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        steps.push(Step::Packet(message(rng, from, group, kind)));
        for _ in 0..pick(rng, &[0, 1, 1, 1, 2]) {
            steps.push(Step::Fork(answer(rng, client, server)));
        }
        if matches!(kind, 4 | 8 | 9) {
            // One may be lost or overtaken.
            let solicit = udp(from, group, &[1, 0x12, 0x34, 0x56]);
            steps.extend([solicit.clone(), solicit].map(Step::Packet));
        }
    }
    steps
}

/// All servers and relays of the link, all servers of the site; rarely another group, or one host.
fn asked(rng: &mut Rng, server: IpAddr) -> IpAddr {
    match rng.u8(..24) {
        0 => server,
        1 => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2).into(),
        2 => Ipv6Addr::new(0xff0e, 0, 0, 0, 0, 0, 0, 0x101).into(),
        3 => Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 1).into(),
        4..12 => Ipv6Addr::new(0xff05, 0, 0, 0, 0, 0, 1, 3).into(),
        _ => Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2).into(),
    }
}

/// At times of another type, one that came after RFC 3315; with more or less behind it.
fn message(rng: &mut Rng, from: End, to: End, kind: u8) -> Vec<u8> {
    let kind = match rng.u8(..16) {
        0 => pick(rng, &[14, 15, 20, 36, 127, 128, 255]),
        _ => kind,
    };
    let whole = [
        &[kind, 0x12, 0x34, 0x56, 0, 1, 0, 10, 0, 3, 0, 1],
        [7; 6].as_slice(),
    ]
    .concat();
    match rng.u8(..24) {
        // What lies behind the length is no longer the datagram's, but still in the packet.
        0 => udp_of_length(from, to, &whole, -(whole.len() as i16)),
        1 => udp_of_length(from, to, &whole, pick(rng, &[-1, 1, -9, 100])),
        2 => udp(from, to, b""),
        3 => udp(from, to, &[kind]),
        4 => udp(from, to, &whole[..rng.usize(1..whole.len())]),
        5 => udp(from, to, &whole.repeat(60)),
        _ => udp(from, to, &whole),
    }
}

/// Mostly from a server's own address to port 546; and what the client says to that.
fn answer(rng: &mut Rng, client: IpAddr, server: IpAddr) -> Vec<Step> {
    let mut from = End {
        address: server,
        port: SERVER,
    };
    let mut to = End {
        address: client,
        port: CLIENT,
    };
    match rng.u8(..20) {
        0 => from.address = anybody(rng, server),
        1 => from.address = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x21).into(),
        2..5 => from.port = pick(rng, &[CLIENT, 1024, 0, 65535]),
        5..7 => to.port = pick(rng, &[SERVER, 545, 0]),
        7 => to.address = anybody(rng, client),
        8 => {
            let mut connection = Tcp::new(rng, from, to);
            connection.send(Side::Client, SYN, &[]);
            return connection.steps;
        }
        _ => {}
    }
    let mut packets = vec![udp(
        from,
        to,
        &[pick(rng, &[2, 7, 10, 13, 255]), 0x12, 0x34],
    )];
    match rng.u8(..8) {
        0 => packets.push(packets[0].clone()),
        1..3 => packets.push(udp(to, from, &[pick(rng, &[3, 5, 8, 14]), 0x12])),
        _ => {}
    }
    packets.into_iter().map(Step::Packet).collect()
}
