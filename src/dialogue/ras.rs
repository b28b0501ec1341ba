//! RAS as its two ends read it (ITU-T H.225.0): which confirmations somebody waits for.
//!
//! A message is a CHOICE in aligned PER: a bit for extensions and five for the alternative, of which requests, confirms
//! and rejects take turns. A bit for extensions and one for each optional component follow. Requests of a gatekeeper,
//! of a registration and of an admission, and what confirms them, have two to seven of these: so the number is the
//! second two octets of each.

use super::numbers::Numbers;
use crate::tuple::Direction;

/// What is remembered of a flow of RAS.
#[derive(Debug, Default)]
pub struct Ras {
    /// `None` before the first message.
    opened_by_request: Option<bool>,
    /// By direction, kind and number.
    asked: [Numbers; 2],
}

impl Ras {
    /// Takes in a message.
    pub fn hear(&mut self, direction: Direction, payload: &[u8]) {
        let kind = alternative(payload).filter(|&kind| kind < NON_STANDARD && kind % 3 == 0);
        self.opened_by_request.get_or_insert(kind.is_some());
        if let Some(kind) = kind.filter(|kind| NUMBERED.contains(kind))
            && let Some(number) = number(payload)
        {
            self.asked[direction.index()].note(key(kind, number));
        }
    }

    /// The number of a confirmation that no request has, in a flow that began with one. As the standard counts, from 1.
    pub fn unasked(&self, direction: Direction, payload: &[u8]) -> Option<u32> {
        let kind = alternative(payload)?.checked_sub(1)?;
        let number = number(payload)?;
        let asked = self.asked[(!direction).index()].has(key(kind, number));
        let unasked = NUMBERED.contains(&kind) && self.opened_by_request == Some(true) && !asked;
        unasked.then_some(u32::from(number) + 1)
    }
}

fn alternative(payload: &[u8]) -> Option<u8> {
    let first = payload.first()?;
    (first & 0x80 == 0).then_some(first >> 2)
}

fn number(payload: &[u8]) -> Option<u16> {
    let octets = payload.get(2..)?.first_chunk()?;
    Some(u16::from_be_bytes(*octets))
}

fn key(kind: u8, number: u16) -> u32 {
    u32::from(kind) << 16 | u32::from(number)
}

/// gatekeeperRequest, registrationRequest, admissionRequest
const NUMBERED: [u8; 3] = [0, 3, 9];
/// nonStandardMessage, and none before it asks behind infoRequest, 21.
const NON_STANDARD: u8 = 23;
