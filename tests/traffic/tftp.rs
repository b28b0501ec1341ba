//! TFTP: requests to port 69, and transfers from the ports that servers answer from.
//!
//! The helper looks at the first two bytes of every datagram of a flow to port 69, of either direction.

use super::flow::{Rng, Step, anybody, hosts, one_in, pick};
use super::packet::{End, udp, udp_of_length, unreachable};

/// A client asks a server for files from one port, as often as not one that was used before.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 35);
    let port = match rng.u8(..40) {
        0 => pick(rng, &[0, 69, 1023, 65535]),
        _ => 2000 + 11 * rng.u16(..40),
    };
    let client = End {
        address: client,
        port,
    };
    let server = End {
        address: server,
        port: 69,
    };
    let mut steps = Vec::new();
    for _ in 0..rng.usize(1..4) {
        steps.push(Step::Packet(request(rng, client, server)));
        match rng.u8(..20) {
            0 => steps.extend(steps.last().cloned()),
            1 => steps.push(Step::Packet(request(rng, server, client))),
            2 => steps.push(Step::Packet(unreachable(
                &udp(client, server, &read("file")),
                server,
                client,
            ))),
            3 => steps.push(Step::Packet(udp(server, client, &error(1)))),
            _ => {}
        }
        if !one_in(rng, 5) {
            steps.push(Step::Fork(transfer(rng, client, server)));
        }
    }
    steps
}

fn read(name: &str) -> Vec<u8> {
    [b"\0\x01", name.as_bytes(), b"\0octet\0"].concat()
}

fn error(code: u8) -> Vec<u8> {
    [b"\0\x05\0", [code].as_slice(), b"no\0"].concat()
}

/// A datagram to or from port 69: three in four ask for a file.
fn request(rng: &mut Rng, from: End, to: End) -> Vec<u8> {
    let payload: Vec<u8> = match rng.u8(..32) {
        0 => vec![],
        1 => vec![0],
        2 => vec![0, pick(rng, &[1, 2])], // an opcode and nothing else
        3 => vec![pick(rng, &[1, 2]), 0], // in the other byte order
        4 => vec![1, pick(rng, &[1, 2])],
        5 => [b"\0\x03\0\x01", [b'x'; 512].as_slice()].concat(),
        6 => vec![0, 4, 0, 0],
        7 => error(0),
        8 => b"\0\x06blksize\x001432\0".to_vec(),
        9 => vec![0, pick(rng, &[0, 7, 8, 255]), 0, 0],
        10 => read("../../etc/passwd"),
        11 => read("file")[..rng.usize(3..14)].to_vec(),
        12..=20 => [b"\0\x02", b"upload\0netascii\0".as_slice()].concat(),
        _ => read("file"),
    };
    match rng.u8(..40) {
        // What lies behind the length is no longer the datagram's, but still in the packet.
        0 => udp_of_length(from, to, &payload, -(payload.len() as i16)),
        1 => udp_of_length(from, to, &payload, pick(rng, &[-1, 1, -9, 100])),
        _ => udp(from, to, &payload),
    }
}

/// The answer from a port of the server's own: rarely from elsewhere, to elsewhere, or refused.
fn transfer(rng: &mut Rng, client: End, server: End) -> Vec<Step> {
    let mut from = End {
        port: 32768 + rng.u16(..400),
        ..server
    };
    let mut to = client;
    match rng.u8(..20) {
        0 => from.address = anybody(rng, server.address),
        1 => from.port = pick(rng, &[69, 0, 65535]),
        2 => to.port = to.port.wrapping_add(11),
        3 => to.address = anybody(rng, client.address),
        _ => {}
    }
    let data = |block: u8, length| {
        udp(
            from,
            to,
            &[&[0, 3, 0, block], [b'x'; 512].split_at(length).0].concat(),
        )
    };
    let acknowledgement = |block: u8| udp(to, from, &[0, 4, 0, block]);
    let packets = match rng.u8(..20) {
        0..5 => vec![data(1, 100)],
        5..11 => vec![data(1, 100), acknowledgement(1)],
        11 => vec![
            data(1, 512),
            acknowledgement(1),
            data(2, 0),
            acknowledgement(2),
        ],
        12..14 => vec![data(1, 20), data(1, 20), acknowledgement(1)],
        14 => vec![data(1, 20), unreachable(&data(1, 20), to, from)],
        15 => vec![unreachable(&data(1, 20), to, from), data(1, 20)],
        16 => vec![acknowledgement(0), data(1, 20), acknowledgement(1)], // the client speaks first
        17 => vec![acknowledgement(0)],
        18 => vec![udp_of_length(from, to, b"\0\x03\0\x01", 4), data(1, 20)], // malformed, and yet it counts
        _ => vec![udp(from, to, &error(2))],
    };
    packets.into_iter().map(Step::Packet).collect()
}
