//! GETPORT (RFC 1833, 3) in the messages of RFC 5531, 9; whatever these do not say is of src/helpers/rpc.c.

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};
use ctaudit::tuple::Protocol;

use super::super::{Bench, Effect, declines, expected};

const XID: u32 = 0x5eed_0001;
const TCP: u32 = 6;
const UDP: u32 = 17;
/// Number, CALL, version of RPC; portmapper, version 2, GETPORT; no credential, no verifier; nfs, version 3, TCP, 0.
const CALL: [u32; 14] = [XID, 0, 2, 100_000, 2, 3, 0, 0, 0, 0, 100_003, 3, TCP, 0];
/// Number, REPLY, accepted; no verifier; success, port.
const ANSWER: [u32; 7] = [XID, 1, 0, 0, 0, 0, 2049];

fn bench(protocol: Protocol) -> Bench {
    let modules = Modules::default();
    Bench::by(
        "rpc",
        protocol,
        "192.0.2.11",
        "198.51.100.65",
        111,
        &modules,
    )
}

fn bytes(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// With one word another.
fn with<const N: usize>(mut words: [u32; N], at: usize, word: u32) -> Vec<u8> {
    words[at] = word;
    bytes(&words)
}

/// What the last of these datagrams leads to, where no other leads to an expectation.
fn last(datagrams: &[(Direction, Vec<u8>)]) -> Vec<Effect> {
    let mut bench = bench(Protocol::UDP);
    let mut effects = Vec::new();
    for (direction, datagram) in datagrams {
        assert_eq!(expected(&effects), None);
        effects = bench.say(*direction, 0, datagram);
    }
    effects
}

fn port(call: &[u8], answer: &[u8]) -> Option<u16> {
    let effects = last(&[(Original, call.to_vec()), (Reply, answer.to_vec())]);
    expected(&effects).map(|(_, port)| port)
}

#[test]
fn the_client_is_expected_by_the_protocol_asked_for_at_the_port_of_the_answer() {
    for (by, mark) in [(Protocol::UDP, &b""[..]), (Protocol::TCP, b"\x80\0\0\x38")] {
        for (number, protocol) in [(TCP, Protocol::TCP), (UDP, Protocol::UDP)] {
            let mut bench = bench(by);
            let call = [mark, &with(CALL, 12, number)].concat();
            assert_eq!(bench.say(Original, 0, &call), []);
            let effects = bench.say(Reply, 0, &[mark, &bytes(&ANSWER)].concat());
            let [Effect::Expect(expectation)] = &effects[..] else {
                panic!("{effects:?}")
            };
            assert_eq!(expectation.protocol, protocol);
            let from = expectation.src_addr.as_ref().unwrap();
            assert_eq!(from.value.to_string(), "192.0.2.11/32");
            assert_eq!(from.origin, Origin::Conntrack(Original));
            assert_eq!(expectation.src_port, None);
            assert_eq!(expectation.dst_addr.value.to_string(), "198.51.100.65");
            assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Original));
            assert_eq!(expectation.dst_port.value, 2049);
            let at = mark.len() as u32 + 26;
            let (packet, bytes) = (2, at..at + 2);
            assert_eq!(
                expectation.dst_port.origin,
                Origin::Command { packet, bytes }
            );
            assert!(expectation.flags.permanent);
        }
    }
}

#[test]
fn every_word_must_be_as_in_getport_but_those_that_name_the_program() {
    let answer = bytes(&ANSWER);
    for at in 0..CALL.len() {
        let free = [6, 8, 10, 11].contains(&at); // kind of credential and verifier, program and its version
        let found = port(&with(CALL, at, 9), &answer);
        assert_eq!(found, free.then_some(2049), "word {at} of the call");
    }
    for at in 0..ANSWER.len() - 1 {
        let free = at == 3; // kind of verifier
        let found = port(&bytes(&CALL), &with(ANSWER, at, 9));
        assert_eq!(found, free.then_some(2049), "word {at} of the answer");
    }
}

