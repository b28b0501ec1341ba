//! Questions by broadcast: answers from the network, and from beyond it.

use super::{Case, end, findings, firewall};
use crate::traffic::packet::udp;

pub const CASES: &[Case] = &[
    Case {
        entry: "broadcast-foreign-answer",
        // The firewall asks for a printer, and somebody in the internet answers.
        shows: || asked_and_answered(47_000, "198.51.100.7", 161),
        passes: || asked_and_answered(47_000, "192.0.2.40", 161),
        modules: &[],
    },
    // A host answers when its time is over (`nf_conntrack_netbios_ns`, `timeout`: 3 s), and before.
    Case {
        entry: "broadcast-late-answer",
        shows: || answered_after(40),
        passes: || answered_after(20),
        modules: &[],
    },
];

/// An answer after so many tenths of a second, in which others talk.
fn answered_after(tenths: usize) -> Vec<Vec<u8>> {
    let [question, answer] = asked_and_answered(47_000, "192.0.2.40", 137)
        .try_into()
        .unwrap();
    let others = (0..tenths).map(|_| udp(end("192.0.2.7", 9), end("192.0.2.8", 9), b"x"));
    [question]
        .into_iter()
        .chain(others)
        .chain([answer])
        .collect()
}

fn asked_and_answered(asker: u16, host: &str, asked: u16) -> Vec<Vec<u8>> {
    let asker = end("192.0.2.1", asker);
    vec![
        udp(asker, end("192.0.2.255", asked), b"0\x82\x01\x02"),
        udp(end(host, asked), asker, b"0\x82\x01\x02"),
    ]
}

#[test]
fn only_the_port_that_was_asked_answers() {
    let asker = end("192.0.2.1", 47_000);
    let packets = vec![
        udp(asker, end("192.0.2.255", 161), b"0\x82\x01\x02"),
        udp(end("198.51.100.7", 162), asker, b"0\x82\x01\x02"),
    ];
    assert!(found(packets).is_empty());
}

#[test]
fn a_question_from_a_network_beyond_a_router_may_look_like_an_answer() {
    assert!(found(asked_and_answered(137, "10.7.0.9", 137)).is_empty());
    assert_eq!(
        found(asked_and_answered(137, "198.51.100.7", 137)),
        ["broadcast-foreign-answer"]
    );
}

fn found(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let found = findings(packets, firewall(&[]));
    found.iter().map(|finding| finding.entry.id).collect()
}
