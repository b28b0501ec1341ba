//! The portmapper: questions for a program's port over UDP and TCP, and those who come to the port of the answer.
//!
//! The helper counts bytes and compares words, and forgets the question at whatever it does not understand. So every
//! word and every length is wrong at times, and so is who speaks when. An answer with the number 0 needs no question.

use std::net::IpAddr;

use super::flow::{
    ACK, FIN, PSH, RST, Rng, SYN, Side, Step, Tcp, anybody, hosts, offered_port, one_in, pick,
    visitors,
};
use super::packet::{End, TCP, UDP, ip, udp, udp_of_length, unreachable, words};

/// Some questions of a client's to a server, from one of few ports.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 4);
    let end = |address, port| End { address, port };
    let from = end(client, 700 + rng.u16(..8));
    let to = end(server, 111);
    if rng.bool() {
        over_udp(rng, from, to)
    } else {
        over_tcp(rng, from, to)
    }
}

fn over_udp(rng: &mut Rng, from: End, to: End) -> Vec<Step> {
    let mut steps = Vec::new();
    for _ in 0..rng.usize(1..6) {
        let exchange = Exchange::random(rng);
        for (side, message) in &exchange.said {
            let (from, to) = match side {
                Side::Client => (from, to),
                Side::Server => (to, from),
            };
            let off = match rng.u8(..50) {
                // What lies behind the length is no longer the datagram's, but still in the packet.
                0 => -(message.len() as i16),
                1 => pick(rng, &[-4, -1, 1, 100]),
                _ => 0,
            };
            let datagram = udp_of_length(from, to, message, off);
            steps.push(Step::Packet(datagram.clone()));
            if one_in(rng, 30) {
                steps.push(Step::Packet(unreachable(&datagram, to, from)));
            }
        }
        steps.extend(exchange.callers(rng, from.address, to.address));
    }
    steps
}

/// One connection in three is followed by another of the same two ends.
fn over_tcp(rng: &mut Rng, from: End, to: End) -> Vec<Step> {
    let mut connection = Tcp::new(rng, from, to);
    loop {
        if one_in(rng, 8) {
            let exchange = hasty(rng, &mut connection);
            let callers = exchange.callers(rng, from.address, to.address);
            connection.steps.extend(callers);
        } else if connection.open(rng) {
            for _ in 0..rng.usize(1..6) {
                let exchange = Exchange::random(rng);
                for (side, message) in &exchange.said {
                    say(rng, &mut connection, *side, message);
                }
                let callers = exchange.callers(rng, from.address, to.address);
                connection.steps.extend(callers);
            }
            connection.close(rng);
        }
        if !one_in(rng, 3) {
            return connection.steps;
        }
        connection.restart(rng);
    }
}

/// Data in the segments that open a connection or end it.
fn hasty(rng: &mut Rng, connection: &mut Tcp) -> Exchange {
    let exchange = Exchange::plain(rng);
    let [(_, call), (_, reply)] = &exchange.said[..] else {
        unreachable!("a plain exchange is a question and an answer")
    };
    let (call, reply) = (record(call), record(reply));
    match rng.u8(..5) {
        0 => {
            connection.send(Side::Client, SYN, &call);
            connection.send(Side::Server, SYN | ACK, &reply);
            connection.send(Side::Client, ACK, &[]);
        }
        1 => {
            // The refused connection is gone before its helper sees this.
            connection.send(Side::Client, SYN, &[]);
            connection.send(Side::Server, RST | ACK, &reply);
        }
        2 => {
            connection.handshake();
            connection.say(Side::Client, &call);
            connection.send(Side::Server, FIN | PSH | ACK, &reply);
        }
        3 => {
            connection.handshake();
            connection.say(Side::Client, &call);
            connection.send(Side::Server, RST | ACK, &reply);
        }
        _ => {
            // A capture that starts in its midst, with one side alone to be heard at first.
            connection.say(Side::Client, &call);
            connection.say(Side::Client, &call);
            connection.say(Side::Server, &reply);
        }
    }
    exchange
}

/// Behind a record mark, which nobody reads; at times without one, in two segments, or two in one.
fn say(rng: &mut Rng, connection: &mut Tcp, side: Side, message: &[u8]) {
    let whole = record(message);
    match rng.u8(..40) {
        0 => connection.say(side, message),
        1 => connection.say(side, &[&words(&[rng.u32(..)]), message].concat()),
        2 => {
            let (first, rest) = whole.split_at(rng.usize(..whole.len()));
            connection.say(side, first);
            connection.say(side, rest);
        }
        3 => {
            connection.say(side, &whole[..4]);
            connection.say(side, message);
        }
        4 => connection.say(side, &whole.repeat(2)),
        5 => {
            connection.say(side, &whole);
            connection.repeat();
        }
        6 => {
            connection.send(side.other(), ACK, &[]);
            connection.say(side, &whole);
        }
        _ => connection.say(side, &whole),
    }
}

