//! ONC RPC as a portmapper reads it (RFC 5531, 9): which calls wait for an answer.

use super::Heard;
use super::numbers::Numbers;
use crate::tuple::{Direction, Protocol};

/// What is remembered of a flow to a portmapper.
#[derive(Debug, Default)]
pub struct Rpc {
    /// Transaction numbers of the client's calls.
    asked: Numbers,
}

impl Rpc {
    /// Takes in a message; over TCP the records of a segment.
    pub fn hear(&mut self, protocol: Protocol, heard: &Heard<'_>) {
        if heard.direction == Direction::Original
            && let Some((number, CALL)) = transaction(protocol, heard.payload)
        {
            self.asked.note(number);
        }
    }

    /// The number of an answer that no call has.
    pub fn unasked(&self, protocol: Protocol, heard: &Heard<'_>) -> Option<u32> {
        let (number, kind) = transaction(protocol, heard.payload)?;
        let unasked = heard.direction == Direction::Reply && kind == REPLY;
        (unasked && !self.asked.has(number)).then_some(number)
    }
}

/// Number and type of the first message; over TCP a record mark stands before it.
fn transaction(protocol: Protocol, payload: &[u8]) -> Option<(u32, u32)> {
    let start = if protocol == Protocol::TCP { 4 } else { 0 };
    let word = |at: usize| Some(u32::from_be_bytes(*payload.get(at..)?.first_chunk()?));
    Some((word(start)?, word(start + 4)?))
}

const CALL: u32 = 0;
const REPLY: u32 = 1;
