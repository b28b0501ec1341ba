//! RFC 2637: control messages, the call numbers in them, and what the helper makes of both.

use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};
use ctaudit::tuple::Protocol;

use super::{Bench, Effect, declines};
use crate::traffic::pptp::message;

/// "Connected", "accepted", "successful": 1, in the high byte.
const YES: u16 = 1 << 8;
const NO: u16 = 2 << 8;

fn start_request() -> Vec<u8> {
    message(1, &[YES])
}

fn start_reply(result: u16) -> Vec<u8> {
    message(2, &[YES, result])
}

fn out_call_request(pns: u16) -> Vec<u8> {
    message(7, &[pns])
}

fn out_call_reply(pac: u16, pns: u16, result: u16) -> Vec<u8> {
    message(8, &[pac, pns, result])
}

fn in_call_request(pac: u16) -> Vec<u8> {
    message(9, &[pac])
}

fn in_call_reply(pns: u16, pac: u16, result: u16) -> Vec<u8> {
    message(10, &[pns, pac, result])
}

fn in_call_connected(pns: u16) -> Vec<u8> {
    message(11, &[pns])
}

fn disconnect(pac: u16) -> Vec<u8> {
    message(13, &[pac])
}

fn bench() -> Bench {
    Bench::new(
        "pptp",
        "192.0.2.11",
        "198.51.100.17",
        1723,
        &Modules::default(),
    )
}

/// A session that stands. Two packets have passed.
fn session() -> Bench {
    let mut bench = bench();
    assert_eq!(bench.say(Original, 0, &start_request()), []);
    assert_eq!(bench.say(Reply, 0, &start_reply(YES)), []);
    bench
}

/// Two expectations and two keys, in this order.
fn tunnel(effects: &[Effect]) -> Option<[&Expectation; 2]> {
    match effects {
        [
            Effect::Expect(a),
            Effect::Expect(b),
            Effect::MapGreKeys(Original, _),
            Effect::MapGreKeys(Reply, _),
        ] => Some([a, b]),
        _ => None,
    }
}

fn command(packet: u64, bytes: std::ops::Range<u32>) -> Origin {
    Origin::Command { packet, bytes }
}

