//! PPTP: control connections, the calls that they agree on, and GRE that belongs to a call or to none.
//!
//! The helper follows sessions and calls through their states, so messages come in order, out of order, twice, cut
//! and from the wrong side. Numbers of calls are few, so that calls of different connections meet; plain GRE travels
//! between the same hosts, because a call without numbers looks like it.

use std::net::IpAddr;

use super::flow::{Rng, Side, Step, Tcp, anybody, hosts, one_in, pick};
use super::packet::{End, GRE, ip};

/// A control connection; one in three is followed by another of the same two ends.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 4); // the helper knows IPv4 alone
    let end = |address, port| End { address, port };
    let from = end(client, 40000 + rng.u16(..6));
    let control = Tcp::new(rng, from, end(server, 1723));
    let mut session = Session {
        control,
        rng,
        client,
        server,
        pns: 0,
        pac: 0,
    };
    loop {
        session.run();
        if !one_in(session.rng, 3) {
            return session.control.steps;
        }
        session.control.restart(session.rng);
    }
}

struct Session<'a> {
    rng: &'a mut Rng,
    client: IpAddr,
    server: IpAddr,
    control: Tcp,
    /// The numbers of the latest call, at the client and at the server.
    pns: u16,
    pac: u16,
}

impl Session<'_> {
    fn run(&mut self) {
        if !self.control.open(self.rng) {
            return;
        }
        if !one_in(self.rng, 12) {
            self.start();
        }
        for _ in 0..self.rng.usize(2..12) {
            // While a call stands there is none beside it.
            if one_in(self.rng, 3) {
                self.hang_up();
            }
            match self.rng.u8(..24) {
                0..=8 => self.out_call(),
                9..=13 => self.in_call(),
                14 => self.hang_up(),
                15 => self.stop(),
                16 => self.start(),
                17..=18 => self.tunnel(),
                19 => self.idle(),
                _ => self.anything(),
            }
        }
        self.control.close(self.rng);
    }

    fn start(&mut self) {
        self.say(Side::Client, 1, &[1, 0, 0]);
        let result = self.result();
        self.say(Side::Server, 2, &[256, result]);
    }

    fn stop(&mut self) {
        self.say(Side::Client, 3, &[1 << 8]);
        if !one_in(self.rng, 4) {
            let result = self.result();
            self.say(Side::Server, 4, &[result]);
        }
    }

    fn out_call(&mut self) {
        // A reply may come again, or for a call that was asked for long ago.
        if !one_in(self.rng, 8) {
            self.pns = number(self.rng);
            self.say(Side::Client, 7, &[self.pns, 1]);
        }
        if !one_in(self.rng, 8) {
            self.pac = number(self.rng);
        }
        let (peer, result) = (self.nearly(self.pns), self.result());
        self.say(Side::Server, 8, &[self.pac, peer, result]);
        self.tunnel();
    }

    fn in_call(&mut self) {
        if !one_in(self.rng, 8) {
            self.pac = number(self.rng);
            self.say(Side::Server, 9, &[self.pac, 1]);
        }
        if !one_in(self.rng, 8) {
            self.pns = number(self.rng);
            let (peer, result) = (self.nearly(self.pac), self.result());
            self.say(Side::Client, 10, &[self.pns, peer, result]);
        }
        let peer = self.nearly(self.pns);
        self.say(Side::Server, 11, &[peer, 0]);
        self.tunnel();
    }

    fn hang_up(&mut self) {
        if self.rng.bool() {
            self.say(Side::Client, 12, &[self.pns]);
        }
        if !one_in(self.rng, 5) {
            let call = self.nearly(self.pac);
            self.say(Side::Server, 13, &[call, 1 << 8]);
        }
    }

    /// What changes nothing.
    fn idle(&mut self) {
        let side = self.side();
        let kind = pick(self.rng, &[5, 6, 14, 15]);
        self.say(side, kind, &[0, 1]);
    }

    /// Any message, from anybody, at any time; and types that do not exist.
    fn anything(&mut self) {
        let side = self.side();
        let kind = pick(
            self.rng,
            &[
                0, 1, 2, 3, 4, 7, 8, 8, 9, 10, 11, 11, 12, 13, 13, 16, 255, 65535,
            ],
        );
        let numbers = [(); 3].map(|()| number(self.rng));
        self.say(side, kind, &numbers);
    }

    fn side(&mut self) -> Side {
        pick(self.rng, &[Side::Client, Side::Server])
    }

    /// Mostly "connected" or "accepted", in the high byte.
    fn result(&mut self) -> u16 {
        match self.rng.u8(..16) {
            0 => pick(self.rng, &[0, 1, 2, 255]) << 8,
            1 => self.rng.u16(..),
            _ => 1 << 8,
        }
    }

    /// This number, rarely another one.
    fn nearly(&mut self, right: u16) -> u16 {
        if one_in(self.rng, 16) {
            number(self.rng)
        } else {
            right
        }
    }

    /// A message, mostly whole and in a segment of its own.
    fn say(&mut self, side: Side, kind: u16, fields: &[u16]) {
        let mut text = message(kind, fields);
        match self.rng.u8(..80) {
            0 => text.truncate(self.rng.usize(..text.len())),
            1 => drop(text.pop()),
            2 => text.extend([0; 300].split_at(self.rng.usize(..300)).0),
            3 => text.extend(message(13, &[0])),
            4 => text[self.rng.usize(..10)] ^= 1u8 << self.rng.u8(..8),
            5 => text.insert(0, 0),
            6 => {
                let (first, rest) = text.split_at(self.rng.usize(..text.len()));
                self.control.say(side, first);
                self.control.say(side, rest);
                return;
            }
            7 => {
                self.control.say(side, &text);
                self.control.repeat();
                return;
            }
            8 => return,
            9 => return self.control.say(side.other(), &text),
            _ => {}
        }
        self.control.say(side, &text);
    }

    /// PPP of the latest call, and what resembles it.
    fn tunnel(&mut self) {
        let mut steps = Vec::new();
        for _ in 0..pick(self.rng, &[0, 1, 1, 2, 2, 3, 6]) {
            let (mut from, mut to, mut call) = match self.side() {
                Side::Client => (self.client, self.server, self.pac),
                Side::Server => (self.server, self.client, self.pns),
            };
            match self.rng.u8(..24) {
                0 => from = anybody(self.rng, from),
                1 => to = anybody(self.rng, to),
                2 => call = number(self.rng),
                3 => call = pick(self.rng, &[self.pns, self.pac]),
                _ => {}
            }
            let packet = gre(self.rng, call);
            steps.push(Step::Packet(ip(from, to, GRE, packet)));
        }
        self.control.steps.push(Step::Fork(steps));
    }
}

