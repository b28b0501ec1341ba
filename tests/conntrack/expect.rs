//! Expectations: who uses them, who burns them, what ends them.

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::{Closed, Event};

use super::{Bench, End, Segment, segment, tcp, udp};

const CLIENT: End = ("192.0.2.11", 40000);
const SERVER: End = ("198.51.100.21", 21);
const DATA: End = ("198.51.100.21", 50000);

/// An FTP session whose server has just said that it listens on port 50000.
fn after_227(bench: &mut Bench) {
    bench.send(&tcp(CLIENT, SERVER, segment("S", 100, 0)));
    bench.send(&tcp(SERVER, CLIENT, segment("SA", 500, 101)));
    bench.send(&tcp(CLIENT, SERVER, segment("A", 101, 501)));
    bench.send(&tcp(
        SERVER,
        CLIENT,
        Segment {
            payload: b"220 hi\r\n",
            ..segment("PA", 501, 101)
        },
    ));
    bench.send(&tcp(
        CLIENT,
        SERVER,
        Segment {
            payload: b"PASV\r\n",
            ..segment("PA", 101, 509)
        },
    ));
    bench.send(&tcp(SERVER, CLIENT, passive(509)));
    assert!(
        matches!(bench.events[..], [Event::ExpectationNew(_)]),
        "{:?}",
        bench.events
    );
}

fn passive(seq: u32) -> Segment<'static> {
    Segment {
        payload: b"227 (198,51,100,21,195,80)\r\n",
        ..segment("PA", seq, 107)
    }
}

pub fn closed(events: &[Event]) -> Vec<Closed> {
    let why = |event: &Event| match event {
        Event::ExpectationDestroy { why, .. } => Some(*why),
        _ => None,
    };
    events.iter().filter_map(why).collect()
}

#[test]
fn the_first_comer_is_related_and_the_second_is_new() {
    let mut bench = Bench::new("6.18", &[]);
    after_227(&mut bench);
    let verdict = bench.send(&tcp((CLIENT.0, 41000), DATA, segment("S", 1, 0)));
    assert_eq!(
        (verdict.state, verdict.helper),
        (State::Related, Some("ftp"))
    );
    assert_eq!(closed(&bench.events), [Closed::Matched { packet: 7 }]);
    assert_eq!(
        bench.state(&tcp((CLIENT.0, 41001), DATA, segment("S", 1, 0))),
        State::New
    );
    assert_eq!(
        bench.state(&tcp(DATA, (CLIENT.0, 41000), segment("SA", 1, 2))),
        State::Established
    );
}

#[test]
fn an_invalid_packet_burns_it() {
    let mut bench = Bench::new("6.18", &[]);
    after_227(&mut bench);
    assert_eq!(
        bench.state(&tcp((CLIENT.0, 41000), DATA, segment("R", 1, 0))),
        State::Invalid
    );
    assert_eq!(closed(&bench.events), [Closed::Matched { packet: 7 }]);
    assert_eq!(
        bench.state(&tcp((CLIENT.0, 41000), DATA, segment("S", 1, 0))),
        State::New
    );
}

#[test]
fn a_stranger_does_not_match() {
    let mut bench = Bench::new("6.18", &[]);
    after_227(&mut bench);
    assert_eq!(
        bench.state(&tcp(("203.0.113.5", 41000), DATA, segment("S", 1, 0))),
        State::New
    );
    assert_eq!(
        bench.state(&tcp((CLIENT.0, 41000), DATA, segment("S", 1, 0))),
        State::Related
    );
}

#[test]
fn the_same_again_refreshes_and_another_evicts() {
    let mut bench = Bench::new("6.18", &[]);
    after_227(&mut bench);
    bench.send(&tcp(SERVER, CLIENT, passive(537)));
    assert_eq!(closed(&bench.events), [Closed::Refreshed]);
    let other = Segment {
        payload: b"227 (198,51,100,21,195,81)\r\n",
        ..passive(565)
    };
    bench.send(&tcp(SERVER, CLIENT, other));
    assert_eq!(closed(&bench.events), [Closed::Evicted]);
    assert_eq!(
        bench.state(&tcp((CLIENT.0, 41000), DATA, segment("S", 1, 0))),
        State::New
    );
    assert_eq!(
        bench.state(&tcp((CLIENT.0, 41000), (DATA.0, 50001), segment("S", 1, 0))),
        State::Related
    );
}

#[test]
fn it_waits_for_300_seconds() {
    for (seconds, state) in [(299, State::Related), (300, State::New)] {
        let mut bench = Bench::new("6.18", &[]);
        after_227(&mut bench);
        assert_eq!(
            bench
                .wait_seconds(seconds)
                .state(&tcp((CLIENT.0, 41000), DATA, segment("S", 1, 0))),
            state
        );
    }
}

#[test]
fn it_goes_with_its_master() {
    let mut bench = Bench::new("6.18", &[]);
    let (client, server) = (("192.0.2.11", 3000), ("198.51.100.69", 69));
    bench.send(&udp(client, server, &[0, 1, b'f', 0, b'o', 0]));
    assert!(matches!(
        bench.events[..],
        [Event::ExpectationNew(_), Event::ConntrackNew(_)]
    ));
    // The request's conntrack lives for 30 seconds, its expectation could for 300.
    let answer = udp((server.0, 5000), client, &[0, 3, 0, 1]);
    assert_eq!(bench.wait_seconds(31).state(&answer), State::New);
    assert_eq!(closed(&bench.late), [Closed::MasterGone]);
}

#[test]
fn the_table_has_a_limit() {
    let mut bench = Bench::new("6.18", &["net.netfilter.nf_conntrack_expect_max=1"]);
    let request = |port| udp(("192.0.2.11", port), ("198.51.100.69", 69), &[0, 1]);
    assert_eq!(bench.send(&request(3000)).dropped, Some(false));
    assert_eq!(bench.send(&request(3001)).dropped, Some(true));
}

#[test]
fn a_full_table_lets_the_unassured_go() {
    let mut bench = Bench::new("6.18", &["net.netfilter.nf_conntrack_max=2"]);
    for port in 1..=3 {
        assert_eq!(
            bench.state(&udp(("192.0.2.11", port), ("198.51.100.53", 53), b"q")),
            State::New
        );
    }
    let early_drops = bench
        .events
        .iter()
        .filter(|event| matches!(event, Event::ConntrackDestroy(..)))
        .count();
    assert_eq!(early_drops, 1);
}

/// `__nf_conntrack_alloc`: the test for 0 went between 6.18 and 7.1.
#[test]
fn no_limit_became_no_room() {
    let question = udp(("192.0.2.11", 3000), ("198.51.100.53", 53), b"q");
    for (series, dropped) in [("6.18", false), ("7.1", true)] {
        let mut bench = Bench::new(series, &["net.netfilter.nf_conntrack_max=0"]);
        assert_eq!(bench.send(&question).dropped, Some(dropped), "{series}");
    }
}