#[test]
fn neither_may_be_shorter_nor_longer() {
    let (call, answer) = (bytes(&CALL), bytes(&ANSWER));
    for length in (0..call.len() + 8).filter(|&length| length != call.len()) {
        let mut text = call.clone();
        text.resize(length, 0);
        assert_eq!(port(&text, &answer), None, "call of {length} bytes");
    }
    for length in (0..answer.len() + 8).filter(|&length| length != answer.len()) {
        let mut text = answer.clone();
        text.resize(length, 0);
        assert_eq!(port(&call, &text), None, "answer of {length} bytes");
    }
}

/// Up to 400 bytes (`MAX_AUTH_BYTES`), filled up to four.
#[test]
fn a_credential_or_verifier_has_its_length() {
    let put = |words: &[u32], at: usize, length: u32, filled: usize| {
        let (head, rest) = words.split_at(at);
        [
            bytes(&[head, &[length]].concat()),
            vec![1; filled],
            bytes(&rest[1..]),
        ]
        .concat()
    };
    let (call, answer) = (bytes(&CALL), bytes(&ANSWER));
    for (length, filled, counts) in [
        (1, 4, true),
        (4, 4, true),
        (399, 400, true),
        (400, 400, true),
        (401, 404, false),
        (u32::MAX, 0, false),
        (5, 4, false),
        (5, 5, false),
        (4, 8, false),
    ] {
        let expected = counts.then_some(2049);
        for at in [7, 9] {
            let call = put(&CALL, at, length, filled);
            assert_eq!(port(&call, &answer), expected, "{length} in word {at}");
        }
        let answer = put(&ANSWER, 4, length, filled);
        assert_eq!(port(&call, &answer), expected, "{length} in the answer");
    }
}

#[test]
fn of_the_port_only_the_lower_half_is_read_and_0_is_none() {
    let call = bytes(&CALL);
    let answer = |word| port(&call, &with(ANSWER, 6, word));
    assert_eq!(answer(0xffff), Some(0xffff));
    assert_eq!(answer(0xffff_0801), Some(2049));
    assert_eq!(answer(0), None);
    assert_eq!(answer(0x1_0000), None);
}

#[test]
fn an_answer_counts_once_and_only_to_the_last_question() {
    let (call, answer) = (bytes(&CALL), bytes(&ANSWER));
    let another = with(CALL, 0, 7);
    let unasked = |effects: &[Effect]| {
        let reason = "answers no call that was read";
        assert_eq!(declines(effects, &answer), [(reason, &answer[..])]);
    };
    unasked(&last(&[(Reply, answer.clone())]));
    unasked(&last(&[
        (Original, call.clone()),
        (Original, another),
        (Reply, answer.clone()),
    ]));
    let mut bench = bench(Protocol::UDP);
    bench.say(Original, 0, &call);
    assert!(expected(&bench.say(Reply, 0, &answer)).is_some());
    unasked(&bench.say(Reply, 0, &answer));
    // An answer without a port, or one to something else.
    assert_eq!(bench.say(Reply, 0, &with(ANSWER, 6, 0)), []);
    assert_eq!(bench.say(Reply, 0, &answer[..24]), []);
}

#[test]
fn a_call_that_is_not_read() {
    let call = bytes(&CALL);
    let by_server = "a call, said by the server";
    let effects = bench(Protocol::UDP).say(Reply, 0, &call);
    assert_eq!(declines(&effects, &call), [(by_server, &call[..])]);
    assert_eq!(bench(Protocol::UDP).say(Reply, 0, &with(CALL, 5, 0)), []);
    let early = "said before there was traffic both ways";
    let marked = [&b"\x80\0\0\x38"[..], &call].concat();
    let effects = bench(Protocol::TCP).show(Original, false, 0, &marked);
    assert_eq!(declines(&effects, &marked), [(early, &call[..])]);
    let cut = &marked[..marked.len() - 4];
    assert_eq!(bench(Protocol::TCP).show(Original, false, 0, cut), []);
}

