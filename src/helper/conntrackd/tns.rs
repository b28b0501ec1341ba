//! Transparent Network Substrate, the protocol of Oracle's databases: a listener sends the client on to another address.
//!
//! Why a second flow: the listener at port 1521 does not serve, it names who does: REDIRECT with a text like
//! `(ADDRESS=(PROTOCOL=tcp)(HOST=192.0.2.1)(PORT=49152))`.
//!
//! Only what the listener sends is read. Not checked: whose address it is. A listener opens the way from its client to any
//! host and port, and sends it there.
//!
//! The text is searched from 16 bytes behind the start of a REDIRECT, six behind the start of its text. Where a REDIRECT
//! says that its text comes with the next packet, that one is searched from its data flags on, of which the first byte is
//! 0 in practice, so that the search ends where it starts. Names in place of numbers are not understood.
//!
//! Source: src/helpers/tns.c `tns_helper_cb()`.

use std::net::Ipv4Addr;
use std::ops::Range;

use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec, text};
use super::{add, c_string, find, policy};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "tns",
    source: "src/helpers/tns.c",
    ports: &[(Protocol::TCP, Some(1521))],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.0",
        private: 1,
    },
    why: "a listener redirects its client to the address and port that serve it",
    policies: |_| policy(1, 300),
    parameters: &[],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Command,
        Field::Command,
        Protocol::TCP,
    )],
    defects: &[
        "an address in the DATA packet behind a REDIRECT is not found, because the search ends at the first byte of its data flags, 0",
    ],
    start: |_, _| Box::new(Tns::default()),
}];

#[derive(Default)]
struct Tns {
    /// A REDIRECT said that its text comes with the next packet.
    waits: bool,
}

impl Helper for Tns {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if message.direction == Direction::Original {
            decline_redirection(message, master);
            return Ok(());
        }
        if !message.established {
            return Ok(());
        }
        let byte = |at: usize| message.payload.get(at).copied().unwrap_or(0);
        let waited = std::mem::take(&mut self.waits);
        let start = match byte(TYPE) {
            REDIRECT if [byte(HEADER), byte(HEADER + 1)] == [0, 0] => {
                self.waits = true;
                return Ok(());
            }
            REDIRECT => HEADER + HEADER,
            DATA if waited => HEADER,
            _ => return Ok(()),
        };
        let text = c_string(message.payload.get(start..).unwrap_or_default());
        let Some(address) = Address::read(text) else {
            master.decline(
                "a redirection whose address and port are not numeric, or in another packet",
                HEADER.min(message.payload.len())..message.payload.len(),
            );
            return Ok(());
        };
        let at = |range: Range<usize>| start + range.start..start + range.end;
        let client = message.opposite();
        add(
            message,
            master,
            Expectation::new(
                Protocol::TCP,
                Some(Sourced::conntrack(client.src.into(), !message.direction)),
                Sourced::command(address.host.into(), message.packet, at(address.host_at)),
                Sourced::command(address.port, message.packet, at(address.port_at)),
            ),
        )
    }
}

/// Notes a redirection by the client, who has nowhere to send the listener.
fn decline_redirection(message: &Message<'_>, master: &mut dyn Master) {
    let text = message.payload.get(HEADER + HEADER..).unwrap_or_default();
    let is_redirection = message.payload.get(TYPE) == Some(&REDIRECT);
    if is_redirection && Address::read(c_string(text)).is_some() {
        let whole = HEADER..message.payload.len();
        master.decline("a redirection, said by the client", whole);
    }
}

/// `(… HOST=a.b.c.d) … ( … PORT=n)`, and where in the text the numbers stand.
struct Address {
    host: Ipv4Addr,
    host_at: Range<usize>,
    port: u16,
    port_at: Range<usize>,
}

impl Address {
    /// `find_pattern`
    fn read(text: &[u8]) -> Option<Self> {
        let behind = |word: &[u8], from: usize| {
            let at = find(text.get(from..)?, word)?;
            Some(from + at + word.len())
        };
        let host_at = behind(b"HOST=", behind(b"(", 0)?)?;
        let (host, length) = numbers(text.get(host_at..)?)?;
        let host_end = host_at + length;
        let parenthesis = behind(b"(", host_end)? - 1;
        let port_at = behind(b"PORT=", parenthesis)?;
        let (port, length) = number(text.get(port_at..)?)?;
        Some(Self {
            host,
            host_at: host_at..host_end,
            port,
            port_at: port_at..port_at + length,
        })
    }
}

/// Four numbers with dots between them and a parenthesis behind; spaces count for nothing, and a number too large for its
/// byte runs into the one before (`try_number`).
fn numbers(text: &[u8]) -> Option<(Ipv4Addr, usize)> {
    let mut numbers = [0_u32; 4];
    let mut index = 0;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                let number = numbers.get_mut(index)?;
                *number = number.wrapping_mul(10).wrapping_add(u32::from(byte - b'0'));
            }
            b'.' => index += 1,
            b' ' => {}
            b')' if index == 3 => {
                return Some((Ipv4Addr::from_bits(text::octets(numbers)), at));
            }
            _ => return None,
        }
    }
    None
}

/// A number with a parenthesis behind, wrapping at 16 bits; not 0 (`get_port`).
fn number(text: &[u8]) -> Option<(u16, usize)> {
    let mut port = 0_u16;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => port = port.wrapping_mul(10).wrapping_add(u16::from(byte - b'0')),
            b' ' => {}
            b')' if port != 0 => return Some((port, at)),
            _ => return None,
        }
    }
    None
}

const HEADER: usize = 8;
const TYPE: usize = 4;
const REDIRECT: u8 = 5;
const DATA: u8 = 6;
