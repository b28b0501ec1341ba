//! SANE network protocol: `SANE_NET_START` (7) and the answer to it. Words are in network order.

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};

use super::{Bench, Effect, declines, expected};

const START: &[u8] = b"\0\0\0\x07\0\0\0\0";
/// Status 0, port 50000 (0xc350), byte order, no resource to authenticate against.
const ANSWER: &[u8] = b"\0\0\0\0\0\0\xc3\x50\0\0\x12\x34\0\0\0\0";

fn bench() -> Bench {
    Bench::new(
        "sane",
        "192.0.2.11",
        "198.51.100.65",
        6566,
        &Modules::default(),
    )
}

/// What the last of these payloads leads to.
fn last(payloads: &[(Direction, &[u8])]) -> Vec<Effect> {
    let mut bench = bench();
    let mut effects = Vec::new();
    for (direction, payload) in payloads {
        assert_eq!(expected(&effects), None);
        effects = bench.say(*direction, 0, payload);
    }
    effects
}

const UNASKED: &str = "answers a NET_START that was not read";

fn port(payloads: &[(Direction, &[u8])]) -> Option<u16> {
    expected(&last(payloads)).map(|(_, port)| port)
}

#[test]
fn the_client_is_expected_at_the_port_of_the_answer() {
    let effects = last(&[(Original, START), (Reply, ANSWER)]);
    let [Effect::Expect(expectation)] = &effects[..] else {
        panic!("{effects:?}")
    };
    let from = expectation.src_addr.as_ref().unwrap();
    assert_eq!(from.value.to_string(), "192.0.2.11/32");
    assert_eq!(from.origin, Origin::Conntrack(Original));
    assert_eq!(expectation.src_port, None);
    assert_eq!(expectation.dst_addr.value.to_string(), "198.51.100.65");
    assert_eq!(expectation.dst_port.value, 50000);
    assert_eq!(
        expectation.dst_port.origin,
        Origin::Command {
            packet: 2,
            bytes: 6..8
        }
    );
}

#[test]
fn an_answer_counts_once_and_only_after_the_question() {
    let unasked = |effects: &[Effect]| {
        assert_eq!(declines(effects, ANSWER), [(UNASKED, ANSWER)]);
    };
    unasked(&last(&[(Reply, ANSWER)]));
    let mut bench = bench();
    bench.say(Original, 0, START);
    assert!(expected(&bench.say(Reply, 0, ANSWER)).is_some());
    unasked(&bench.say(Reply, 0, ANSWER));
    // Cut before the byte order is whole, of port 0, or the answer to something else: nobody knows.
    for other in [
        &ANSWER[..11],
        b"\0\0\0\0\0\0\0\0\0\0\x12\x34\0\0\0\0",
        b"\0\0\0\0\0\0\xc3\x50\0\0\0\0\0\0\0\0",
    ] {
        assert_eq!(bench.say(Reply, 0, other), []);
    }
}

#[test]
fn a_request_that_is_not_read() {
    let alone = "NET_START not in a segment of its own";
    let early = "said before there was traffic both ways";
    let longer = [START, b"\0"].concat();
    for text in [&START[..4], &START[..7], &longer] {
        let effects = last(&[(Original, text)]);
        assert_eq!(declines(&effects, text), [(alone, text)]);
    }
    let effects = bench().show(Original, false, 0, START);
    assert_eq!(declines(&effects, START), [(early, START)]);
    for other in [&START[..3], b"\0\0\0\x02\0\0\0\0", b"\0\0\0\x02\0\0\0\0\0"] {
        assert_eq!(last(&[(Original, other)]), []);
        assert_eq!(bench().show(Original, false, 0, other), []);
    }
}

#[test]
fn only_a_request_of_eight_bytes_asks_or_takes_back() {
    let other = b"\0\0\0\x02\0\0\0\0";
    for cut in 0..START.len() {
        assert_eq!(port(&[(Original, &START[..cut]), (Reply, ANSWER)]), None);
        assert_eq!(
            port(&[
                (Original, START),
                (Original, &other[..cut]),
                (Reply, ANSWER)
            ]),
            Some(50000),
            "{cut} bytes"
        );
    }
    let longer = [START, b"\0"].concat();
    assert_eq!(port(&[(Original, &longer), (Reply, ANSWER)]), None);
    assert_eq!(
        port(&[(Original, START), (Original, other), (Reply, ANSWER)]),
        None
    );
}

#[test]
fn an_answer_cut_short_is_used_up() {
    for cut in 1..8 {
        let mut bench = bench();
        bench.say(Original, 0, START);
        let effects = bench.say(Reply, 0, &ANSWER[..cut]);
        assert!(
            matches!(effects[..], [Effect::Decline { .. }]),
            "{cut} bytes"
        );
        assert_eq!(expected(&bench.say(Reply, 0, ANSWER)), None);
    }
    for cut in 8..=ANSWER.len() {
        assert_eq!(
            port(&[(Original, START), (Reply, &ANSWER[..cut])]),
            Some(50000)
        );
    }
    // A segment without payload is no answer.
    assert_eq!(
        port(&[(Original, START), (Reply, b""), (Reply, ANSWER)]),
        Some(50000)
    );
}

#[test]
fn status_and_filling_must_be_zero_and_the_port_may_be() {
    let answer = |text: &[u8; 8]| last(&[(Original, START), (Reply, text)]);
    assert_eq!(expected(&answer(b"\0\0\0\0\0\0\0\0")).unwrap().1, 0);
    assert_eq!(expected(&answer(b"\0\0\0\0\0\0\xff\xff")).unwrap().1, 65535);
    for status in [b"\0\0\0\x01\0\0\xc3\x50", b"\x01\0\0\0\0\0\xc3\x50"] {
        assert_eq!(answer(status), []);
    }
    for filled in [b"\0\0\0\0\0\x01\xc3\x50", b"\0\0\0\0\x80\0\xc3\x50"] {
        let effects = answer(filled);
        assert!(matches!(&effects[..], [Effect::Decline { bytes, .. }] if *bytes == (4..8)));
    }
}

#[test]
fn nothing_is_read_before_there_was_traffic_both_ways() {
    let mut bench = bench();
    bench.show(Original, false, 0, START);
    assert_eq!(expected(&bench.say(Reply, 0, ANSWER)), None);
}