#[test]
fn an_outgoing_call_is_expected_in_both_directions() {
    let mut bench = session();
    assert_eq!(bench.say(Original, 0, &out_call_request(7)), []);
    let effects = bench.say(Reply, 0, &out_call_reply(9, 7, YES));
    let [original, reply] = tunnel(&effects).unwrap();
    let (pns, pac) = (command(3, 12..14), command(4, 12..14));
    for (expectation, from, to, sport, dport) in [
        (
            original,
            "192.0.2.11",
            "198.51.100.17",
            (7, &pns),
            (9, &pac),
        ),
        (reply, "198.51.100.17", "192.0.2.11", (9, &pac), (7, &pns)),
    ] {
        assert_eq!(expectation.protocol, Protocol::GRE);
        let src_addr = expectation.src_addr.as_ref().unwrap();
        assert_eq!(src_addr.value.addr().to_string(), from);
        assert_eq!(expectation.dst_addr.value.to_string(), to);
        let src_port = expectation.src_port.as_ref().unwrap();
        assert_eq!((src_port.value, &src_port.origin), sport);
        let dst_port = &expectation.dst_port;
        assert_eq!((dst_port.value, &dst_port.origin), dport);
        assert!(expectation.flags.paired);
        assert_eq!(expectation.flags.bits(), 0);
    }
    let [
        ..,
        Effect::MapGreKeys(_, keys),
        Effect::MapGreKeys(_, inverse),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((keys.sport, keys.dport), (7, 9));
    assert_eq!(keys.inverse(), Some(*inverse));
}

#[test]
fn an_incoming_call_stands_after_three_messages() {
    let mut bench = session();
    assert_eq!(bench.say(Reply, 0, &in_call_request(9)), []);
    assert_eq!(bench.say(Original, 0, &in_call_reply(7, 9, YES)), []);
    let effects = bench.say(Reply, 0, &in_call_connected(7));
    let [original, reply] = tunnel(&effects).unwrap();
    assert_eq!(original.dst_port.origin, command(3, 12..14));
    assert_eq!(reply.dst_port.origin, command(4, 12..14));
    assert_eq!((original.dst_port.value, reply.dst_port.value), (9, 7));
    // Said again, it is expected again.
    assert!(tunnel(&bench.say(Reply, 0, &in_call_connected(7))).is_some());
}

/// What comes of an outgoing call after these messages.
fn calls_after(messages: &[(Direction, Vec<u8>)]) -> bool {
    let mut bench = bench();
    for (direction, text) in messages {
        bench.say(*direction, 0, text);
    }
    bench.say(Original, 0, &out_call_request(7));
    tunnel(&bench.say(Reply, 0, &out_call_reply(9, 7, YES))).is_some()
}

#[test]
fn sessions() {
    let request = || (Original, start_request());
    let reply = |result| (Reply, start_reply(result));
    let stop = || (Original, message(3, &[YES]));
    let stopped = |result| (Reply, message(4, &[result]));
    for (messages, stands) in [
        (vec![], false),
        (vec![request()], false),
        (vec![reply(YES)], false),
        (vec![request(), reply(YES)], true),
        (vec![request(), reply(NO)], false),
        (vec![request(), reply(NO), reply(YES)], false),
        // An error is not forgotten before the session has ended.
        (vec![request(), reply(NO), request(), reply(YES)], false),
        (
            vec![request(), reply(NO), stopped(YES), request(), reply(YES)],
            true,
        ),
        (vec![request(), reply(YES), stop()], false),
        (vec![request(), reply(YES), stop(), reply(YES)], false),
        (
            vec![request(), reply(YES), stop(), request(), reply(YES)],
            false,
        ),
        (
            vec![
                request(),
                reply(YES),
                stop(),
                stopped(YES),
                request(),
                reply(YES),
            ],
            true,
        ),
        (
            vec![
                request(),
                reply(YES),
                stop(),
                stopped(NO),
                request(),
                reply(YES),
            ],
            false,
        ),
        // Nobody asked for the end.
        (vec![request(), reply(YES), stopped(YES)], true),
        // In the other direction a message is not that message.
        (vec![(Reply, start_request()), reply(YES)], false),
        (vec![request(), (Original, start_reply(YES))], false),
        // What no state knows.
        (vec![request(), reply(YES), (Reply, message(16, &[]))], true),
        (vec![request(), reply(YES), (Reply, message(5, &[]))], true),
    ] {
        assert_eq!(calls_after(&messages), stands, "{messages:?}");
    }
}

/// The last of these messages names a call that is not honoured, and the reason says why.
fn declined(messages: &[(Direction, Vec<u8>)]) -> &'static str {
    let mut bench = session();
    let (last, before) = messages.split_last().unwrap();
    for (direction, text) in before {
        assert_eq!(bench.say(*direction, 0, text), []);
    }
    match bench.say(last.0, 0, &last.1)[..] {
        [Effect::Decline { reason, .. }] => reason,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_answers_the_one_that_was_asked_for() {
    let nobody = "connects a call that nobody was seen to ask for";
    let another = "names another call than the one that was asked for";
    let asked = || (Original, out_call_request(7));
    let answer = || (Reply, out_call_reply(9, 7, YES));
    assert_eq!(declined(&[answer()]), nobody);
    assert_eq!(declined(&[(Reply, in_call_connected(0))]), nobody);
    assert_eq!(
        declined(&[asked(), (Reply, out_call_reply(9, 8, YES))]),
        another
    );
    let hung_up = (Original, message(12, &[7]));
    assert_eq!(declined(&[asked(), hung_up, answer()]), nobody);
    let refused = (Reply, out_call_reply(9, 7, NO));
    assert_eq!(declined(&[asked(), refused, answer()]), nobody);
    let incoming = || (Reply, in_call_request(9));
    assert_eq!(
        declined(&[incoming(), (Reply, in_call_connected(0))]),
        nobody
    );
    let accepted = (Original, in_call_reply(7, 9, YES));
    assert_eq!(
        declined(&[incoming(), accepted, (Reply, in_call_connected(8))]),
        another
    );
    let refused = (Original, in_call_reply(7, 9, NO));
    assert_eq!(
        declined(&[incoming(), refused, (Reply, in_call_connected(7))]),
        nobody
    );
    let elsewhere = (Original, in_call_reply(7, 8, YES));
    assert_eq!(
        declined(&[incoming(), elsewhere, (Reply, in_call_connected(7))]),
        nobody
    );
}

#[test]
fn calls_that_are_passed_over() {
    let caller = "connects a call, said by the end that is taken for the caller";
    let early = "said before there was traffic both ways";
    let behind = "not the first message of its segment";
    let reply = out_call_reply(9, 7, YES);
    assert_eq!(declined(&[(Original, reply.clone())]), caller);
    assert_eq!(declined(&[(Original, in_call_connected(7))]), caller);
    assert_eq!(session().say(Original, 0, &out_call_reply(9, 7, NO)), []);

    let request = out_call_request(7);
    let effects = bench().show(Original, false, 0, &request);
    assert_eq!(declines(&effects, &request), [(early, &request[..])]);
    assert_eq!(bench().show(Original, false, 0, &start_request()), []);

    let both = [&start_reply(YES)[..], &reply].concat();
    let mut bench = bench();
    bench.say(Original, 0, &start_request());
    let effects = bench.say(Reply, 0, &both);
    assert_eq!(declines(&effects, &both), [(behind, &reply[..])]);
    // An echo, and what is no message.
    let echo = [&start_reply(YES)[..], &message(5, &[])].concat();
    assert_eq!(bench.say(Reply, 0, &echo), []);
    let junk = [&start_reply(YES)[..], b"junk", &reply].concat();
    assert_eq!(bench.say(Reply, 0, &junk), []);
}

#[test]
fn a_disconnect_takes_back_what_was_agreed() {
    let mut bench = session();
    bench.say(Original, 0, &out_call_request(7));
    bench.say(Reply, 0, &out_call_reply(9, 7, YES));
    let effects = bench.say(Reply, 0, &disconnect(9));
    let [
        Effect::UnmapGreKeys,
        Effect::Kill(there),
        Effect::Withdraw(_),
        Effect::Kill(back),
        Effect::Withdraw(_),
    ] = &effects[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!((there.sport, there.dport), (7, 9));
    assert_eq!(there.protocol, Protocol::GRE);
    assert_eq!(there.inverse(), Some(*back));
    // The numbers stay, so a later one ends the same flows once more; and it matters not which call it names.
    let effects = bench.say(Reply, 0, &disconnect(1));
    assert_eq!(
        effects,
        [
            Effect::UnmapGreKeys,
            Effect::Kill(*there),
            Effect::Kill(*back)
        ]
    );
    assert_eq!(bench.say(Original, 0, &disconnect(9)), []);
}

/// Plain GRE between the two ends has the keys of a call without numbers.
#[test]
fn a_disconnect_before_any_call_ends_plain_gre() {
    let effects = session().say(Reply, 0, &disconnect(9));
    let [Effect::UnmapGreKeys, Effect::Kill(there), Effect::Kill(_)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!((there.sport, there.dport), (0, 0));
}

#[test]
fn both_expectations_are_made_or_none() {
    for (refused, withdrawn) in [(9, 0), (7, 1)] {
        let mut bench = session();
        bench.master.refuse = Some(refused);
        bench.say(Original, 0, &out_call_request(7));
        let effects = bench.say(Reply, 0, &out_call_reply(9, 7, YES));
        let count =
            |kind: fn(&Effect) -> bool| effects.iter().filter(|&effect| kind(effect)).count();
        assert_eq!(
            count(|effect| matches!(effect, Effect::Expect(_))),
            withdrawn
        );
        assert_eq!(
            count(|effect| matches!(effect, Effect::Withdraw(_))),
            withdrawn
        );
        assert_eq!(effects.len(), 2 * withdrawn);
    }
}

#[test]
fn a_message_that_is_cut_says_nothing_and_a_longer_one_says_the_same() {
    let reply = out_call_reply(9, 7, YES);
    for length in 0..=reply.len() + 300 {
        let mut bench = session();
        bench.say(Original, 0, &out_call_request(7));
        let mut text = reply.clone();
        text.resize(length, 0xff);
        let effects = bench.say(Reply, 0, &text);
        let not_whole = "the segment does not hold all of the message";
        match length {
            // Nothing but a header says what it is.
            ..12 => assert_eq!(effects, [], "{length} bytes"),
            12..32 => assert_eq!(declines(&effects, &text), [(not_whole, &text[..])]),
            _ => assert!(tunnel(&effects).is_some(), "{length} bytes"),
        }
    }
    // Lengths by RFC 2637; each message cut by one byte is as if it had not been sent.
    let whole = [
        start_request(),
        start_reply(YES),
        out_call_request(7),
        reply,
    ];
    for cut in 0..whole.len() {
        let mut bench = bench();
        let mut effects = Vec::new();
        for (at, text) in whole.iter().enumerate() {
            let direction = if at % 2 == 0 { Original } else { Reply };
            effects = bench.say(direction, 0, &text[..text.len() - usize::from(at == cut)]);
        }
        assert_eq!(tunnel(&effects), None, "without message {cut}");
    }
}

#[test]
fn other_packets_are_not_control_messages() {
    for (at, byte) in [(2, 1), (3, 2), (4, 0x1b), (7, 0x4c), (8, 1)] {
        let mut bench = session();
        bench.say(Original, 0, &out_call_request(7));
        let mut text = out_call_reply(9, 7, YES);
        text[at] = byte;
        assert_eq!(bench.say(Reply, 0, &text), [], "byte {at}");
    }
    // The length that it says and what is reserved do not count.
    for at in [0, 1, 10, 11] {
        let mut bench = session();
        bench.say(Original, 0, &out_call_request(7));
        let mut text = out_call_reply(9, 7, YES);
        text[at] ^= 0xff;
        assert!(tunnel(&bench.say(Reply, 0, &text)).is_some(), "byte {at}");
    }
}

#[test]
fn nothing_is_read_before_there_was_traffic_both_ways() {
    let mut bench = bench();
    bench.show(Original, false, 0, &start_request());
    bench.say(Reply, 0, &start_reply(YES));
    bench.say(Original, 0, &out_call_request(7));
    let effects = bench.say(Reply, 0, &out_call_reply(9, 7, YES));
    assert!(matches!(effects[..], [Effect::Decline { .. }]));
}