fn record(message: &[u8]) -> Vec<u8> {
    let mark = 0x8000_0000 | message.len() as u32;
    [&words(&[mark]), message].concat()
}

/// What the two say, and where a program listens after it.
struct Exchange {
    said: Vec<(Side, Vec<u8>)>,
    protocol: u32,
    port: u16,
}

impl Exchange {
    fn plain(rng: &mut Rng) -> Self {
        let (xid, protocol, port) = (pick(rng, &[0, 0, 7]), u32::from(TCP), offered_port(rng));
        let call = words(&[
            xid, 0, 2, 100_000, 2, 3, 0, 0, 0, 0, 100_003, 3, protocol, 0,
        ]);
        let reply = words(&[xid, 1, 0, 0, 0, 0, u32::from(port)]);
        let said = vec![(Side::Client, call), (Side::Server, reply)];
        Self {
            said,
            protocol,
            port,
        }
    }

    fn random(rng: &mut Rng) -> Self {
        let xid = transaction(rng);
        let protocol = match rng.u8(..16) {
            0 => pick(rng, &[0, 1, 33, 47, 132, 136, 255, u32::MAX]),
            // Of these one byte becomes the protocol.
            1 => pick(rng, &[0x100, 0x106, 0x111, 0x0600_0006, 0x1100_0000]),
            2..9 => u32::from(TCP),
            _ => u32::from(UDP),
        };
        let port = match rng.u8(..40) {
            0 => 111,
            1..20 => offered_port(rng),
            _ => 51000 + rng.u16(..500),
        };
        let is_known = [TCP, UDP].map(u32::from).contains(&protocol);
        let answered = match rng.u8(..8) {
            0 => 0,
            1 => transaction(rng),
            2..6 if !is_known => 0,
            _ => xid,
        };
        let call = (Side::Client, call(rng, xid, protocol));
        let reply = (Side::Server, reply(rng, answered, port));
        let said = match rng.u8(..40) {
            0 => vec![reply],
            1 => vec![call],
            2 => vec![reply, call],
            3 => vec![call.clone(), call, reply],
            4 => vec![call, reply.clone(), reply],
            5 => {
                let other = (Side::Client, self::call(rng, xid ^ 1, protocol));
                vec![call, other, reply]
            }
            6 => {
                let other = (Side::Server, self::reply(rng, answered ^ 1, port));
                vec![call, other, reply]
            }
            7 => vec![(Side::Server, call.1), reply],
            8 => vec![call, (Side::Client, reply.1)],
            9 => {
                let side = pick(rng, &[Side::Client, Side::Server]);
                let length = rng.usize(..20);
                vec![call, (side, vec![rng.u8(..2); length]), reply]
            }
            10 => vec![(Side::Server, call.1), (Side::Client, reply.1)],
            _ => vec![call, reply],
        };
        Self {
            said,
            protocol,
            port,
        }
    }

    /// Those who come: mostly by the protocol that was asked for, at times by another. Of a protocol that is neither TCP
    /// nor UDP the answer to a question of that number makes the number 0.
    fn callers(&self, rng: &mut Rng, client: IpAddr, server: IpAddr) -> Vec<Step> {
        let offer = End {
            address: server,
            port: self.port,
        };
        let meant = self.protocol as u8;
        let protocol = match rng.u8(..16) {
            0 => pick(rng, &[0, TCP, UDP]),
            _ => meant,
        };
        match protocol {
            TCP => visitors(rng, client, offer),
            UDP => datagrams(rng, client, offer),
            other => {
                let protocol = if rng.bool() { 0 } else { other };
                vec![Step::Fork(bare(rng, protocol, client, server))]
            }
        }
    }
}

/// One of a few numbers, so that answers to other questions come by.
fn transaction(rng: &mut Rng) -> u32 {
    pick(rng, &[0, 1, 1, 2, 3, 0x5eed_0001, u32::MAX])
}

/// GETPORT. Seven in ten are as they should be.
fn call(rng: &mut Rng, xid: u32, protocol: u32) -> Vec<u8> {
    let head = [xid, 0, 2, 100_000, 2, 3];
    let program = [pick(rng, &[100_000, 100_003, 100_005]), 3, protocol, 0];
    let [credential, verifier] = [(); 2].map(|()| opaque(rng));
    let whole = [words(&head), credential, verifier, words(&program)].concat();
    match rng.u8(..10) {
        0 => odd_word(rng, whole),
        1 => odd_length(rng, whole),
        _ => whole,
    }
}

