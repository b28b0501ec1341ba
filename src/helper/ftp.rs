//! FTP (RFC 959, 1123, 2428): commands and replies on one connection, each listing and file on another.
//!
//! Why a second connection: one end names an address and a port in the control connection, the other end connects
//! to it. `PORT` and `EPRT` come from the client (the server connects), replies 227 and 229 from the server (the
//! client connects).
//!
//! Only a segment that begins right behind a line end is read, and only its first command. What looks like a
//! command and cannot be read to its end is dropped, so that the two ends cannot be led to read on differently.
//! Not checked: whether a reply answers anything, which port it names, and before Linux 7.2 the range of any number.
//!
//! Source: net/netfilter/nf_conntrack_ftp.c `help()`, `find_pattern()`, `try_*()`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::time::Duration;

use super::line_ends::{LineEnds, further_lines};
use super::reasons::{NOT_ESTABLISHED, NOT_THE_FIRST_LINE, NOT_THE_SPEAKER, WRONG_END};
use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Parameter, Policy,
    Spec, text,
};
use crate::expectation::{Expectation, Sourced};
use crate::kernel::Behaviour;
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "ftp",
    source: "net/netfilter/nf_conntrack_ftp.c",
    ports: &[(Protocol::TCP, Some(21))],
    families: Families::Both,
    home: Home::Module(Instances::ByPort),
    why: "each listing and file travels on a connection of its own, to a port that PORT, EPRT, 227 or 229 names",
    policies: |_| {
        vec![Policy {
            max_expected: 1,
            timeout: Duration::from_secs(300),
        }]
    },
    parameters: &[Parameter {
        name: LOOSE,
        default: 0,
        range: 0..=1,
        meaning: "expect connections to addresses other than the speaker's own",
    }],
    freedom: &[
        Freedom::new(
            Field::Fixed,
            Field::Any,
            Field::Checked,
            Field::Command,
            Protocol::TCP,
        )
        .with(LOOSE, 0),
        Freedom::new(
            Field::Fixed,
            Field::Any,
            Field::Command,
            Field::Command,
            Protocol::TCP,
        )
        .with(LOOSE, 1),
    ],
    defects: &[],
    start: |modules, kernel| {
        Box::new(Ftp {
            loose: modules.get(LOOSE) != 0,
            wrapping: !kernel.does(Behaviour::FtpRefusesLargeNumbers),
            line_ends: Default::default(),
        })
    },
}];

struct Ftp {
    loose: bool,
    /// Numbers too large are taken for their last bits.
    wrapping: bool,
    /// By direction: where the next command may begin.
    line_ends: [LineEnds; 2],
}

impl Helper for Ftp {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if message.payload.is_empty() {
            return Ok(());
        }
        let line = Line {
            text: message.payload,
            speaker: message.same().src,
            wrapping: self.wrapping,
        };
        let reading = Reading::of(&line, message.direction);
        if !message.established {
            decline(&reading, 0, NOT_ESTABLISHED, master);
            return Ok(());
        }
        let line_ends = &mut self.line_ends[message.direction.index()];
        let result = match (line_ends.contain(message.seq), reading) {
            // Its line end is not noted either.
            (true, Reading::Partial(reason)) => return Err(Dropped(reason)),
            (true, Reading::Command(command)) => command.expect(message, self.loose, master),
            (false, reading) => {
                decline(&reading, 0, line_ends.objection(), master);
                Ok(())
            }
            (true, Reading::Other) => Ok(()),
        };
        decline_unread(&line, message.direction, master);
        if message.payload.last() == Some(&b'\n') {
            // A payload is shorter than 64 KiB.
            line_ends.note(message.seq.wrapping_add(message.payload.len() as u32));
        }
        result
    }
}

