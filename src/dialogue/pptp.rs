//! PPTP as its two ends read it (RFC 2637): which calls were asked for.

use super::Heard;
use super::numbers::Numbers;
use crate::tuple::Direction;

/// What is remembered of a control connection of PPTP.
#[derive(Debug, Default)]
pub struct Pptp {
    /// By direction, type and call number.
    asked: [Numbers; 2],
    /// Some segment did not begin or end where a message does.
    pub lost: bool,
}

impl Pptp {
    /// Takes in the messages of a segment.
    pub fn hear(&mut self, heard: &Heard<'_>) {
        let mut messages = Messages::of(heard);
        for message in &mut messages {
            if matches!(message.kind, OUT_CALL_REQUEST | IN_CALL_REQUEST) {
                let asked = &mut self.asked[heard.direction.index()];
                asked.note(key(message.kind, message.number(0)));
            }
        }
        self.lost |= !messages.rest.is_empty();
    }

    /// The call of a reply that says yes, where the other end has not asked for a call of this number.
    pub fn unasked(&self, direction: Direction, message: &Control<'_>) -> Option<u16> {
        let peer = message.number(2);
        let says_yes = matches!(message.kind, OUT_CALL_REPLY | IN_CALL_REPLY)
            && message.body.get(4) == Some(&CONNECTED);
        let asked = &self.asked[(!direction).index()];
        // A reply's type is one more than its request's.
        (says_yes && !asked.has(key(message.kind - 1, peer))).then_some(peer)
    }
}

/// A control message.
#[derive(Clone, Copy, Debug)]
pub struct Control<'p> {
    kind: u16,
    /// Behind the header.
    body: &'p [u8],
}

impl Control<'_> {
    /// Two octets of the body; 0 where there are none.
    fn number(&self, at: usize) -> u16 {
        let octets = self.body.get(at..).and_then(|octets| octets.first_chunk());
        octets.map_or(0, |octets| u16::from_be_bytes(*octets))
    }
}

/// The messages of a segment that were not heard before, one behind the other.
#[derive(Debug)]
pub struct Messages<'p> {
    /// What could not be read.
    rest: &'p [u8],
}

impl<'p> Messages<'p> {
    /// What of the payload was not heard before.
    pub fn of(heard: &Heard<'p>) -> Self {
        let rest = heard.payload.get(heard.place.again..);
        Self {
            rest: rest.unwrap_or_default(),
        }
    }
}

impl<'p> Iterator for Messages<'p> {
    type Item = Control<'p>;

    fn next(&mut self) -> Option<Control<'p>> {
        let &[a, b, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, high, low, ..] = self.rest else {
            return None;
        };
        let (message, rest) = self
            .rest
            .split_at_checked(usize::from(u16::from_be_bytes([a, b])))?;
        let body = message.get(HEADER..)?;
        self.rest = rest;
        Some(Control {
            kind: u16::from_be_bytes([high, low]),
            body,
        })
    }
}

fn key(kind: u16, number: u16) -> u32 {
    u32::from(kind) << 16 | u32::from(number)
}

const HEADER: usize = 12;
const CONNECTED: u8 = 1;
// RFC 2637, 2
const OUT_CALL_REQUEST: u16 = 7;
const OUT_CALL_REPLY: u16 = 8;
const IN_CALL_REQUEST: u16 = 9;
const IN_CALL_REPLY: u16 = 10;
