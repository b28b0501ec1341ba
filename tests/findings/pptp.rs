use super::{Case, end, findings, firewall, talk};
use crate::traffic::flow::Side::{self, Client, Server};
use crate::traffic::packet::{GRE, ip};
use crate::traffic::pptp::message;

pub const CASES: &[Case] = &[
    Case {
        entry: "pptp-unasked-reply",
        shows: || pptp(&[(Client, request(5)), (Server, reply(9, 6))]),
        passes: || pptp(&[(Client, request(5)), (Server, reply(9, 5))]),
        modules: &[],
    },
    Case {
        entry: "pptp-stranger",
        shows: || tunnel("198.51.100.7", 9),
        passes: || tunnel("198.51.100.7", 10),
        modules: &[],
    },
    Case {
        entry: "pptp-zero-call",
        shows: || pptp(&[(Client, request(0)), (Server, reply(0, 0))]),
        passes: || pptp(&[(Client, request(0)), (Server, reply(9, 0))]),
        modules: &[],
    },
    Case {
        entry: "pptp-second-call",
        shows: || {
            let (first, second) = ([request(5), reply(9, 5)], [request(6), reply(10, 6)]);
            let [asks, stands] = first;
            let [asks_again, stands_too] = second;
            pptp(&[
                (Client, asks),
                (Server, stands),
                (Client, asks_again),
                (Server, stands_too),
            ])
        },
        passes: || {
            pptp(&[
                (Client, request(5)),
                (Server, reply(9, 5)),
                (Server, message(13, &[9, 1 << 8])),
                (Client, request(6)),
                (Server, reply(10, 6)),
            ])
        },
        modules: &[],
    },
];

#[test]
fn calls_may_be_asked_for_in_one_segment_and_by_the_server() {
    let two = [request(5), request(6)].concat();
    let said = [
        (Client, two),
        (Server, reply(9, 6)),
        (Server, message(9, &[3])),
        (Client, message(10, &[7, 3, 1 << 8])),
    ];
    assert_eq!(found(pptp(&said)), [""; 0]);
    let unasked = [
        (Server, message(9, &[3])),
        (Client, message(10, &[7, 4, 1 << 8])),
    ];
    assert_eq!(found(pptp(&unasked)), ["pptp-unasked-reply"]);
}

#[test]
fn a_reply_that_says_no_or_to_what_was_cut_is_none() {
    let no = message(8, &[9, 6, 2 << 8]);
    assert_eq!(found(pptp(&[(Client, request(5)), (Server, no)])), [""; 0]);
    let whole = request(6);
    let (head, tail) = whole.split_at(30);
    let cut = [
        (Client, head.to_vec()),
        (Client, tail.to_vec()),
        (Server, reply(9, 6)),
    ];
    assert_eq!(found(pptp(&cut)), [""; 0]);
}

#[test]
fn the_two_ends_are_no_strangers() {
    assert_eq!(found(tunnel("192.0.2.11", 9)), [""; 0]);
}

fn found(packets: Vec<Vec<u8>>) -> Vec<&'static str> {
    let findings = findings(packets, firewall(&[]));
    findings.iter().map(|finding| finding.entry.id).collect()
}

/// A session, from its start on.
fn pptp(said: &[(Side, Vec<u8>)]) -> Vec<Vec<u8>> {
    let start = [
        (Client, message(1, &[1, 0, 0])),
        (Server, message(2, &[256, 1 << 8])),
    ];
    let said: Vec<(Side, &[u8])> = start
        .iter()
        .chain(said)
        .map(|(side, message)| (*side, &message[..]))
        .collect();
    talk(end("192.0.2.11", 40000), end("203.0.113.21", 1723), &said)
}

/// Outgoing-Call-Request
fn request(call: u16) -> Vec<u8> {
    message(7, &[call, 1])
}

/// Outgoing-Call-Reply: connected
fn reply(call: u16, peer: u16) -> Vec<u8> {
    message(8, &[call, peer, 1 << 8])
}

/// Call 5 of the client's and 9 of the server's, then a packet of PPP from this host to the server.
fn tunnel(from: &str, call: u16) -> Vec<Vec<u8>> {
    let mut packets = pptp(&[(Client, request(5)), (Server, reply(9, 5))]);
    let words = [0x3001, 0x880b, 4, call, 0, 1, 0xff03, 0xc021];
    let gre = words.into_iter().flat_map(u16::to_be_bytes).collect();
    let (from, to) = (end(from, 0), end("203.0.113.21", 0));
    packets.push(ip(from.address, to.address, GRE, gre));
    packets
}
