//! Where a command or a reply says that somebody listens, as the end that it is meant for reads it.
//!
//! A helper takes the numbers as they come. An end does not: octets end at 255, six of them make an address and a
//! port, and there are libraries to which a zero in front means octal.

use std::net::{IpAddr, Ipv4Addr};

use crate::dialogue::stream::after;
use crate::tuple::Direction;

/// What PORT, EPRT, 227 or 229 says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer<'l> {
    /// Which of the four it is.
    pub verb: Verb,
    /// The numbers or the fields, as they stand.
    pub text: &'l [u8],
    /// Whether EPRT says that its address is one of IPv6; none where it says neither, and for the others.
    pub says_ipv6: Option<bool>,
    /// `None` where none is named, or none that is an address.
    pub address: Option<IpAddr>,
    /// `None` where it is no port.
    pub port: Option<u16>,
    /// Octets of the address and, of PORT and 227, those of the port and all that follow.
    pub octets: Vec<Number>,
    /// Of EPRT and 229.
    pub port_number: Option<Number>,
}

/// (RFC 959; RFC 2428)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// PORT, from the client
    Port,
    /// EPRT, from the client
    Eprt,
    /// 227, the answer to PASV
    Passive,
    /// 229, the answer to EPSV
    ExtendedPassive,
}

/// A number in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// In decimal; `u64::MAX` where it is larger.
    pub value: u64,
    /// What it is where a zero in front means octal (`inet_aton`, `strtol` of base 0).
    pub octal: u64,
    /// How many there are, zeros in front included.
    pub digits: usize,
}

impl Verb {
    /// As it stands on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Port => "PORT",
            Self::Eprt => "EPRT",
            Self::Passive => "227",
            Self::ExtendedPassive => "229",
        }
    }

    /// Whether the server says so; the client does otherwise.
    pub const fn is_of_the_server(self) -> bool {
        matches!(self, Self::Passive | Self::ExtendedPassive)
    }
}

impl<'l> Offer<'l> {
    /// What a line of this end offers.
    pub fn read(direction: Direction, text: &'l [u8]) -> Option<Self> {
        match direction {
            Direction::Original => after(text, "PORT ")
                .and_then(|rest| Self::host_port(Verb::Port, rest))
                .or_else(|| after(text, "EPRT ").and_then(Self::extended_port)),
            Direction::Reply => after(text, "227 ")
                .and_then(|rest| Self::host_port(Verb::Passive, rest))
                .or_else(|| after(text, "229 ").and_then(Self::extended_passive)),
        }
    }

    /// `h1,h2,h3,h4,p1,p2`, of a reply behind any text (RFC 1123, 4.1.2.6).
    fn host_port(verb: Verb, text: &'l [u8]) -> Option<Self> {
        let has_six = |run: &&[u8]| run.iter().filter(|byte| **byte == b',').count() >= 5;
        let runs = text.split(|byte| !byte.is_ascii_digit() && *byte != b',');
        // Commas at its ends belong to the text around.
        let cut = |run| {
            if verb.is_of_the_server() {
                trimmed(run)
            } else {
                run
            }
        };
        let text = runs.map(cut).find(has_six)?;
        let octets: Vec<_> = text.split(|byte| *byte == b',').map(Number::of).collect();
        let read = |range| octets.get(range).and_then(bytes_of);
        Some(Self {
            verb,
            text,
            says_ipv6: None,
            address: read(0..4).and_then(ipv4),
            port: read(4..6).and_then(|port| Some(u16::from_be_bytes(port.try_into().ok()?))),
            octets,
            port_number: None,
        })
    }

    /// `|1|132.235.1.2|6275|`
    fn extended_port(text: &'l [u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let mut fields = text.split(|byte| Some(byte) == text.first());
        let (_, family, address, port) = (
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
        );
        let port = Number::of(port);
        let octets: Vec<_> = if address.contains(&b':') {
            Vec::new()
        } else {
            address
                .split(|byte| *byte == b'.')
                .map(Number::of)
                .collect()
        };
        let written = || std::str::from_utf8(address).ok()?.parse().ok();
        Some(Self {
            verb: Verb::Eprt,
            text,
            says_ipv6: match family {
                b"1" => Some(false),
                b"2" => Some(true),
                _ => None,
            },
            address: bytes_of(&octets).and_then(ipv4).or_else(written),
            port: u16::try_from(port.value).ok(),
            octets,
            port_number: Some(port),
        })
    }

    /// `(|||6446|)`
    fn extended_passive(text: &'l [u8]) -> Option<Self> {
        let start = text.iter().position(|byte| *byte == b'(')? + 1;
        let text = text.get(start..)?;
        let &[delimiter, second, third, ref rest @ ..] = text else {
            return None;
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_whole = digits > 0 && rest.get(digits) == Some(&delimiter);
        if delimiter != second || delimiter != third || !is_whole {
            return None;
        }
        let port = Number::of(&rest[..digits]);
        Some(Self {
            verb: Verb::ExtendedPassive,
            text: &text[..3 + digits],
            says_ipv6: None,
            address: None,
            port: u16::try_from(port.value).ok(),
            octets: Vec::new(),
            port_number: Some(port),
        })
    }
}

impl Number {
    /// Bytes that are no digits count for nothing.
    fn of(text: &[u8]) -> Self {
        let read = |base: u32| {
            let digits = text
                .iter()
                .filter_map(|byte| char::from(*byte).to_digit(base));
            digits.fold(0u64, |number, digit| {
                number
                    .saturating_mul(base.into())
                    .saturating_add(digit.into())
            })
        };
        let is_octal = text.len() > 1 && text.iter().all(|byte| matches!(byte, b'0'..=b'7'));
        let begins_with_zero = text.first() == Some(&b'0');
        Self {
            value: read(10),
            octal: read(if is_octal && begins_with_zero { 8 } else { 10 }),
            digits: text.len(),
        }
    }

    fn octet(self) -> Option<u8> {
        u8::try_from(self.value).ok().filter(|_| self.digits > 0)
    }
}

fn trimmed(mut run: &[u8]) -> &[u8] {
    while let [b',', rest @ ..] | [rest @ .., b','] = run {
        run = rest;
    }
    run
}

/// The numbers as octets, if all of them are.
fn bytes_of(numbers: &[Number]) -> Option<Vec<u8>> {
    numbers.iter().map(|number| number.octet()).collect()
}

fn ipv4(octets: Vec<u8>) -> Option<IpAddr> {
    let octets: [u8; 4] = octets.try_into().ok()?;
    Some(Ipv4Addr::from(octets).into())
}
