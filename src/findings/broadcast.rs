//! Questions by broadcast: who answers them.

use super::{Entry, Evidence, Matcher, Severity, place};
use crate::conntrack::event::{Closed, ConntrackRecord, ExpectationRecord};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "broadcast-foreign-answer",
        title: "An answer to a broadcast from outside the network that was asked",
        severity: Severity::Medium,
        helpers: &["netbios-ns", "snmp"],
        wire: "a datagram from the port that was asked to the port that asked, while answers are expected, from an address \
        that is not of the interface's network",
        alike: "a name service that asks from port 137 as well, in a network beyond a router; an interface with a second \
        network",
        references: &["net/netfilter/nf_conntrack_broadcast.c", "RFC 1002, 4.2"],
        matcher: Matcher::Stranger(foreign_answer),
    },
    Entry {
        id: "broadcast-late-answer",
        title: "An answer to a broadcast when none is waited for any more",
        severity: Severity::Note,
        helpers: &["netbios-ns", "snmp"],
        wire: "a datagram from the port that was asked to the port that asked, from the network that was asked, less \
               than a minute after the expectation ended: to the firewall it is NEW",
        alike: "an answer in time",
        references: &["net/netfilter/nf_conntrack_broadcast.c"],
        matcher: Matcher::Late(|expected, flow, why, after| {
            if why == Closed::Withdrawn {
                return None;
            }
            let (from, late) = (flow.original.src, after.as_secs_f64());
            let detail = format!("{from} answers {late:.3} s too late");
            Evidence::with(detail, [expected.packet])
        }),
    },
];

fn foreign_answer(expected: &ExpectationRecord, flow: &ConntrackRecord) -> Option<Evidence> {
    let network = expected.expectation.src_addr.as_ref()?.value;
    let from = flow.original.src;
    let asked = expected.master.dport;
    let answers = flow.original.sport == asked && !network.contains(&from);
    // From the port that asks, to which questions come as well.
    let may_ask = expected.master.sport == asked && place::is_private(from);
    if !answers || may_ask {
        return None;
    }
    let detail = format!("{from} answers a question to {}", network.trunc());
    Evidence::with(detail, [expected.packet])
}
