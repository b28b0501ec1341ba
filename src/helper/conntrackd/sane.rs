//! SANE, as conntrackd reads it: like the kernel, but for a packet whose expectation is not taken. It passes.
//!
//! Source: src/helpers/sane.c `sane_helper_cb()`.

use super::super::reasons::{NOT_ALONE, NOT_ESTABLISHED, UNASKED};
use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{attach, policy};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "conntrackd:sane",
    source: "src/helpers/sane.c",
    ports: &[(Protocol::TCP, Some(6566))],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.3",
        private: 4,
    },
    why: "the scanned picture travels over a connection of its own, to a port that the server names",
    policies: |_| policy(1, 300),
    parameters: &[],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Fixed,
        Field::Command,
        Protocol::TCP,
    )],
    defects: &[],
    start: |_, _| Box::new(Sane::default()),
}];

#[derive(Default)]
struct Sane {
    /// The next answer is to a request for a picture.
    is_requested: bool,
}

impl Helper for Sane {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let payload = message.payload;
        if let Some(reason) = self.unread(message) {
            master.decline(reason, 0..payload.len());
        }
        if !message.established || payload.is_empty() {
            return Ok(());
        }
        if message.direction == Direction::Original {
            if let Ok(request) = <[u8; REQUEST]>::try_from(payload) {
                self.is_requested = request.starts_with(&NET_START);
            }
            return Ok(());
        }
        if !std::mem::take(&mut self.is_requested) {
            return Ok(());
        }
        let Some(&[0, 0, 0, 0, 0, 0, high, low]) = payload.first_chunk() else {
            master.decline("no answer with a port", 0..payload.len());
            return Ok(());
        };
        let asker = message.tuples[Direction::Original.index()];
        let expectation = Expectation::new(
            Protocol::TCP,
            Some(Sourced::conntrack(asker.src.into(), Direction::Original)),
            Sourced::conntrack(asker.dst, Direction::Original),
            Sourced::command(u16::from_be_bytes([high, low]), message.packet, 6..8),
        );
        attach(master, expectation);
        Ok(())
    }
}

impl Sane {
    /// Why nothing is done for what looks like a request, or like an answer to one.
    fn unread(&self, message: &Message<'_>) -> Option<&'static str> {
        let payload = message.payload;
        match message.direction {
            Direction::Original if !payload.starts_with(&NET_START) => None,
            Direction::Original if !message.established => Some(NOT_ESTABLISHED),
            Direction::Original => (payload.len() != REQUEST).then_some(NOT_ALONE),
            Direction::Reply if self.is_requested => None,
            // Status, port and byte order.
            Direction::Reply => match payload {
                [0, 0, 0, 0, 0, 0, 0, 0, ..] => None,
                [0, 0, 0, 0, 0, 0, _, _, 0, 0, 0x12, 0x34, ..]
                | [0, 0, 0, 0, 0, 0, _, _, 0, 0, 0x43, 0x21, ..] => Some(UNASKED),
                _ => None,
            },
        }
    }
}

/// Code and handle, `struct sane_request`.
const REQUEST: usize = 8;
const NET_START: [u8; 4] = [0, 0, 0, 7];