/// The number of a call: one of few, or one whose bytes are not the same from both ends.
fn number(rng: &mut Rng) -> u16 {
    match rng.u8(..16) {
        0 => pick(rng, &[0, 0x0100, 0x1234, 0x880b, 65535]),
        1 => rng.u16(..),
        _ => rng.u16(..6),
    }
}

/// A control message of the length that RFC 2637 gives it, with these fields behind the header, from byte 12 on.
pub fn message(kind: u16, fields: &[u16]) -> Vec<u8> {
    let length = match kind {
        1 | 2 => 156,
        3 | 4 | 5 | 12 => 16,
        6 => 20,
        7 => 168,
        8 => 32,
        9 => 220,
        10 => 24,
        11 => 28,
        13 => 148,
        14 => 40,
        15 => 24,
        _ => 20,
    };
    let header = [length, 1, 0x1a2b, 0x3c4d, kind, 0];
    let fields = header.iter().chain(fields);
    let mut text: Vec<u8> = fields.copied().flat_map(u16::to_be_bytes).collect();
    text.resize(length.into(), 0);
    text
}

/// Mostly version 1 with PPP in it; else plain GRE, another protocol or version, or a header that is cut.
fn gre(rng: &mut Rng, call: u16) -> Vec<u8> {
    let words = |flags: u16, protocol: u16| {
        let words = [flags, protocol, 4, call, 0, 1];
        let mut packet: Vec<u8> = words.into_iter().flat_map(u16::to_be_bytes).collect();
        packet.extend([0xff, 0x03, 0xc0, 0x21]);
        packet
    };
    match rng.u8(..40) {
        0..2 => words(0, 0x0800),
        2 => words(0x2000, 0x880b),
        3 => words(0x3001, 0x0800),
        4 => words(pick(rng, &[0x3002, 0x3003, 0x3007, 0xffff]), 0x880b),
        5 => words(pick(rng, &[0x0001, 0xfff9, 0x30f9]), 0x880b),
        6 => words(0x3001, 0x880b)[..rng.usize(..10)].to_vec(),
        _ => words(0x3001, 0x880b),
    }
}