/// What a segment says, read from its first byte.
enum Reading {
    Other,
    /// It begins like a command and cannot be read to the end; the text is the kernel's log line.
    Partial(&'static str),
    Command(Command),
}

/// Commands in a segment where none is looked for.
fn decline_unread(text: &Line<'_>, from: Direction, master: &mut dyn Master) {
    let others = Reading::of(text, !from);
    decline(&others, 0, WRONG_END[from.index()], master);
    for (start, line) in further_lines(text.text) {
        let further = Reading::of(
            &Line {
                text: line,
                ..*text
            },
            from,
        );
        decline(&further, start, NOT_THE_FIRST_LINE, master);
    }
}

/// Notes a command that is not read, from this byte of the payload on.
fn decline(reading: &Reading, start: usize, reason: &'static str, master: &mut dyn Master) {
    if let Reading::Command(command) = reading {
        master.decline(reason, start..start + command.port_bytes.end);
    }
}

/// An address and a port where somebody listens.
struct Command {
    /// `None` where the command names the port alone.
    address: Option<IpAddr>,
    address_bytes: Range<usize>,
    port: u16,
    port_bytes: Range<usize>,
}

impl Command {
    /// Expects the other end of the control connection to connect to where this one says that it listens.
    fn expect(
        self,
        message: &Message<'_>,
        loose: bool,
        master: &mut dyn Master,
    ) -> Result<(), Dropped> {
        let speaker = message.same().src;
        let dst_addr = match self.address {
            Some(other) if other != speaker => {
                if !loose {
                    master.decline(NOT_THE_SPEAKER, 0..self.port_bytes.end);
                    return Ok(());
                }
                Sourced::command(other, message.packet, self.address_bytes)
            }
            _ => Sourced::conntrack(message.opposite().dst, !message.direction),
        };
        let other_end = message.opposite().src.into();
        master.expect(Expectation::new(
            Protocol::TCP,
            Some(Sourced::conntrack(other_end, !message.direction)),
            dst_addr,
            Sourced::command(self.port, message.packet, self.port_bytes),
        ))?;
        Ok(())
    }
}

impl Reading {
    fn of(line: &Line<'_>, from: Direction) -> Self {
        let patterns = match from {
            Direction::Original => [PORT, EPRT],
            Direction::Reply => [PASV, EPSV],
        };
        let mut readings = patterns.iter().map(|pattern| Self::pattern(line, pattern));
        let found = readings.find(|reading| !matches!(reading, Self::Other));
        found.unwrap_or(Self::Other)
    }

    /// `find_pattern`
    fn pattern(line: &Line<'_>, pattern: &Pattern) -> Self {
        let (text, word) = (line.text, pattern.word.as_bytes());
        let common = text.len().min(word.len());
        if !text[..common].eq_ignore_ascii_case(&word[..common]) {
            return Self::Other;
        }
        if text.len() <= word.len() {
            return Self::Partial(pattern.partial);
        }
        let start = match pattern.skip_to {
            None => Some(word.len()),
            Some(wanted) => {
                // Found as the last byte it has nothing behind it, which no reader accepts.
                text[word.len()..]
                    .iter()
                    .position(|&byte| byte == wanted)
                    .map(|at| word.len() + at + 1)
            }
        };
        let command = start.and_then(|start| (pattern.read)(line, start));
        command.map_or(Self::Partial(pattern.partial), Self::Command)
    }
}

/// The text of a segment, who speaks, and what becomes of numbers that are too large.
struct Line<'a> {
    text: &'a [u8],
    speaker: IpAddr,
    /// They are taken for their last bits; else the command cannot be read.
    wrapping: bool,
}

struct Pattern {
    word: &'static str,
    /// What the kernel logs when it drops a packet for it.
    partial: &'static str,
    skip_to: Option<u8>,
    read: fn(&Line<'_>, usize) -> Option<Command>,
}

const PORT: Pattern = Pattern {
    word: "PORT",
    partial: "partial matching of `PORT'",
    skip_to: Some(b' '),
    read: |line, start| host_port(line, start, Some(b'\r')),
};
const EPRT: Pattern = Pattern {
    word: "EPRT",
    partial: "partial matching of `EPRT'",
    skip_to: Some(b' '),
    read: extended_port,
};
const PASV: Pattern = Pattern {
    word: "227 ",
    partial: "partial matching of `227 '",
    skip_to: None,
    read: passive,
};
const EPSV: Pattern = Pattern {
    word: "229 ",
    partial: "partial matching of `229 '",
    skip_to: Some(b'('),
    read: extended_passive,
};

/// `h1,h2,h3,h4,p1,p2` of RFC 959 (`try_rfc959`). Octets run into each other where they are too large.
fn host_port(line: &Line<'_>, start: usize, terminator: Option<u8>) -> Option<Command> {
    let found = line.numbers::<6>(start, b',', terminator)?;
    let [a, b, c, d, high, low] = found.values;
    let host = text::octets([a, b, c, d]);
    let address = match line.speaker {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits(host)),
        // The kernel writes four bytes over the start of the speaker's address.
        IpAddr::V6(own) => IpAddr::V6(Ipv6Addr::from_bits(
            own.to_bits() << 32 >> 32 | u128::from(host) << 96,
        )),
    };
    Some(Command {
        address: Some(address),
        address_bytes: start..start + found.starts[4] - 1,
        port: (high << 8 | low) as u16,
        port_bytes: start + found.starts[4]..start + found.end,
    })
}

