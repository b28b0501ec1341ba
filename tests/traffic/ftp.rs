//! FTP: control sessions, offers of a data connection in all spellings, and those who come for them.
//!
//! The helper reads a segment only where a line is known to start, keeps two such places a direction, and drops what
//! looks like the beginning of an offer. So the texts vary, and so does the way they are cut into segments.

use std::net::IpAddr;

use super::flow::{
    ACK, Rng, Side, Step, Tcp, anybody, hosts, offered_port, one_in, pick, visitors,
};
use super::ftp_offer::{eprt, port_command, reply_227, reply_229};
use super::packet::End;

/// A line that was sent, to be sent again.
struct Said {
    side: Side,
    sequence: u32,
    text: Vec<u8>,
}

struct Session<'a> {
    rng: &'a mut Rng,
    client: IpAddr,
    server: IpAddr,
    control: Tcp,
    said: Vec<Said>,
}

/// A control session and what it leads to; one in three is followed by another of the same two ends.
pub fn session(rng: &mut Rng) -> Vec<Step> {
    let (client, server) = hosts(rng, 40);
    let from = End {
        address: client,
        port: 40000 + rng.u16(..12),
    };
    let control = Tcp::new(
        rng,
        from,
        End {
            address: server,
            port: 21,
        },
    );
    let mut session = Session {
        rng,
        client,
        server,
        control,
        said: Vec::new(),
    };
    loop {
        session.run();
        if !one_in(session.rng, 3) {
            return session.control.steps;
        }
        session.control.restart(session.rng);
    }
}

