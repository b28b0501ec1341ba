//! GRE: flows of a PPTP call, and others.

use ctaudit::conntrack::event::{Closed, Ended, Event};
use ctaudit::conntrack::{State, Verdict};
use ctaudit::tuple::Protocol;

use super::expect::closed;
use super::{Bench, End, Segment, segment, tcp};
use crate::traffic::packet::{GRE, ip};
use crate::traffic::pptp::message;

const CLIENT: End = ("192.0.2.11", 40000);
const SERVER: End = ("198.51.100.17", 1723);
/// The call's number at either end: what packets to that end carry.
const PNS: u16 = 7;
const PAC: u16 = 9;

/// A control connection, and the sequence number of each end's next byte.
struct Control {
    bench: Bench,
    next: [u32; 2],
}

impl Control {
    fn new(series: &str) -> Self {
        let mut bench = Bench::new(series, &[]);
        bench.send(&tcp(CLIENT, SERVER, segment("S", 100, 0)));
        bench.send(&tcp(SERVER, CLIENT, segment("SA", 500, 101)));
        bench.send(&tcp(CLIENT, SERVER, segment("A", 101, 501)));
        let next = [101, 501];
        let mut control = Self { bench, next };
        control.ask(&message(1, &[1 << 8]));
        control.answer(&message(2, &[1 << 8, 1 << 8]));
        control
    }

    /// A session with a call.
    fn with_call(series: &str) -> Self {
        let mut control = Self::new(series);
        control.call(PNS, PAC);
        let made = |event: &Event| matches!(event, Event::ExpectationNew(_));
        assert_eq!(control.bench.events.iter().filter(|e| made(e)).count(), 2);
        control
    }

    fn call(&mut self, pns: u16, pac: u16) {
        self.ask(&message(7, &[pns]));
        self.answer(&message(8, &[pac, pns, 1 << 8]));
    }

    fn ask(&mut self, payload: &[u8]) {
        let [seq, ack] = self.next;
        let segment = Segment {
            payload,
            ..segment("PA", seq, ack)
        };
        self.bench.send(&tcp(CLIENT, SERVER, segment));
        self.next[0] += payload.len() as u32;
    }

    fn answer(&mut self, payload: &[u8]) {
        let [ack, seq] = self.next;
        let segment = Segment {
            payload,
            ..segment("PA", seq, ack)
        };
        self.bench.send(&tcp(SERVER, CLIENT, segment));
        self.next[1] += payload.len() as u32;
    }

    /// A packet of the call, on its way to that end.
    fn at_server(&mut self) -> Verdict {
        self.bench.send(&gre(CLIENT, SERVER, PAC))
    }

    fn at_client(&mut self) -> Verdict {
        self.bench.send(&gre(SERVER, CLIENT, PNS))
    }

    /// Why GRE flows ended with the last packet.
    fn ended(&self) -> Vec<Ended> {
        let why = |event: &Event| match event {
            Event::ConntrackDestroy(record, why) if record.original.protocol == Protocol::GRE => {
                Some(*why)
            }
            _ => None,
        };
        self.bench.events.iter().filter_map(why).collect()
    }
}

/// Version 1 with PPP in it (RFC 2637, 4.1).
fn gre((from, _): End, (to, _): End, call: u16) -> Vec<u8> {
    let words = [0x3001, 0x880b, 0, call, 0, 1];
    let packet = words.into_iter().flat_map(u16::to_be_bytes).collect();
    ip(from.parse().unwrap(), to.parse().unwrap(), GRE, packet)
}

#[test]
fn both_directions_of_a_call_are_one_flow() {
    let mut control = Control::with_call("6.18");
    let verdict = control.at_server();
    assert_eq!(
        (verdict.state, verdict.helper),
        (State::Related, Some("pptp"))
    );
    // Packets 1 to 7 are the control connection's.
    let (matched, other) = (Closed::Matched { packet: 8 }, Closed::Withdrawn);
    assert_eq!(closed(&control.bench.events), [matched, other]);
    assert_eq!(control.at_client().state, State::Established);
    assert_eq!(control.at_server().state, State::Established);
}

