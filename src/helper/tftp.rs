//! TFTP (RFC 1350): a request to port 69, the answer from a port of the server's choice.
//!
//! Why a second flow: the transfer runs between two ports that both ends choose anew (RFC 1350, 4), so the first
//! answer comes from where nothing was sent to.
//!
//! Every datagram is read, in either direction and whether answered or not; the first two bytes decide. Not
//! checked: file name, mode, who sent the request.
//!
//! Source: net/netfilter/nf_conntrack_tftp.c `tftp_help()`.

use std::time::Duration;

use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, Master, Message, Policy, Spec,
};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "tftp",
    source: "net/netfilter/nf_conntrack_tftp.c",
    ports: &[(Protocol::UDP, Some(69))],
    families: Families::Both,
    home: Home::Module(Instances::ByIndex),
    why: "the server answers a request from a new port, which nothing was sent to before",
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
        Field::Packet,
        Protocol::UDP,
    )],
    defects: &[],
    start: |_, _| Box::new(Tftp),
}];

struct Tftp;

impl Helper for Tftp {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let Some([0, READ_REQUEST | WRITE_REQUEST]) = message.payload.first_chunk() else {
            return Ok(());
        };
        let reply = message.tuples[Direction::Reply.index()];
        master.expect(Expectation::new(
            Protocol::UDP,
            Some(Sourced::conntrack(reply.src.into(), Direction::Reply)),
            Sourced::conntrack(reply.dst, Direction::Reply),
            Sourced::conntrack(reply.dport, Direction::Reply),
        ))?;
        Ok(())
    }
}

/// Opcodes, RFC 1350, 5
const READ_REQUEST: u8 = 1;
const WRITE_REQUEST: u8 = 2;
