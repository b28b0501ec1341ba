//! SANE: scanners on the network. A control connection, and another one for each picture.
//!
//! Why a second connection: the answer to `SANE_NET_START` names the port at which the server offers the picture;
//! the client connects there.
//!
//! A request counts only as a segment of its own, and so does its answer. Not checked: whether a scanner was opened,
//! and which port it is, not even that it is not 0.
//!
//! Source: net/netfilter/nf_conntrack_sane.c `help()`.

use std::time::Duration;

use super::reasons::{NOT_ALONE, NOT_ESTABLISHED, UNASKED};
use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Policy, Spec,
};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "sane",
    source: "net/netfilter/nf_conntrack_sane.c",
    ports: &[(Protocol::TCP, Some(6566))],
    families: Families::Both,
    home: Home::Module(Instances::ByPort),
    why: "the server offers each scanned picture at a port that it names in the control connection",
    policies: |_| {
        vec![Policy {
            max_expected: 1,
            timeout: Duration::from_secs(300),
        }]
    },
    parameters: &[],
    freedom: &[Freedom::new(
        Field::Fixed,
        Field::Any,
        Field::Fixed,
        Field::Command,
        Protocol::TCP,
    )],
    defects: &[],
    start: |_, _| Box::new(Sane { started: false }),
}];

struct Sane {
    /// A picture was asked for, and nothing answered yet.
    started: bool,
}

impl Helper for Sane {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if let Some(reason) = self.unread(message) {
            master.decline(reason, 0..message.payload.len());
        }
        if !message.established || message.payload.is_empty() {
            return Ok(());
        }
        match message.direction {
            Direction::Original => {
                // Longer and shorter ones neither ask nor take back.
                if let Ok([a, b, c, d, _, _, _, _]) = <[u8; REQUEST]>::try_from(message.payload) {
                    self.started = u32::from_be_bytes([a, b, c, d]) == NET_START;
                }
                Ok(())
            }
            Direction::Reply if std::mem::take(&mut self.started) => answer(message, master),
            Direction::Reply => Ok(()),
        }
    }
}

impl Sane {
    /// Why nothing is done for what looks like a request, or like an answer to one.
    fn unread(&self, message: &Message<'_>) -> Option<&'static str> {
        let payload = message.payload;
        match message.direction {
            Direction::Original if !payload.starts_with(&NET_START.to_be_bytes()) => None,
            Direction::Original if !message.established => Some(NOT_ESTABLISHED),
            Direction::Original => (payload.len() != REQUEST).then_some(NOT_ALONE),
            Direction::Reply if self.started => None,
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

/// Status and port, each in a word of 32 bits.
fn answer(message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
    let whole = 0..message.payload.len();
    let Some(&[a, b, c, d, above, between, high, low]) = message.payload.first_chunk() else {
        master.decline("the answer to NET_START is not in one segment", whole);
        return Ok(());
    };
    if [a, b, c, d] != SUCCESS {
        return Ok(());
    }
    if [above, between] != [0, 0] {
        master.decline("the port is not a number of 16 bits", 4..8);
        return Ok(());
    }
    let client = message.tuples[Direction::Original.index()];
    master.expect(Expectation::new(
        Protocol::TCP,
        Some(Sourced::conntrack(client.src.into(), Direction::Original)),
        Sourced::conntrack(client.dst, Direction::Original),
        Sourced::command(u16::from_be_bytes([high, low]), message.packet, 6..8),
    ))?;
    Ok(())
}

/// SANE network protocol, "Remote Procedure Call Details": `SANE_NET_START`
const NET_START: u32 = 7;
/// Its code and a handle.
const REQUEST: usize = 8;
/// `SANE_STATUS_GOOD`
const SUCCESS: [u8; 4] = [0; 4];