/// The port, or why there is none.
fn reply(rng: &mut Rng, xid: u32, port: u16) -> Vec<u8> {
    let verifier = opaque(rng);
    let port = u32::from(port);
    let answer = match rng.u8(..30) {
        0 => vec![0, 0],
        1 => vec![pick(rng, &[1, 2, 3, 4, 5, 0x0100_0000, u32::MAX]), port],
        2 => vec![2, 2, 4],
        3 => vec![1],
        // The upper half is not looked at, only whether the lower is 0.
        4 => vec![
            0,
            port | pick(rng, &[0x1_0000, 0x100_0000, 0x8000_0000, 0xffff_0000]),
        ],
        5 => vec![0, pick(rng, &[0x1_0000, 0xffff_0000])],
        _ => vec![0, port],
    };
    let status = match rng.u8(..30) {
        0 => pick(rng, &[1, 2, 0x0100_0000]),
        _ => 0,
    };
    let whole = [words(&[xid, 1, status]), verifier, words(&answer)].concat();
    match rng.u8(..14) {
        0 => odd_word(rng, whole),
        1 => odd_length(rng, whole),
        _ => whole,
    }
}

/// Credential or verifier: four bytes' padding, and no more than 400 bytes.
fn opaque(rng: &mut Rng) -> Vec<u8> {
    let length: u32 = match rng.u8(..30) {
        0 => pick(rng, &[396, 397, 399, 400]),
        1 => pick(rng, &[401, 404, 408]),
        2 => pick(rng, &[0x8000_0000, u32::MAX, u32::MAX - 2]),
        3..6 => pick(rng, &[1, 2, 3, 5, 7, 9]),
        6..10 => 20,
        _ => 0,
    };
    let mut filling = length.min(404).next_multiple_of(4) as usize;
    match rng.u8(..40) {
        0 => filling = length.min(404) as usize,
        1 => filling += 4,
        2 => filling = filling.saturating_sub(4),
        _ => {}
    }
    [words(&[rng.u32(..3), length]), vec![1; filling]].concat()
}

fn odd_word(rng: &mut Rng, mut message: Vec<u8>) -> Vec<u8> {
    let at = 4 * rng.usize(..message.len() / 4);
    let word = pick(
        rng,
        &[
            0,
            1,
            2,
            3,
            4,
            6,
            17,
            100_000,
            100_003,
            0x0200_0000,
            0x8000_0000,
            u32::MAX,
        ],
    );
    if let Some(old) = message.get_mut(at..at + 4) {
        old.copy_from_slice(&words(&[word]));
    }
    message
}

fn odd_length(rng: &mut Rng, mut message: Vec<u8>) -> Vec<u8> {
    let length = if rng.bool() {
        rng.usize(..message.len())
    } else {
        message.len() + rng.usize(1..9)
    };
    message.resize(length, 0);
    message
}

/// Whoever comes to a port by UDP: the one it was meant for or somebody else, with an answer or without.
fn datagrams(rng: &mut Rng, meant_for: IpAddr, offer: End) -> Vec<Step> {
    let mut forks = Vec::new();
    for _ in 0..pick(rng, &[1, 1, 1, 1, 2, 0]) {
        let address = if one_in(rng, 12) {
            anybody(rng, offer.address)
        } else {
            meant_for
        };
        let from = End {
            address,
            port: pick(rng, &[20, 111, 700]) + rng.u16(..40),
        };
        let to = End {
            port: offer.port.wrapping_add(u16::from(one_in(rng, 20))),
            ..offer
        };
        let asks = udp(from, to, b"a call");
        let packets = match rng.u8(..16) {
            0..5 => vec![asks],
            5..10 => vec![asks, udp(to, from, b"a reply")],
            10 => vec![asks.clone(), asks],
            11 => vec![asks.clone(), unreachable(&asks, to, from)],
            12 => vec![udp(to, from, b"a reply first"), asks],
            // Malformed, and yet it comes to the expectation.
            13 => vec![udp_of_length(from, to, b"a call", 4), asks],
            14 => vec![asks.clone(), udp(to, from, b"a reply"), asks],
            _ => vec![unreachable(&asks, to, from), asks],
        };
        forks.push(Step::Fork(packets.into_iter().map(Step::Packet).collect()));
    }
    forks
}

/// Packets without ports.
fn bare(rng: &mut Rng, protocol: u8, client: IpAddr, server: IpAddr) -> Vec<Step> {
    let there = ip(client, server, protocol, vec![0; 24]);
    let back = ip(server, client, protocol, vec![0; 24]);
    let packets = match rng.u8(..6) {
        0 => vec![back, there],
        1 => vec![there, back],
        2 => vec![there.clone(), there],
        _ => vec![there],
    };
    packets.into_iter().map(Step::Packet).collect()
}
