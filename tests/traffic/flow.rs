//! What sessions of all protocols are made of: hosts, TCP connections, and those who come to a port on offer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::packet::{End, TCP, ip};

pub type Rng = fastrand::Rng;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// What a session does next.
#[derive(Clone, Debug)]
pub enum Step {
    Packet(Vec<u8>),
    /// From here on another script runs beside this one.
    Fork(Vec<Step>),
}

/// One of the two ends of a session. The client is the one that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// True once in so many times.
pub fn one_in(rng: &mut Rng, times: u32) -> bool {
    rng.u32(..times) == 0
}

pub fn pick<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())]
}

/// The text with one byte lost, changed or added, or with its end cut off.
pub fn misspelt(rng: &mut Rng, mut text: Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    let at = rng.usize(..text.len());
    match rng.u8(..4) {
        0 => drop(text.remove(at)),
        1 => text[at] = pick(rng, bytes),
        2 => text.insert(at, pick(rng, bytes)),
        _ => text.truncate(at.max(1)),
    }
    text
}

const CLIENTS_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(192, 0, 2, 1),
    Ipv4Addr::new(192, 0, 2, 200),
    Ipv4Addr::new(198, 51, 100, 7),
];
const SERVERS_V4: [Ipv4Addr; 2] = [
    Ipv4Addr::new(203, 0, 113, 21),
    Ipv4Addr::new(198, 51, 100, 10),
];

// Addresses that have more than one spelling: zeros in front, in the middle and at the end, none, and a dotted tail.
const CLIENTS_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0xc000, 0x0201),
    Ipv6Addr::new(0x2001, 0xdb8, 1, 2, 3, 4, 5, 6),
];
const SERVERS_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0x2001, 0xdb8, 0xf, 0, 0, 0, 0, 0x21),
    Ipv6Addr::new(0x2001, 0xdb8, 0xa, 0xb, 0xc, 0, 0, 0),
];

/// A client and a server, of IPv6 in so many of a hundred times.
pub fn hosts(rng: &mut Rng, percent_v6: u8) -> (IpAddr, IpAddr) {
    if rng.u8(..100) < percent_v6 {
        (pick(rng, &CLIENTS_V6).into(), pick(rng, &SERVERS_V6).into())
    } else {
        (pick(rng, &CLIENTS_V4).into(), pick(rng, &SERVERS_V4).into())
    }
}

/// Any host of the same family.
pub fn anybody(rng: &mut Rng, like: IpAddr) -> IpAddr {
    let (client, server) = hosts(rng, if like.is_ipv6() { 100 } else { 0 });
    if rng.bool() { client } else { server }
}

/// A port that a data connection is offered at: one of a few, so that offers meet, or one at an edge.
pub fn offered_port(rng: &mut Rng) -> u16 {
    match rng.u8(..20) {
        0 => pick(rng, &[0, 1, 9, 20, 21, 255, 256, 1023, 6667, 65535]),
        1 => rng.u16(..),
        _ => 50000 + 7 * rng.u16(..16),
    }
}

/// A TCP connection: its two ends take turns in one script.
#[derive(Debug)]
pub struct Tcp {
    ends: [End; 2],
    /// The sequence number of the next byte of each end.
    next: [u32; 2],
    /// What the SYN offers: nothing, a segment size, or what a system of today does.
    options: &'static [u8],
    window: u16,
    pub steps: Vec<Step>,
}

impl Tcp {
    pub fn new(rng: &mut Rng, client: End, server: End) -> Self {
        let mut connection = Self {
            ends: [client, server],
            next: [0, 0],
            options: &[],
            window: 0,
            steps: Vec::new(),
        };
        connection.restart(rng);
        connection
    }

    /// The same two ends start anew. One number in six is about to wrap.
    pub fn restart(&mut self, rng: &mut Rng) {
        self.next = [(); 2].map(|()| {
            if one_in(rng, 6) {
                0u32.wrapping_sub(rng.u32(..200))
            } else {
                rng.u32(..)
            }
        });
        self.options = pick(
            rng,
            &[
                &[],
                &[2, 4, 5, 180],
                &[2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7],
                &[
                    2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 2,
                ],
            ],
        );
        self.window = if one_in(rng, 10) { 1024 } else { 64240 };
    }

    pub fn next(&self, side: Side) -> u32 {
        self.next[side as usize]
    }

    /// A segment outside the order, or one again.
    pub fn send_at(&mut self, side: Side, sequence: u32, flags: u8, data: &[u8]) {
        let (from, to) = (self.ends[side as usize], self.ends[side.other() as usize]);
        let acknowledged = if flags & ACK == 0 {
            0
        } else {
            self.next(side.other())
        };
        let options = if flags & SYN == 0 { &[] } else { self.options };
        let mut segment = [from.port, to.port].map(u16::to_be_bytes).concat();
        segment.extend(sequence.to_be_bytes());
        segment.extend(acknowledged.to_be_bytes());
        segment.extend([(20 + options.len() as u8) << 2, flags]);
        segment.extend(self.window.to_be_bytes());
        segment.extend([0; 4]);
        segment.extend_from_slice(options);
        segment.extend_from_slice(data);
        self.steps
            .push(Step::Packet(ip(from.address, to.address, TCP, segment)));
    }

