//! What conntrack does not take of what a helper wants to expect, and what it says then.

use std::ops::Range;

use ctaudit::conntrack::Tracker;
use ctaudit::conntrack::config::Assignment;
use ctaudit::conntrack::event::Event;

use super::{Bench, End, Segment, segment, tcp, udp};
use crate::support::firewall;

const CLIENT: End = ("192.0.2.11", 40000);
const SERVER: End = ("198.51.100.21", 21);
const PASSIVE: &[u8] = b"227 (198,51,100,21,195,80)\r\n";

fn declined(bench: &Bench) -> Vec<(&'static str, Range<usize>)> {
    let declined = |event: &Event| match event {
        Event::Declined { reason, bytes, .. } => Some((*reason, bytes.clone())),
        _ => None,
    };
    bench.events.iter().filter_map(declined).collect()
}

/// The server of an FTP session with this client port names port 50000, so many times. Whether the last was dropped.
fn passive(bench: &mut Bench, port: u16, times: u32) -> Option<bool> {
    let client = (CLIENT.0, port);
    bench.send(&tcp(client, SERVER, segment("S", 100, 0)));
    bench.send(&tcp(SERVER, client, segment("SA", 500, 101)));
    bench.send(&tcp(client, SERVER, segment("A", 101, 501)));
    let mut say = |seq, payload| {
        let segment = Segment {
            payload,
            ..segment("PA", seq, 101)
        };
        bench.send(&tcp(SERVER, client, segment)).dropped
    };
    say(501, b"220 hi\r\n");
    let said = (0..times).map(|time| say(509 + time * PASSIVE.len() as u32, PASSIVE));
    said.last().flatten()
}

#[test]
fn what_another_connection_expects() {
    let mut bench = Bench::new("6.18", &[]);
    assert_eq!(passive(&mut bench, 40000, 1), Some(false));
    assert_eq!(declined(&bench), []);
    assert_eq!(passive(&mut bench, 40001, 1), Some(true));
    let clash = "clashes with what is expected already, by another connection or this one";
    assert_eq!(declined(&bench), [(clash, 19..25)]);
    assert_eq!(&PASSIVE[19..25], b"195,80");
}

/// The new one takes the old one's place.
#[test]
fn what_the_connection_itself_expects_is_no_obstacle() {
    let mut bench = Bench::new("6.18", &[]);
    assert_eq!(passive(&mut bench, 40000, 2), Some(false));
    assert_eq!(declined(&bench), []);
}

/// No byte of a TFTP request names a port.
#[test]
fn a_full_table() {
    let mut bench = Bench::new("6.18", &["net.netfilter.nf_conntrack_expect_max=1"]);
    let request = |port| udp(("192.0.2.11", port), ("198.51.100.69", 69), &[0, 1]);
    bench.send(&request(3000));
    assert_eq!(declined(&bench), []);
    bench.send(&request(3001));
    let full = "the table of expectations is full (nf_conntrack_expect_max)";
    assert_eq!(declined(&bench), [(full, 0..0)]);
}

/// Sound and picture at the same ports: the picture's RTP and RTCP are there already, in the class of the sound.
#[test]
fn the_same_in_another_class() {
    let text = b"INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\nv=0\r\nc=IN IP4 192.0.2.11\r\n\
        m=audio 5000 RTP/AVP 0\r\nm=video 5000 RTP/AVP 31\r\n";
    let mut bench = Bench::new("6.18", &[]);
    let (phone, server) = (("192.0.2.11", 5060), ("198.51.100.60", 5060));
    let verdict = bench.send(&udp(phone, server, text));
    assert_eq!(verdict.dropped, Some(false));
    let same = "the same is expected already, in another class or by another connection";
    let at = text.windows(5).position(|five| five == b"video").unwrap() + b"video ".len();
    assert_eq!(declined(&bench), [(same, at..at + 4), (same, at..at + 4)]);
}

/// conntrackd's helper for SSDP has to be there for TCP, too, which its descriptions are fetched by.
#[test]
fn a_helper_that_is_not_registered_for_the_expected_flow() {
    let answer = b"HTTP/1.1 200 OK\r\nLOCATION: http://198.51.100.7:4040/\r\n\r\n";
    for tcp_too in [false, true] {
        let mut config = firewall("6.12", false);
        let userspace = Assignment::userspace(&config.modules);
        config.assignments.extend(userspace);
        if tcp_too {
            let ssdp = Assignment::parse("tcp 1900 ssdp", &config.modules).unwrap();
            config.assignments.push(ssdp);
        }
        let mut bench = Bench::of(Tracker::new(config));
        let (asker, group) = (("192.0.2.11", 40000), ("239.255.255.250", 1900));
        bench.send(&udp(asker, group, b"M-SEARCH * HTTP/1.1\r\n\r\n"));
        bench.send(&udp(("198.51.100.7", 1900), asker, answer));
        let reason = "the helper is not registered for the protocol of the expected flow";
        let at = answer.windows(5).position(|five| five == b":4040").unwrap() + 1;
        let expected = [(reason, at..at + 4)];
        assert_eq!(declined(&bench), expected[usize::from(tcp_too)..]);
    }
}
