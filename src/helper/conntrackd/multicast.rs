//! Multicast DNS (RFC 6762) and the Service Location Protocol (RFC 2608): a question to a group, answers from whoever
//! knows.
//!
//! Why a second flow: an answer comes from the answerer's own address, not from the group that was asked (RFC 6762, 5.1
//! and 6.7; RFC 2608, 6.1).
//!
//! No byte is read. Every packet of the connection, in either direction and whatever it says, opens the port that it
//! came from to everybody who sends from the port that it went to; multicast queries from port 5353 as well, whose
//! answers need no hole.
//!
//! Source: src/helpers/mdns.c `mdns_helper_cb()`, src/helpers/slp.c `slp_helper_cb()`.

use super::super::{Dropped, Families, Field, Freedom, Helper, Home, Master, Message, Spec};
use super::{attach, policy};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::Protocol;

pub const SPECS: &[Spec] = &[
    Spec {
        name: "mdns",
        source: "src/helpers/mdns.c",
        ports: &[(Protocol::UDP, Some(5353))],
        families: Families::Ipv4,
        home: Home::Conntrackd {
            since: "1.4.5",
            private: 0,
        },
        why: "hosts that were asked by multicast answer from addresses of their own",
        policies: |_| policy(8, 30),
        parameters: &[],
        freedom: ANSWERS,
        defects: &[ANY_PACKET],
        start: |_, _| Box::new(Multicast),
    },
    Spec {
        name: "slp",
        source: "src/helpers/slp.c",
        ports: &[(Protocol::UDP, Some(427))],
        families: Families::Ipv4,
        home: Home::Conntrackd {
            since: "1.4.6",
            private: 0,
        },
        why: "services that were asked for by multicast answer from addresses of their own",
        policies: |_| policy(8, 16),
        parameters: &[],
        freedom: ANSWERS,
        defects: &[ANY_PACKET],
        start: |_, _| Box::new(Multicast),
    },
];

const ANSWERS: &[Freedom] = &[Freedom {
    permanent: true,
    ..Freedom::new(
        Field::Any,
        Field::Fixed,
        Field::Fixed,
        Field::Packet,
        Protocol::UDP,
    )
}];

const ANY_PACKET: &str = "every packet of the connection opens the port that it came from, whatever it says, answers included";

struct Multicast;

impl Helper for Multicast {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let answer = message.opposite();
        let mut expectation = Expectation::new(
            Protocol::UDP,
            None,
            Sourced::conntrack(answer.dst, !message.direction),
            Sourced::conntrack(answer.dport, !message.direction),
        );
        let asked = message.same().dport;
        expectation.src_port = Some(Sourced::conntrack(asked, message.direction));
        expectation.flags.permanent = true;
        attach(master, expectation);
        Ok(())
    }
}
