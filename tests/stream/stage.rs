//! Sessions under way, each at some place in its script.

use std::io;
use std::ops::Range;

use super::Output;
use crate::traffic::flow::Rng;
use crate::traffic::packet::{End, ICMP, TCP, UDP, seal, seal_segment, sum};

/// What one session says: packets that stand for all sessions of their kind, with the places at which they differ.
pub struct Script {
    lines: Vec<Line>,
    /// A part that is played so many times before the rest.
    again: Option<(Range<usize>, u32)>,
    /// Conntracks that it makes.
    flows: u64,
    /// Servers that sessions choose from.
    servers: u64,
    /// Bytes that each end of its TCP connection sends in that part.
    said: [u32; 2],
}

struct Line {
    packet: Vec<u8>,
    patches: Vec<(usize, Field)>,
}

/// What differs between sessions.
#[derive(Clone, Copy)]
enum Field {
    /// An address or a port in its header; in a text, of two kinds.
    Address(usize),
    AddressText(usize, u8),
    AddressNumber(usize),
    Port(usize),
    PortText(usize),
    PortOctets(usize),
    /// Sequence number and acknowledgement of an end, from the part on that is played again.
    Sequence(usize),
    /// All that follows, which nobody reads and no two packets have in common: encrypted, or media.
    Opaque,
}

/// What `Opaque` is written as in a script.
pub const OPAQUE: u8 = 0xee;

/// The ends by which scripts are written: client and server, and the ports of their control connection, of the other end
/// of data connections, and on offer. Every number in them has three digits, and so has what takes their place.
pub const CLIENT: [u8; 4] = [100, 111, 111, 111];
pub const SERVER: [u8; 4] = [198, 122, 122, 122];
pub const CONTROL: u16 = port(0);
pub const DATA: u16 = port(1);
pub const OFFER: u16 = port(2);

pub fn client(port: u16) -> End {
    End {
        address: CLIENT.into(),
        port,
    }
}

pub fn server(port: u16) -> End {
    End {
        address: SERVER.into(),
        port,
    }
}

impl Script {
    pub fn new(flows: u64, servers: u64, packets: Vec<Vec<u8>>) -> Self {
        Self {
            lines: packets.into_iter().map(Line::new).collect(),
            again: None,
            flows,
            servers,
            said: [0, 0],
        }
    }

    /// These of its packets are played so many times, with another port on offer each time.
    pub fn again(mut self, part: Range<usize>, times: u32) -> Self {
        for (index, line) in self.lines.iter_mut().enumerate().skip(part.start) {
            let packet = &line.packet;
            if packet[9] != TCP {
                continue;
            }
            let from_client = packet[12..16] == CLIENT;
            let [own, other] = if from_client { [0, 1] } else { [1, 0] };
            if part.contains(&index) {
                let length = u16::from_be_bytes([packet[2], packet[3]]);
                self.said[own] += u32::from(length) - 40;
            }
            line.patches.push((24, Field::Sequence(own)));
            line.patches.push((28, Field::Sequence(other)));
        }
        self.again = Some((part, times));
        self
    }
}

impl Line {
    fn new(packet: Vec<u8>) -> Self {
        let mut patches = Vec::new();
        let mut find = |text: &[u8], field| {
            let windows = packet.windows(text.len()).enumerate();
            let found = windows.filter(|(_, window)| *window == text);
            patches.extend(found.map(|(at, _)| (at, field)));
        };
        for (index, address) in [CLIENT, SERVER].into_iter().enumerate() {
            find(&address, Field::Address(index));
            for separator in [b'.', b','] {
                find(
                    &address_text(address, separator),
                    Field::AddressText(index, separator),
                );
            }
            let number = number_text::<10>(u32::from_be_bytes(address));
            find(&number, Field::AddressNumber(index));
        }
        // In binary it has to be an offer, which no text looks like.
        find(&OFFER.to_be_bytes(), Field::Port(2));
        for (index, port) in [CONTROL, DATA, OFFER].into_iter().enumerate() {
            find(&number_text::<5>(port.into()), Field::PortText(index));
            let [high, low] = port.to_be_bytes();
            find(format!("{high},{low}").as_bytes(), Field::PortOctets(index));
        }
        // Those of the packet's own header, and of the one that an ICMP error quotes.
        let header = if packet[9] == ICMP { 48 } else { 20 };
        for at in [header, header + 2] {
            let ports = [CONTROL, DATA, OFFER].map(u16::to_be_bytes);
            let index = ports.iter().position(|port| packet[at..at + 2] == *port);
            patches.extend(index.map(|index| (at, Field::Port(index))));
        }
        let opaque = packet.iter().rev().take_while(|byte| **byte == OPAQUE);
        let opaque = opaque.count();
        if opaque > 0 {
            patches.push((packet.len() - opaque, Field::Opaque));
        }
        Self { packet, patches }
    }
}

/// A session under way.
struct Session {
    script: usize,
    next: usize,
    addresses: [[u8; 4]; 2],
    ports: [u16; 3],
    again: u32,
}

