//! TFTP (RFC 1350), as conntrackd reads it: like the kernel, but for a packet whose expectation is not taken. It passes.
//!
//! Source: src/helpers/tftp.c `tftp_helper_cb()`.

use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{attach, policy};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "conntrackd:tftp",
    source: "src/helpers/tftp.c",
    ports: &[(Protocol::UDP, Some(69))],
    families: Families::Ipv4,
    home: Home::Conntrackd {
        since: "1.4.3",
        private: 0,
    },
    why: "the server answers a request from a new port, which nothing was sent to before",
    policies: |_| policy(1, 300),
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
        let expectation = Expectation::new(
            Protocol::UDP,
            Some(Sourced::conntrack(reply.src.into(), Direction::Reply)),
            Sourced::conntrack(reply.dst, Direction::Reply),
            Sourced::conntrack(reply.dport, Direction::Reply),
        );
        attach(master, expectation);
        Ok(())
    }
}

/// Opcodes, RFC 1350, 5
const READ_REQUEST: u8 = 1;
const WRITE_REQUEST: u8 = 2;
