//! Amanda's answers.

use std::time::Duration;

use ctaudit::expectation::Origin;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use super::{Bench, Effect, declines};

const ANSWER: &[u8] =
    b"Amanda 2.6 REP HANDLE 0-0 SEQ 1\nCONNECT DATA 50000 MESG 50001 INDEX 50002\n";
const REFRESHED: Effect = Effect::Refresh(Duration::from_secs(300));

fn answer(text: &[u8]) -> Vec<Effect> {
    let mut bench = Bench::new(
        "amanda",
        "192.0.2.11",
        "198.51.100.80",
        10080,
        &Modules::default(),
    );
    let effects = bench.say(Reply, 0, text);
    assert_eq!(effects[0], REFRESHED);
    effects[1..].to_vec()
}

/// The ports that are expected, up to where the helper stops.
fn ports(text: &[u8]) -> Vec<u16> {
    let port = |effect: &Effect| match effect {
        Effect::Expect(expectation) => Some(expectation.dst_port.value),
        Effect::Decline { .. } => None,
        other => panic!("{other:?}"),
    };
    answer(text).iter().filter_map(port).collect()
}

#[test]
fn whoever_asked_is_expected_at_each_port() {
    let effects = answer(ANSWER);
    assert_eq!(effects.len(), 3);
    for (effect, port) in effects.iter().zip(50000..) {
        let Effect::Expect(expectation) = effect else {
            panic!("{effect:?}")
        };
        let from = expectation.src_addr.as_ref().unwrap();
        assert_eq!(from.value.to_string(), "192.0.2.11/32");
        assert_eq!(expectation.src_port, None);
        assert_eq!(expectation.dst_addr.value.to_string(), "198.51.100.80");
        assert_eq!(expectation.dst_addr.origin, Origin::Conntrack(Original));
        assert_eq!(expectation.dst_port.value, port);
        let Origin::Command { packet: 1, bytes } = &expectation.dst_port.origin else {
            panic!()
        };
        let text = &ANSWER[bytes.start as usize..bytes.end as usize];
        assert_eq!(text, port.to_string().as_bytes());
    }
}

#[test]
fn lines() {
    for (text, expected) in [
        (
            &b"CONNECT DATA 1 MESG 2 INDEX 3 STATE 4\n"[..],
            &[1, 2, 3, 4][..],
        ),
        // In the order of the services, not of the line; the first of each.
        (b"CONNECT STATE 4 MESG 2 DATA 1 DATA 9\n", &[1, 2, 4]),
        (b"CONNECT INDEX 3\n", &[3]),
        // The search is for the text, wherever it stands.
        (b"xCONNECT xDATA 1xMESG 2\n", &[1, 2]),
        (b"CONNECT \0DATA 1\n", &[1]),
        (b"CONNECT DATA 1\nCONNECT MESG 2\n", &[1]),
        (b"CONNECT MESG 2\nDATA 1\n", &[2]),
        (b"DATA 1 CONNECT MESG 2\n", &[2]),
        (b"\nCONNECT CONNECT DATA 1\n", &[1]),
        (b"CONNECT DADATA 1\n", &[1]),
        // Five characters, and 16 bits of what they say.
        (b"CONNECT DATA 123456 MESG 2\n", &[12345, 2]),
        (b"CONNECT DATA 00012 MESG 000123\n", &[12, 12]),
        (b"CONNECT DATA 70000 MESG 65537\n", &[4464, 1]),
        (b"CONNECT DATA 5x MESG 6,\n", &[5, 6]),
        // The first that is no port ends it.
        (b"CONNECT DATA 0 MESG 2\n", &[]),
        (b"CONNECT DATA 65536 MESG 2\n", &[]),
        (b"CONNECT DATA 1 MESG x INDEX 3\n", &[1]),
        (b"CONNECT DATA  1\n", &[]),
        (b"CONNECT DATA -1\n", &[]),
        (b"CONNECT DATA \n1\n", &[]),
        (b"connect DATA 1\n", &[]),
        (b"CONNECT data 1\n", &[]),
        (b"CONNECTDATA 1\n", &[]),
        (b"CONNECT\tDATA 1\n", &[]),
    ] {
        assert_eq!(ports(text), expected, "{}", text.escape_ascii());
    }
}

#[test]
fn a_line_without_its_end_says_nothing() {
    let end = ANSWER.len() - 1;
    for cut in 0..ANSWER.len() {
        let effects = answer(&ANSWER[..cut]);
        let begins = cut >= 40; // "CONNECT " stands at 32 to 39
        match &effects[..] {
            [] => assert!(!begins, "{cut} bytes"),
            [Effect::Decline { bytes, .. }] => assert!(begins && bytes.end == cut && cut <= end),
            other => panic!("{cut} bytes: {other:?}"),
        }
    }
}

#[test]
fn a_number_cut_short_is_another_number() {
    let line = b"CONNECT DATA 50000";
    for (cut, expected) in
        (13..=18).zip([None, Some(5), Some(50), Some(500), Some(5000), Some(50000)])
    {
        let text = [&line[..cut], b"\n"].concat();
        assert_eq!(ports(&text).first().copied(), expected);
    }
}

#[test]
fn any_answer_prolongs_the_connection_and_no_request_does() {
    let mut modules = Modules::default();
    modules
        .set("nf_conntrack_amanda.master_timeout=60")
        .unwrap();
    let mut bench = Bench::new("amanda", "192.0.2.11", "198.51.100.80", 10080, &modules);
    let refreshed = [Effect::Refresh(Duration::from_secs(60))];
    assert_eq!(bench.say(Reply, 0, b""), refreshed);
    assert_eq!(bench.say(Reply, 0, b"ERROR [access denied]\n"), refreshed);
    assert_eq!(bench.say(Original, 0, b"REQ\nSERVICE sendbackup\n"), []);
}

#[test]
fn ports_of_the_one_who_asks() {
    let modules = Modules::default();
    let mut bench = Bench::new("amanda", "192.0.2.11", "198.51.100.80", 10080, &modules);
    let effects = bench.say(Original, 0, ANSWER);
    let line = &b"DATA 50000 MESG 50001 INDEX 50002"[..];
    let reason = "a CONNECT line, said by the one who asks";
    assert_eq!(declines(&effects, ANSWER), [(reason, line)]);
    assert_eq!(bench.say(Original, 0, &ANSWER[..ANSWER.len() - 1]), []);
    assert_eq!(bench.say(Original, 0, b"CONNECT me\n"), []);
}

/// A connection that does not get the second of its expectations.
#[test]
fn what_cannot_be_expected_costs_the_datagram_but_not_the_rest() {
    let mut bench = Bench::new(
        "amanda",
        "192.0.2.11",
        "198.51.100.80",
        10080,
        &Modules::default(),
    );
    bench.master.refuse = Some(50001);
    let effects = bench.say(Reply, 0, ANSWER);
    assert!(
        matches!(
            &effects[..],
            [
                REFRESHED,
                Effect::Expect(_),
                Effect::Expect(last),
                Effect::Drop("cannot add expectation")
            ] if last.dst_port.value == 50002
        ),
        "{effects:?}"
    );
}
