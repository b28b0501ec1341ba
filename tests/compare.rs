//! What two kernels make of the same packets.

use std::net::IpAddr;

use ctaudit::compare::{Aspect, Comparison, Deviation};
use ctaudit::replay::{Clock, Replay};

use crate::support::{capture, firewall, project, read, samples};
use crate::traffic::at_seconds;
use crate::traffic::packet::{End, ICMPV6, ip, udp};

fn compared(bytes: Vec<u8>, here: &str, there: &str) -> Vec<Deviation> {
    let mut replay = Replay::new(capture(bytes), firewall(here, false), Clock::Capture);
    let mut comparison = Comparison::new(firewall(there, false));
    let mut frames = 0;
    while let Ok(Some(passage)) = replay.advance() {
        frames = passage.number;
        comparison.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        comparison.observe_end(frames, &step);
    }
    comparison.finish(frames);
    let counted: u64 = comparison.counts.values().sum();
    assert_eq!(counted, comparison.deviations.len() as u64);
    comparison.deviations
}

#[test]
fn a_kernel_agrees_with_itself() {
    for path in samples() {
        assert_eq!(compared(read(&path), "6.18", "6.18"), []);
    }
}

/// Multicast router discovery (RFC 4286) left UNTRACKED is newer than 6.1.
#[test]
fn a_verdict_that_differs_is_told_with_its_frame() {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    let [host, group] = ["2001:db8::1", "ff02::6a"].map(address);
    let from = End {
        address: host,
        port: 1000,
    };
    let to = End {
        address: address("2001:db8::2"),
        port: 53,
    };
    let advertisement = ip(host, group, ICMPV6, vec![151, 0, 0, 0, 0, 0, 0, 0]);
    let bytes = at_seconds(vec![(1, udp(from, to, b"question")), (2, advertisement)]);
    assert_eq!(
        compared(bytes, "6.1", "6.12"),
        [Deviation {
            frame: 2,
            aspect: Aspect::State,
            here: "invalid".to_owned(),
            there: "untracked".to_owned(),
        }]
    );
}

/// Commands with numbers too large are what 7.2 drops and kernels before it took: each shows as an expectation and as
/// a packet.
#[test]
fn what_one_kernel_alone_expects_is_told_once() {
    let bytes = read(&project("tests/recorded/ftp-1.pcap.gz"));
    let deviations = compared(bytes, "7.1", "7.2");
    let of = |aspect| {
        deviations
            .iter()
            .filter(move |found| found.aspect == aspect)
    };
    let first = of(Aspect::Expected).next().expect("some wrap in this run");
    assert_eq!(first.there, "-");
    let drop = of(Aspect::Dropped).find(|found| found.frame == first.frame);
    let drop = drop.expect("what is not expected is dropped");
    assert_eq!(drop.here, "no");
    assert!(drop.there.starts_with("yes: partial matching"));
}

/// Linux 7.1 has no tracker for UDP-Lite any more: what has no ports to conntrack is one flow between two hosts.
#[test]
fn udp_lite_loses_its_ports() {
    const UDPLITE: u8 = 136;
    let [a, b] = ["192.0.2.1", "198.51.100.2"].map(|address| address.parse::<IpAddr>().unwrap());
    // Source and destination port, coverage, checksum.
    let segment = |sport: u16, dport: u16| [sport, dport, 8, 1].map(u16::to_be_bytes).concat();
    let bytes = at_seconds(vec![
        (1, ip(a, b, UDPLITE, segment(1000, 2000))),
        (2, ip(b, a, UDPLITE, segment(3000, 4000))),
    ]);
    let deviations = compared(bytes, "6.18", "7.1");
    let states: Vec<(u64, &str, &str)> = deviations
        .iter()
        .filter(|found| found.aspect == Aspect::State)
        .map(|found| (found.frame, found.here.as_str(), found.there.as_str()))
        .collect();
    assert_eq!(states, [(2, "new", "established")]);
}

/// A registrar that agrees when the 180 seconds are over: with a timer the expectation is gone, without one it is still
/// there and is brought back (`refresh_signalling_expectation`; so said a 6.12.117).
#[test]
fn an_expectation_that_ends_otherwise_is_told_when_it_has_ended_in_both() {
    let end = |address: &str| End {
        address: address.parse().unwrap(),
        port: 5060,
    };
    let (phone, registrar) = (end("192.0.2.11"), end("198.51.100.60"));
    let contact = "Contact: <sip:192.0.2.11:5062>;expires=60\r\n\r\n";
    let register = format!("REGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\r\n{contact}");
    let agreed = format!("SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n{contact}");
    let bytes = at_seconds(vec![
        (1, udp(phone, registrar, register.as_bytes())),
        (183, udp(registrar, phone, agreed.as_bytes())),
    ]);
    let deviations = compared(bytes, "6.18", "6.12");
    let [outcome] = &deviations[..] else {
        panic!("{deviations:?}")
    };
    assert_eq!((outcome.frame, outcome.aspect), (2, Aspect::Outcome));
    let expected = "udp 198.51.100.60 to 192.0.2.11:5062";
    assert_eq!(outcome.here, format!("{expected}: timed out"));
    assert_eq!(outcome.there, format!("{expected}: still open"));
}
