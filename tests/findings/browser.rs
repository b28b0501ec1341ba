//! Pages that have a browser ask a scanner for a picture, and agree on a tunnel.

use super::{Case, end, findings, firewall, talk};
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::packet::words;
use crate::traffic::pptp::message;

pub const CASES: &[Case] = &[Case {
    entry: "expectation-from-browser",
    shows: || scanner(POST),
    // `SANE_NET_INIT`
    passes: || scanner(&words(&[0, 0x0100_0003, 0])),
    modules: &[],
}];

const POST: &[u8] = b"POST / HTTP/1.1\r\nHost: 203.0.113.21\r\nContent-Length: 8\r\n\r\n";

/// What is said first, then `SANE_NET_START` and a port.
fn scanner(first: &[u8]) -> Vec<Vec<u8>> {
    let (asks, answers) = (words(&[7, 0]), words(&[0, 50001, 0x1234, 0]));
    let said = [(Client, first), (Client, &asks[..]), (Server, &answers)];
    talk(end("192.0.2.11", 40000), end("203.0.113.21", 6566), &said)
}

#[test]
fn a_tunnel_may_be_agreed_on_behind_a_page() {
    let asks = [message(1, &[1, 0, 0]), message(7, &[5, 1])];
    let answers = [message(2, &[256, 1 << 8]), message(8, &[9, 5, 1 << 8])];
    let said = [
        (Client, POST),
        (Client, &asks[0]),
        (Server, &answers[0]),
        (Client, &asks[1]),
        (Server, &answers[1]),
    ];
    let packets = talk(end("192.0.2.11", 40000), end("203.0.113.21", 1723), &said);
    let found = findings(packets, firewall(&[]));
    let ids: Vec<_> = found.iter().map(|finding| finding.entry.id).collect();
    assert!(ids.contains(&"expectation-from-browser"), "{ids:?}");
}