    pub fn send(&mut self, side: Side, flags: u8, data: &[u8]) {
        self.send_at(side, self.next(side), flags, data);
        let length = data.len() as u32 + u32::from(flags & SYN != 0) + u32::from(flags & FIN != 0);
        self.next[side as usize] = self.next(side).wrapping_add(length);
    }

    pub fn say(&mut self, side: Side, data: &[u8]) {
        self.send(side, PSH | ACK, data);
    }

    /// The last packet once more.
    pub fn repeat(&mut self) {
        self.steps.extend(self.steps.last().cloned());
    }

    pub fn handshake(&mut self) {
        self.send(Side::Client, SYN, &[]);
        self.send(Side::Server, SYN | ACK, &[]);
        self.send(Side::Client, ACK, &[]);
    }

    /// Opens the connection in one of the ways a capture may show; false where it was refused.
    pub fn open(&mut self, rng: &mut Rng) -> bool {
        match rng.u8(..100) {
            0..=81 => self.handshake(),
            82..=85 => {
                self.send(Side::Client, SYN, &[]);
                self.repeat();
                self.send(Side::Server, SYN | ACK, &[]);
                self.repeat();
                self.send(Side::Client, ACK, &[]);
            }
            86..=89 => {
                self.send(Side::Client, SYN, &[]);
                self.send(Side::Server, SYN | ACK, &[]);
            }
            90 => {
                // The answer went another way.
                self.send(Side::Client, SYN, &[]);
                self.next[Side::Server as usize] = self.next(Side::Server).wrapping_add(1);
                self.send(Side::Client, ACK, &[]);
            }
            91..=92 => {
                self.send(Side::Server, SYN | ACK, &[]);
                self.send(Side::Client, ACK, &[]);
            }
            93..=96 => {} // the capture starts in its midst
            _ => {
                self.send(Side::Client, SYN, &[]);
                self.send(Side::Server, RST | ACK, &[]);
                return false;
            }
        }
        true
    }

    pub fn close(&mut self, rng: &mut Rng) {
        let first = if rng.bool() {
            Side::Client
        } else {
            Side::Server
        };
        match rng.u8(..100) {
            0..=64 => {
                self.send(first, FIN | ACK, &[]);
                self.send(first.other(), FIN | ACK, &[]);
                self.send(first, ACK, &[]);
            }
            65..=69 => {
                self.send(first, FIN | ACK, &[]);
                self.send(first.other(), ACK, &[]);
            }
            70..=79 => self.send(first, RST | ACK, &[]),
            80..=86 => self.send(first, RST, &[]),
            87..=88 => self.send_at(
                first,
                self.next(first).wrapping_add(rng.u32(1..3000)),
                RST,
                &[],
            ),
            _ => {}
        }
    }
}

/// Whoever comes to a port on offer: mostly the one it was meant for, at times somebody else, two, or nobody.
pub fn visitors(rng: &mut Rng, meant_for: IpAddr, offer: End) -> Vec<Step> {
    let mut forks = Vec::new();
    for _ in 0..pick(rng, &[1, 1, 1, 1, 1, 1, 1, 1, 2, 0, 0]) {
        let address = if one_in(rng, 12) {
            anybody(rng, offer.address)
        } else {
            meant_for
        };
        let port = if one_in(rng, 4) {
            20
        } else {
            41000 + rng.u16(..300)
        };
        let beside = u16::from(one_in(rng, 20));
        let offer = End {
            port: offer.port.wrapping_add(beside),
            ..offer
        };
        forks.push(Step::Fork(connection(rng, End { address, port }, offer)));
    }
    forks
}

/// A connection with what comes first in it left to chance.
fn connection(rng: &mut Rng, from: End, to: End) -> Vec<Step> {
    let mut connection = Tcp::new(rng, from, to);
    match rng.u8(..100) {
        0..=23 => {
            connection.handshake();
            let side = if rng.bool() {
                Side::Client
            } else {
                Side::Server
            };
            connection.say(side, b"some data\r\n");
            connection.close(rng);
        }
        24..=64 => {
            connection.send(Side::Client, SYN, &[]);
            if one_in(rng, 3) {
                connection.repeat();
            }
        }
        65..=73 => {
            connection.send(Side::Client, SYN, &[]);
            connection.send(Side::Server, RST | ACK, &[]);
        }
        74..=81 => {
            connection.say(Side::Client, b"data without a start");
            connection.send(Side::Server, ACK, &[]);
        }
        opener => {
            // None of these opens a connection, yet each uses up an expectation.
            let flags = match opener {
                82..=87 => RST,
                88..=91 => FIN | ACK,
                92..=95 => SYN | ACK,
                _ => SYN | FIN,
            };
            connection.send_at(Side::Client, connection.next(Side::Client), flags, &[]);
            if rng.bool() {
                connection.handshake();
            }
        }
    }
    connection.steps
}
