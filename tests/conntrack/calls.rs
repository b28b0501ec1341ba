//! Registrations: expectations that wait, stay, and hand their helper on.

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::{Closed, Event, Status};

use super::{Bench, End, udp};

const PHONE: End = ("192.0.2.11", 5060);
const REGISTRAR: End = ("198.51.100.60", 5060);

fn register(bench: &mut Bench) {
    let text = b"REGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\r\nContact: <sip:192.0.2.11:5062>;expires=60\r\n\r\n";
    bench.send(&udp(PHONE, REGISTRAR, text));
}

fn agree(bench: &mut Bench) {
    let text =
        b"SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContact: <sip:192.0.2.11:5062>;expires=60\r\n\r\n";
    bench.send(&udp(REGISTRAR, PHONE, text));
}

/// A call from another port of the registrar each time.
fn call(bench: &mut Bench, port: u16) -> State {
    let text = b"INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n\
        v=0\r\nc=IN IP4 198.51.100.60\r\nm=audio 5000 RTP/AVP 0\r\n";
    bench.state(&udp((REGISTRAR.0, port), (PHONE.0, 5062), text))
}

fn closed(events: &[Event]) -> Vec<(Closed, u64)> {
    let why = |event: &Event| match event {
        Event::ExpectationDestroy { why, open, .. } => Some((*why, open.as_secs())),
        _ => None,
    };
    events.iter().filter_map(why).collect()
}

#[test]
fn nobody_calls_before_the_registrar_agrees() {
    let mut bench = Bench::new("6.18", &[]);
    register(&mut bench);
    assert_eq!(call(&mut bench, 6000), State::New);
    agree(&mut bench);
    assert_eq!(call(&mut bench, 6001), State::Related);
    assert_eq!(call(&mut bench, 6002), State::Related);
    // 60 seconds from the registrar's word on, not 180 from the phone's.
    bench.wait_seconds(59);
    assert_eq!(call(&mut bench, 6003), State::Related);
    bench.wait_seconds(1);
    assert_eq!(call(&mut bench, 6004), State::New);
    assert_eq!(closed(&bench.late), [(Closed::TimedOut, 60)]);
}

#[test]
fn what_nobody_agreed_to_was_never_open() {
    let mut bench = Bench::new("6.18", &[]);
    register(&mut bench);
    bench.wait_seconds(180);
    assert_eq!(call(&mut bench, 6000), State::New);
    assert_eq!(closed(&bench.late), [(Closed::TimedOut, 0)]);
}

/// The call's own helper reads it from its first packet on.
#[test]
fn a_call_brings_its_helper_with_it() {
    for (series, marked) in [("6.1", true), ("6.12", true), ("6.18", false)] {
        let mut bench = Bench::new(series, &[]);
        register(&mut bench);
        agree(&mut bench);
        assert_eq!(call(&mut bench, 6000), State::Related);
        let [
            Event::ExpectationNew(rtp),
            Event::ExpectationNew(_),
            Event::ConntrackNew(record),
        ] = &bench.events[..]
        else {
            panic!("{:?}", bench.events)
        };
        assert_eq!(record.helper, Some("sip"));
        assert_eq!(record.status.has(Status::HELPER), marked, "{series}");
        assert_eq!(rtp.master, record.original);
        assert_eq!(
            (rtp.root.tuple.dst, rtp.root.tuple.dport),
            (record.original.src, 5060)
        );
    }
}

/// Kernels without a timer for each expectation take away what is over when they come across it; a late agreement
/// before that brings it back (`refresh_signalling_expectation`).
#[test]
fn what_is_over_may_linger() {
    for (series, late, met) in [("6.18", 1, 0), ("6.12", 0, 1)] {
        let mut bench = Bench::new(series, &[]);
        register(&mut bench);
        bench.wait_seconds(181);
        assert_eq!(call(&mut bench, 6000), State::New);
        assert_eq!(closed(&bench.late).len(), late, "{series}");
        assert_eq!(closed(&bench.events).len(), met, "{series}");
    }
    for (series, state) in [("6.18", State::New), ("6.12", State::Related)] {
        let mut bench = Bench::new(series, &[]);
        register(&mut bench);
        bench.wait_seconds(181);
        agree(&mut bench);
        assert_eq!(call(&mut bench, 6000), state, "{series}");
    }
}