/// Many sessions at a time, a new one for each that ends.
pub struct Stage {
    /// As often as they are played.
    scripts: Vec<Script>,
    sessions: Vec<Session>,
    begun: u64,
    rng: Rng,
    /// Microseconds between two new flows.
    apart: u64,
}

impl Stage {
    pub fn new(scripts: Vec<Script>, alive: usize, apart: u64) -> Self {
        let mut stage = Self {
            scripts,
            sessions: Vec::new(),
            begun: 0,
            rng: Rng::with_seed(1),
            apart,
        };
        stage.sessions = (0..alive).map(|_| stage.session()).collect();
        stage
    }

    /// Until the size is reached.
    pub fn play(mut self, out: &mut Output) -> io::Result<()> {
        loop {
            let turn = self.rng.usize(..self.sessions.len());
            let session = &mut self.sessions[turn];
            let script = &self.scripts[session.script];
            let line = &script.lines[session.next];
            out.clock += 1;
            let Some(sent) = out.send(&line.packet)? else {
                return out.flush();
            };
            session.fill_in(line, script, sent, &mut self.rng);
            reseal(sent);
            session.next += 1;
            if let Some((part, times)) = &script.again
                && session.next == part.end
                && session.again + 1 < *times
            {
                session.next = part.start;
                session.again += 1;
                session.ports[2] = port(self.rng.u32(..));
                out.clock += self.apart;
            } else if session.next == script.lines.len() {
                out.clock += self.apart * script.flows;
                self.sessions[turn] = self.session();
            }
        }
    }

    /// A client has its ports in turn; servers are of no number that a table would have room for.
    fn session(&mut self) -> Session {
        let number = self.begun;
        self.begun += 1;
        let script = number as usize % self.scripts.len();
        let turn = 3 * (number / CLIENTS) as u32;
        let host = |number: u64| [0, 1, 2].map(|at| 100 + (number / 150u64.pow(at) % 150) as u8);
        let [a, b, c] = host(number % CLIENTS);
        let [d, e, f] = host(self.rng.u64(..self.scripts[script].servers));
        Session {
            script,
            next: 0,
            addresses: [[100, a, b, c], [198, d, e, f]],
            ports: [port(turn), port(turn + 1), port(turn + 2)],
            again: 0,
        }
    }
}

impl Session {
    fn fill_in(&self, line: &Line, script: &Script, packet: &mut [u8], rng: &mut Rng) {
        for &(at, field) in &line.patches {
            let packet = &mut packet[at..];
            match field {
                Field::Address(of) => packet[..4].copy_from_slice(&self.addresses[of]),
                Field::AddressText(of, separator) => {
                    packet[..15].copy_from_slice(&address_text(self.addresses[of], separator));
                }
                Field::AddressNumber(of) => {
                    let number = u32::from_be_bytes(self.addresses[of]);
                    packet[..10].copy_from_slice(&number_text::<10>(number));
                }
                Field::Port(of) => packet[..2].copy_from_slice(&self.ports[of].to_be_bytes()),
                Field::PortText(of) => {
                    packet[..5].copy_from_slice(&number_text::<5>(self.ports[of].into()));
                }
                Field::PortOctets(of) => {
                    let [high, low] = self.ports[of].to_be_bytes().map(u32::from);
                    packet[..3].copy_from_slice(&number_text::<3>(high));
                    packet[4..7].copy_from_slice(&number_text::<3>(low));
                }
                Field::Sequence(of) => {
                    let on = script.said[of].wrapping_mul(self.again);
                    let number = u32::from_be_bytes([packet[0], packet[1], packet[2], packet[3]]);
                    packet[..4].copy_from_slice(&number.wrapping_add(on).to_be_bytes());
                }
                Field::Opaque => rng.fill(packet),
            }
        }
    }
}

/// Makes the checksums of an IPv4 packet true again: some readers verify them.
fn reseal(packet: &mut [u8]) {
    let length = u16::from_be_bytes([packet[2], packet[3]]);
    let (header, segment) = packet[..length.into()].split_at_mut(20);
    seal(header);
    let field = match header[9] {
        TCP => 16..18,
        UDP => 6..8,
        _ => 2..4,
    };
    segment[field].fill(0);
    seal_segment(header[9], sum(&header[12..20]), segment);
}

/// A port whose octets have three digits each, and which has five itself.
const fn port(number: u32) -> u16 {
    let high = 100 + number / 150 % 150;
    (high << 8 | (100 + number % 150)) as u16
}

fn address_text([a, b, c, d]: [u8; 4], separator: u8) -> [u8; 15] {
    let mut text = [separator; 15];
    for (index, octet) in [a, b, c, d].into_iter().enumerate() {
        text[4 * index..4 * index + 3].copy_from_slice(&number_text::<3>(octet.into()));
    }
    text
}

/// The last so many digits of a number.
fn number_text<const DIGITS: usize>(mut number: u32) -> [u8; DIGITS] {
    let mut text = [b'0'; DIGITS];
    for digit in text.iter_mut().rev() {
        *digit += (number % 10) as u8;
        number /= 10;
    }
    text
}

/// Clients that take turns.
const CLIENTS: u64 = 2_000;