#[test]
fn the_server_may_begin() {
    let mut control = Control::with_call("6.18");
    assert_eq!(control.at_client().state, State::Related);
    assert_eq!(control.at_server().state, State::Established);
}

#[test]
fn without_a_call_each_direction_is_a_flow_of_its_own() {
    let mut control = Control::new("6.18");
    assert_eq!(control.at_server().state, State::New);
    assert_eq!(control.at_client().state, State::New);
    assert_eq!(control.at_server().state, State::New);
}

/// Plain GRE has no numbers: it is one flow between two hosts.
#[test]
fn other_versions_have_no_keys() {
    let plain = |(from, _): End, (to, _): End| {
        let packet = vec![0, 0, 8, 0, 0x45];
        ip(from.parse().unwrap(), to.parse().unwrap(), GRE, packet)
    };
    let mut bench = Bench::new("6.18", &[]);
    assert_eq!(bench.state(&plain(CLIENT, SERVER)), State::New);
    assert_eq!(bench.state(&plain(SERVER, CLIENT)), State::Established);
    let mut foreign = gre(CLIENT, SERVER, PAC);
    foreign[22..24].copy_from_slice(&[8, 0]);
    assert_eq!(bench.state(&foreign), State::Invalid);
}

#[test]
fn the_end_of_a_call_ends_its_flow() {
    let mut control = Control::with_call("6.18");
    control.at_server();
    control.answer(&message(13, &[PAC, 1 << 8]));
    assert_eq!(control.ended(), [Ended::Killed]);
    assert_eq!(control.at_server().state, State::New);
    assert_eq!(control.at_client().state, State::New);
}

#[test]
fn the_end_of_the_control_connection_does_so_as_well() {
    let mut control = Control::with_call("6.18");
    control.at_server();
    let [seq, ack] = control.next;
    let bench = &mut control.bench;
    bench.send(&tcp(CLIENT, SERVER, segment("RA", seq, ack)));
    // The same two ports again: a new connection takes the old one's place.
    bench.send(&tcp(CLIENT, SERVER, segment("S", 100_000, 0)));
    assert_eq!(control.ended(), [Ended::Killed]);
}

#[test]
fn a_flow_takes_the_keys_of_its_call_with_it() {
    let mut control = Control::with_call("6.18");
    control.at_server();
    control.bench.wait_seconds(30);
    assert_eq!(control.at_client().state, State::New);
    assert_eq!(control.at_server().state, State::New);
    // And so there is room for another call.
    control.call(PNS, PAC);
    assert_eq!(control.at_client().state, State::Related);
}

#[test]
fn there_is_no_second_call_beside_the_first() {
    let mut control = Control::with_call("6.18");
    control.call(PNS + 1, PAC + 1);
    let (evicted, withdrawn) = (Closed::Evicted, Closed::Withdrawn);
    assert_eq!(
        closed(&control.bench.events),
        [evicted, evicted, withdrawn, withdrawn]
    );
    let declined = |event: &Event| matches!(event, Event::Declined { .. });
    assert!(control.bench.events.iter().any(declined));
    assert_eq!(control.at_server().state, State::New);
}

/// `NF_CT_EXPECT_DEAD`: in the table, and yet no packet fits it.
#[test]
fn what_is_taken_back_may_stay_without_effect() {
    for (series, at_once) in [("6.12", 0), ("6.18", 1)] {
        let mut control = Control::new(series);
        // Without a key map, too, packets from the server have the key 0.
        control.call(PNS, 0);
        control.bench.send(&gre(CLIENT, SERVER, 0));
        let matched = [Closed::Matched { packet: 8 }, Closed::Withdrawn];
        assert_eq!(closed(&control.bench.events), matched[..=at_once]);
        control.answer(&message(13, &[0, 1 << 8]));
        assert_eq!(control.ended(), [Ended::Killed]);
        assert_eq!(control.at_client().state, State::New);
        let met = [Closed::Withdrawn];
        assert_eq!(closed(&control.bench.events), met[at_once..]);
    }
}