#[test]
fn whatever_else_is_said_between_them_takes_the_question_back_unless_it_is_too_short() {
    let (call, answer) = (bytes(&CALL), bytes(&ANSWER));
    for (side, between, counts) in [
        (Original, vec![0; 7], true),
        (Reply, vec![0; 7], true),
        (Original, vec![0; 8], false),
        (Reply, vec![0; 8], false),
        (Reply, with(ANSWER, 0, 7), false),
        // Who says what.
        (Reply, call.clone(), false),
        (Original, answer.clone(), false),
    ] {
        let effects = last(&[
            (Original, call.clone()),
            (side, between.clone()),
            (Reply, answer.clone()),
        ]);
        let found = expected(&effects).is_some();
        assert_eq!(found, counts, "{side:?}: {} bytes", between.len());
    }
}

/// The number of no question is 0.
#[test]
fn an_answer_with_number_0_needs_no_question() {
    let answer = with(ANSWER, 0, 0);
    for (asked, protocol, port) in [
        (None, 0, 0),
        (Some(TCP), 6, 2049),
        (Some(UDP), 17, 2049),
        // One byte of it counts, and what is neither TCP nor UDP is left out of the message to the kernel.
        (Some(0x106), 6, 2049),
        (Some(0x111), 17, 2049),
        (Some(0x100), 0, 0),
        (Some(1), 0, 0),
        (Some(132), 0, 0),
    ] {
        let mut bench = bench(Protocol::UDP);
        if let Some(number) = asked {
            bench.say(Original, 0, &with(CALL, 12, number));
            bench.say(Reply, 0, &[0; 8]); // forgotten
        }
        let effects = bench.say(Reply, 0, &answer);
        let [Effect::Expect(expectation)] = &effects[..] else {
            panic!("{asked:?}: {effects:?}")
        };
        assert_eq!(expectation.protocol, Protocol(protocol), "{asked:?}");
        assert_eq!(expectation.dst_port.value, port, "{asked:?}");
    }
}

#[test]
fn tcp_is_read_once_there_was_traffic_both_ways_and_udp_from_the_start() {
    for (by, mark, counts) in [
        (Protocol::TCP, &b"\x80\0\0\x38"[..], false),
        (Protocol::UDP, b"", true),
    ] {
        let mut bench = bench(by);
        bench.show(Original, false, 0, &[mark, &bytes(&CALL)].concat());
        let effects = bench.say(Reply, 0, &[mark, &bytes(&ANSWER)].concat());
        assert_eq!(expected(&effects).is_some(), counts, "{by}");
    }
}

/// `NFCT_Q_CREATE_UPDATE`: there is nothing to update.
#[test]
fn what_is_expected_already_by_whomever_is_left_as_it_is() {
    for of_another in [false, true] {
        let mut bench = bench(Protocol::UDP);
        bench.master.of_another = of_another;
        for first in [true, false] {
            bench.say(Original, 0, &bytes(&CALL));
            let effects = bench.say(Reply, 0, &bytes(&ANSWER));
            assert_eq!(expected(&effects).is_some(), first);
            if !first {
                let already = "what it asks for is expected already";
                let bytes = 26..28;
                assert_eq!(
                    effects,
                    [Effect::Decline {
                        reason: already,
                        bytes
                    }]
                );
            }
        }
        // The same port of another protocol is another.
        bench.say(Original, 0, &with(CALL, 12, UDP));
        let effects = bench.say(Reply, 0, &bytes(&ANSWER));
        assert!(expected(&effects).is_some());
    }
}

/// Because another expectation is in the way, or because ctnetlink does not find the connection any more.
#[test]
fn what_cannot_be_expected_costs_the_answer() {
    for (refuse, is_gone) in [(Some(2049), false), (None, true)] {
        let mut bench = bench(Protocol::UDP);
        bench.master.refuse = refuse;
        bench.master.is_gone = is_gone;
        bench.say(Original, 0, &bytes(&CALL));
        let effects = bench.say(Reply, 0, &bytes(&ANSWER));
        let not_listed = Effect::Decline {
            reason: "the connection is not in the table yet, or no longer",
            bytes: 26..28,
        };
        let dropped = Effect::Drop("cannot add expectation");
        assert_eq!(effects, [not_listed, dropped][usize::from(!is_gone)..]);
    }
}