impl Session<'_> {
    fn run(&mut self) {
        if !self.control.open(self.rng) {
            return;
        }
        self.greet();
        for _ in 0..self.rng.usize(4..16) {
            match self.rng.u8(..24) {
                0..=9 => self.active(),
                10..=19 => self.passive(),
                20 => self.chat(),
                21 => self.stub(),
                22 => self.again(),
                _ => self.out_of_order(),
            }
        }
        self.control.close(self.rng);
    }

    /// The first line of each side, which the helper never reads. Without it an offer may be that line.
    fn greet(&mut self) {
        match self.rng.u8(..10) {
            0 => {}
            1 => self
                .control
                .say(Side::Server, b"220-Welcome\r\n220 to 192,0,2,1,4,5\r\n"),
            2 => self.control.say(Side::Server, b"220 a line without an end"),
            _ => self.control.say(Side::Server, b"220 ready\r\n"),
        }
        if !one_in(self.rng, 8) {
            self.control.say(Side::Client, b"USER anonymous\r\n");
            self.control.say(Side::Server, b"331 password\r\n");
        }
    }

    /// The client offers a port, and the server is to come.
    fn active(&mut self) {
        let port = offered_port(self.rng);
        let host = if one_in(self.rng, 15) {
            anybody(self.rng, self.client)
        } else {
            self.client
        };
        let plain = if host.is_ipv4() {
            one_in(self.rng, 3)
        } else {
            !one_in(self.rng, 6)
        };
        let offer = if plain {
            eprt(self.rng, host, port)
        } else {
            port_command(self.rng, host, port)
        };
        self.deliver(Side::Client, &offer.text);
        if one_in(self.rng, 8) {
            self.control
                .say(Side::Server, b"200 command successful\r\n");
        }
        if self.rng.bool() {
            self.control.say(Side::Client, b"LIST\r\n");
        }
        self.invite(
            self.server,
            End {
                address: self.client,
                port: offer.port,
            },
        );
    }

    /// The server offers a port, and the client is to come.
    fn passive(&mut self) {
        let port = offered_port(self.rng);
        let host = if one_in(self.rng, 15) {
            anybody(self.rng, self.server)
        } else {
            self.server
        };
        let extended = if host.is_ipv4() {
            one_in(self.rng, 3)
        } else {
            !one_in(self.rng, 6)
        };
        if one_in(self.rng, 8) {
            self.control.say(
                Side::Client,
                if extended { b"EPSV\r\n" } else { b"PASV\r\n" },
            );
        }
        let offer = if extended {
            reply_229(self.rng, host, port)
        } else {
            reply_227(self.rng, host, port)
        };
        self.deliver(Side::Server, &offer.text);
        if self.rng.bool() {
            self.control.say(Side::Server, b"150 opening\r\n");
        }
        self.invite(
            self.client,
            End {
                address: self.server,
                port: offer.port,
            },
        );
    }

    fn invite(&mut self, guest: IpAddr, offer: End) {
        let visitors = visitors(self.rng, guest, offer);
        self.control.steps.extend(visitors);
    }

    fn chat(&mut self) {
        let side = if self.rng.bool() {
            Side::Client
        } else {
            Side::Server
        };
        let texts: [&[u8]; 5] = [
            b"NOOP\r\n",
            b"226-two\r\n226 lines\r\n",
            b"\n",
            b"no end",
            b"HELP PORT\r\n",
        ];
        let text = pick(self.rng, &texts);
        self.control.say(side, text);
    }

    /// A segment that may be the beginning of an offer, and at times the rest of it.
    fn stub(&mut self) {
        let client: [&[u8]; 8] = [
            b"P",
            b"PO",
            b"port",
            b"PORT ",
            b"E",
            b"Epr",
            b"EPRT",
            b"EPRT |1|",
        ];
        let server: [&[u8]; 8] = [
            b"2",
            b"22",
            b"227",
            b"227 ",
            b"229",
            b"229 ",
            b"229 Extended",
            b"227 no digits\r\n",
        ];
        let (side, texts) = if self.rng.bool() {
            (Side::Client, client)
        } else {
            (Side::Server, server)
        };
        let text = pick(self.rng, &texts);
        self.deliver(side, text);
        if self.rng.bool() {
            self.control.say(side, b" 192,0,2,1,195,80\r\n");
        }
    }

    /// One of the last lines once more, at its own place in the stream or at the current one.
    fn again(&mut self) {
        let recent = self.said.len().saturating_sub(4);
        let Some(said) = self
            .said
            .get(recent..)
            .and_then(|last| self.rng.choice(last))
        else {
            return;
        };
        let sequence = if one_in(self.rng, 3) {
            self.control.next(said.side)
        } else {
            said.sequence
        };
        self.control.send_at(said.side, sequence, ACK, &said.text);
    }

    /// Lines that overtake each other leave more places behind them than the helper remembers.
    fn out_of_order(&mut self) {
        let side = if self.rng.bool() {
            Side::Client
        } else {
            Side::Server
        };
        let lines: [&[u8]; 3] = [b"SYST\r\n", b"215 UNIX\r\n", b"PWD\r\n"];
        let first = self.control.steps.len();
        for line in lines {
            self.control.say(side, line);
        }
        self.rng.shuffle(&mut self.control.steps[first..]);
    }

    /// Sends a text, mostly as a segment of its own.
    fn deliver(&mut self, side: Side, text: &[u8]) {
        let sequence = self.control.next(side);
        self.said.push(Said {
            side,
            sequence,
            text: text.to_vec(),
        });
        match self.rng.u8(..100) {
            0..=5 => {
                let mut rest = text;
                while rest.len() > 1 && (rest.len() == text.len() || one_in(self.rng, 3)) {
                    let (piece, after) = rest.split_at(self.rng.usize(1..rest.len()));
                    self.control.say(side, piece);
                    rest = after;
                }
                self.control.say(side, rest);
            }
            6..=8 => self.control.say(side, &[b"NOOP\r\n", text].concat()),
            9..=12 => {
                let next: [&[u8]; 3] = [b"NOOP\r\n", b"LIST", b"PORT 192,0,2,1,195,80\r\n"];
                let next = pick(self.rng, &next);
                self.control.say(side, &[text, next].concat());
            }
            13..=16 => {
                self.control.say(side, text);
                self.control.repeat();
            }
            17..=18 => {
                // Retransmitted together with what follows it.
                self.control.say(side, text);
                self.control
                    .send_at(side, sequence, ACK, &[text, b"NOOP\r\n"].concat());
                self.control.say(side, b"NOOP\r\n");
            }
            19..=20 => {
                // The line before it arrives after it, or twice.
                self.control.say(side, b"NOOP\r\n");
                self.control.say(side, text);
                let last = self.control.steps.len();
                self.control.steps.swap(last - 2, last - 1);
                self.control.send_at(side, sequence, ACK, b"NOOP\r\n");
            }
            21..=23 => {
                let away = pick(
                    self.rng,
                    &[
                        1,
                        u32::MAX,
                        70_000,
                        200_000,
                        200_000u32.wrapping_neg(),
                        1 << 31,
                    ],
                );
                self.control
                    .send_at(side, sequence.wrapping_add(away), ACK, text);
                self.control.say(side, text);
            }
            24 => self.control.say(side.other(), text),
            _ => self.control.say(side, text),
        }
    }
}
