//! FTP, as conntrackd reads it: a port of an early state of the kernel's helper.
//!
//! What differs from the kernel's:
//! - A reply 229 is read, and its address, which it does not have, is taken for the client's. It is not the server's, so
//!   nothing is expected: extended passive mode does not work.
//! - Commands have to be in capital letters. One that cannot be read to its end passes, and a reply 227 must have its
//!   numbers in parentheses.
//! - Behind a command with another's address the line end is not noted, so the command after it is not read.
//! - A segment without payload ends in a line feed if its TCP header does.
//! - Other addresses than the speaker's own cannot be allowed.
//!
//! Source: src/helpers/ftp.c `ftp_helper_cb()`, `ftp_find_pattern()`, `try_*()`.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::super::line_ends::{LineEnds, further_lines};
use super::super::reasons::{NOT_ESTABLISHED, NOT_THE_FIRST_LINE, NOT_THE_SPEAKER, WRONG_END};
use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec, text};
use super::{add, policy};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "conntrackd:ftp",
    source: "src/helpers/ftp.c",
    ports: &[(Protocol::TCP, Some(21))],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.0",
        private: 24,
    },
    why: "each listing and file travels on a connection of its own, to a port that PORT, EPRT or 227 names; what 229 names \
          is not opened",
    policies: |_| policy(1, 300),
    parameters: &[],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Checked,
        Field::Command,
        Protocol::TCP,
    )],
    defects: &[
        "229 opens nothing, so extended passive mode (EPSV) does not work",
        "commands in small letters are not seen, nor a 227 without parentheses",
    ],
    start: |_, _| Box::new(Ftp::default()),
}];

#[derive(Default)]
struct Ftp {
    /// By direction: where the next command may begin.
    line_ends: [LineEnds; 2],
}

impl Helper for Ftp {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let command = Command::read(message, message.payload, message.direction);
        if !message.established {
            decline(command, 0, NOT_ESTABLISHED, master);
            return Ok(());
        }
        let line_ends = &mut self.line_ends[message.direction.index()];
        let mut result = Ok(());
        if !line_ends.contain(message.seq) {
            decline(command, 0, line_ends.objection(), master);
        } else if let Some(command) = command {
            if message.same().src != command.address {
                decline(Some(command), 0, foreign(message.payload), master);
                return Ok(());
            }
            result = command.expect(message, master);
        }
        decline_unread(message, master);
        let last = message.payload.last().or(message.header.last());
        if last == Some(&b'\n') {
            // A payload is shorter than 64 KiB.
            line_ends.note(message.seq.wrapping_add(message.payload.len() as u32));
        }
        result
    }
}

/// Commands in a segment where none is looked for.
fn decline_unread(message: &Message<'_>, master: &mut dyn Master) {
    let from = message.direction;
    let others = Command::read(message, message.payload, !from);
    decline(others, 0, WRONG_END[from.index()], master);
    for (start, line) in further_lines(message.payload) {
        let further = Command::read(message, line, from);
        decline(further, start, NOT_THE_FIRST_LINE, master);
    }
}

/// Notes a command that is not read, from this byte of the payload on.
fn decline(command: Option<Command>, start: usize, reason: &'static str, master: &mut dyn Master) {
    if let Some(command) = command {
        master.decline(reason, start..start + command.port_bytes.end);
    }
}

fn foreign(payload: &[u8]) -> &'static str {
    if payload.starts_with(b"229 ") {
        "a reply 229, whose address is taken for the client's"
    } else {
        NOT_THE_SPEAKER
    }
}

/// An address and a port where somebody listens.
struct Command {
    address: Ipv4Addr,
    port: u16,
    port_bytes: Range<usize>,
}

impl Command {
    /// What a text says that came from this end.
    fn read(message: &Message<'_>, text: &[u8], from: Direction) -> Option<Self> {
        match from {
            Direction::Original => argument(text, b"PORT", b' ')
                .and_then(|start| host_port(text, start, b'\r'))
                .or_else(|| extended_port(text, argument(text, b"EPRT", b' ')?)),
            Direction::Reply => argument(text, b"227 ", b'(')
                .and_then(|start| host_port(text, start, b')'))
                .or_else(|| extended_passive(message, text, argument(text, b"229 ", b'(')?)),
        }
    }

    fn expect(self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let other_end = message.opposite();
        let to = !message.direction;
        add(
            message,
            master,
            Expectation::new(
                Protocol::TCP,
                Some(Sourced::conntrack(other_end.src.into(), to)),
                Sourced::conntrack(other_end.dst, to),
                Sourced::command(self.port, message.packet, self.port_bytes),
            ),
        )
    }
}

/// Where the argument of a command starts: behind the first such byte behind its word.
fn argument(text: &[u8], word: &[u8], before: u8) -> Option<usize> {
    let rest = text.strip_prefix(word)?;
    let at = rest.iter().position(|&byte| byte == before)?;
    Some(word.len() + at + 1)
}

/// `h1,h2,h3,h4,p1,p2` (`try_rfc959`). Octets run into each other where they are too large.
fn host_port(text: &[u8], start: usize, terminator: u8) -> Option<Command> {
    let found = text::numbers::<6>(&text[start..], b',', Some(terminator), u32::MAX)?;
    let [a, b, c, d, high, low] = found.values;
    Some(Command {
        address: Ipv4Addr::from_bits(text::octets([a, b, c, d])),
        port: (high << 8 | low) as u16,
        port_bytes: start + found.starts[4]..start + found.end,
    })
}

/// `|1|132.235.1.2|6275|` (`try_eprt`); IPv6 is refused whatever the connection's family.
fn extended_port(text: &[u8], start: usize) -> Option<Command> {
    let &[delimiter, b'1', second, _, ..] = &text[start..] else {
        return None;
    };
    if !is_delimiter(delimiter) || second != delimiter {
        return None;
    }
    let from = start + 3;
    let found = text::numbers::<4>(&text[from..], b'.', Some(delimiter), u32::MAX)?;
    let (port, port_bytes) = port_until(text, from + found.end + 1, delimiter)?;
    Some(Command {
        address: Ipv4Addr::from_bits(text::octets(found.values)),
        port,
        port_bytes,
    })
}

/// `(|||6446|)` (`try_epsv_response`), and the client's address, which was there before.
fn extended_passive(message: &Message<'_>, text: &[u8], start: usize) -> Option<Command> {
    let &[delimiter, second, third, _, ..] = &text[start..] else {
        return None;
    };
    if !is_delimiter(delimiter) || second != delimiter || third != delimiter {
        return None;
    }
    let (port, port_bytes) = port_until(text, start + 3, delimiter)?;
    let client = message.tuples[Direction::Original.index()].src;
    let std::net::IpAddr::V4(address) = client else {
        return None;
    };
    Some(Command {
        address,
        port,
        port_bytes,
    })
}

/// RFC 2428, 2
fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_graphic() && !byte.is_ascii_digit()
}

/// A port up to the delimiter, wrapping at 16 bits; not 0 (`get_port`).
fn port_until(text: &[u8], start: usize, delimiter: u8) -> Option<(u16, Range<usize>)> {
    let mut port = 0_u16;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            _ if byte == delimiter => return (port != 0).then_some((port, start..at)),
            b'0'..=b'9' => port = port.wrapping_mul(10).wrapping_add(u16::from(byte - b'0')),
            _ => return None,
        }
    }
    None
}
