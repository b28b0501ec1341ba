//! What differs from the kernel's helper (conntrack-tools 1.4.7, src/helpers/sane.c).

use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{Original, Reply};

use crate::helper::{Bench, declines, expected};

const START: &[u8] = b"\0\0\0\x07\0\0\0\0";
/// Status 0, port 50000 (0xc350).
const ANSWER: &[u8] = b"\0\0\0\0\0\0\xc3\x50\0\0\x12\x34\0\0\0\0";

fn bench() -> Bench {
    let (client, server) = ("192.0.2.11", "198.51.100.65");
    Bench::new("conntrackd:sane", client, server, 6566, &Modules::default())
}

#[test]
fn an_answer_that_cannot_be_expected_passes() {
    let mut bench = bench();
    bench.say(Original, 0, START);
    let effects = bench.say(Reply, 0, ANSWER);
    assert_eq!(
        expected(&effects),
        Some(("198.51.100.65".parse().unwrap(), 50000))
    );
    bench.say(Original, 0, START);
    bench.master.refuse = Some(50000);
    assert_eq!(bench.say(Reply, 0, ANSWER), []);
}

#[test]
fn an_answer_is_cut_anywhere_without_harm() {
    for length in 0..ANSWER.len() {
        let mut bench = bench();
        bench.say(Original, 0, START);
        let effects = bench.say(Reply, 0, &ANSWER[..length]);
        assert_eq!(expected(&effects).is_some(), length >= 8, "{length}");
    }
}

#[test]
fn requests_and_answers_that_are_not_read() {
    let unasked = "answers a NET_START that was not read";
    let effects = bench().say(Reply, 0, ANSWER);
    assert_eq!(declines(&effects, ANSWER), [(unasked, ANSWER)]);
    let alone = "NET_START not in a segment of its own";
    let effects = bench().say(Original, 0, &START[..5]);
    assert_eq!(declines(&effects, START), [(alone, &START[..5])]);
    assert_eq!(bench().say(Original, 0, &START[..3]), []);
}