/// RFC 1123, 4.1.2.6: the numbers of a 227 reply start at its first digit (`try_rfc1123`).
fn passive(line: &Line<'_>, start: usize) -> Option<Command> {
    let digit = line.text[start..].iter().position(u8::is_ascii_digit)?;
    host_port(line, start + digit, None)
}

/// `|1|132.235.1.2|6275|` or `|2|1080::8:800:200C:417A|5282|` of RFC 2428 (`try_eprt`).
fn extended_port(line: &Line<'_>, start: usize) -> Option<Command> {
    let &[delimiter, family, second, _, ..] = &line.text[start..] else {
        return None;
    };
    let is_ipv4 = line.speaker.is_ipv4();
    let family_fits = family == if is_ipv4 { b'1' } else { b'2' };
    if !is_delimiter(delimiter) || second != delimiter || !family_fits {
        return None;
    }
    let from = start + 3;
    let (address, length) = if is_ipv4 {
        let found = line.numbers::<4>(from, b'.', Some(delimiter))?;
        (
            IpAddr::V4(Ipv4Addr::from_bits(text::octets(found.values))),
            found.end,
        )
    } else {
        let (address, length) = text::ipv6_until(&line.text[from..], Some(delimiter))?;
        (IpAddr::V6(address), length)
    };
    let (port, port_bytes) = line.port_until(from + length + 1, delimiter)?;
    Some(Command {
        address: Some(address),
        address_bytes: from..from + length,
        port,
        port_bytes,
    })
}

/// `(|||6446|)` of RFC 2428 (`try_epsv_response`).
fn extended_passive(line: &Line<'_>, start: usize) -> Option<Command> {
    let &[delimiter, second, third, _, ..] = &line.text[start..] else {
        return None;
    };
    if !is_delimiter(delimiter) || second != delimiter || third != delimiter {
        return None;
    }
    let (port, port_bytes) = line.port_until(start + 3, delimiter)?;
    Some(Command {
        address: None,
        address_bytes: 0..0,
        port,
        port_bytes,
    })
}

/// RFC 2428, 2: any printable ASCII, best a bar; digits would be read as numbers.
fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_graphic() && !byte.is_ascii_digit()
}

impl Line<'_> {
    /// Octets of an address or of a port, of which the kernel expects no more than that (`try_number`).
    fn numbers<const N: usize>(
        &self,
        start: usize,
        separator: u8,
        terminator: Option<u8>,
    ) -> Option<text::Numbers<N>> {
        let largest = if self.wrapping { u32::MAX } else { 255 };
        text::numbers(&self.text[start..], separator, terminator, largest)
    }

    /// A port up to the delimiter; not 0 (`get_port`).
    fn port_until(&self, start: usize, delimiter: u8) -> Option<(u16, Range<usize>)> {
        let mut port = 0u16;
        for (at, &byte) in self.text.iter().enumerate().skip(start) {
            port = match byte {
                _ if byte == delimiter => return (port != 0).then_some((port, start..at)),
                b'0'..=b'9' if self.wrapping => {
                    port.wrapping_mul(10).wrapping_add(u16::from(byte - b'0'))
                }
                b'0'..=b'9' => port.checked_mul(10)?.checked_add(u16::from(byte - b'0'))?,
                _ => return None,
            };
        }
        None
    }
}

const LOOSE: &str = "nf_conntrack_ftp.loose";
