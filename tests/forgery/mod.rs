//! Forged variants of the samples' control traffic.

mod kernel;
mod rules;

use std::collections::BTreeSet;

use ctaudit::conntrack::config::Config;
use ctaudit::conntrack::event::Event;
use ctaudit::firewall::Firewall;
use ctaudit::forgery::{Forger, Kind, Variant, passes};
use ctaudit::helper::Modules;
use ctaudit::replay::{Arrival, Clock, Replay};

use crate::findings::{end, open, packets};
use crate::support::{capture, every_helper, project, read, samples};
use crate::traffic::flow::Side;
use crate::traffic::packet::{GRE, TCP, UDP};
use crate::traffic::{Protocol, at_seconds, generate, pcap};

fn variants(bytes: Vec<u8>, config: &Config) -> Vec<Variant> {
    let mut forger = Forger::new(config);
    let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
    while let Ok(Some(passage)) = replay.advance() {
        match &passage.arrival {
            Arrival::Packet(packet, step) => forger.observe(passage.clock, Some(packet), step),
            Arrival::Unseen(_, step) => forger.observe(passage.clock, None, step),
            Arrival::Other(_) | Arrival::Duplicate => {}
        }
    }
    forger.variants()
}

fn modules(parameters: &[&str]) -> Modules {
    let mut modules = Modules::default();
    for parameter in parameters {
        modules.set(parameter).unwrap();
    }
    modules
}

#[test]
fn every_helper_whose_holes_are_used_has_them_made_again() {
    let config = every_helper(Modules::default());
    let mut helpers = BTreeSet::new();
    for sample in samples() {
        let used = used(read(&sample), &config);
        let variants = variants(read(&sample), &config);
        let genuine = variants
            .iter()
            .filter(|variant| variant.kind == Kind::Genuine);
        let made: BTreeSet<&str> = genuine
            .inspect(|variant| assert!(passes(variant, Firewall::new(config.clone()))))
            .map(|variant| variant.helper)
            .collect();
        assert!(
            made.is_superset(&used),
            "{}: {used:?}, {made:?}",
            sample.display()
        );
        helpers.extend(made);
    }
    assert!(helpers.len() >= 14, "{helpers:?}");
}

/// The helpers by whose expectations flows came.
fn used(bytes: Vec<u8>, config: &Config) -> BTreeSet<&'static str> {
    let mut used = BTreeSet::new();
    let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
    while let Ok(Some(passage)) = replay.advance() {
        let Arrival::Packet(_, step) = passage.arrival else {
            continue;
        };
        used.extend(step.events.iter().filter_map(|event| match event {
            Event::ConntrackNew(record) => record.master_helper,
            _ => None,
        }));
    }
    used
}

/// What helpers check and what not: net/netfilter/nf_conntrack_*.c.
#[test]
fn a_forgery_gets_as_far_as_the_helper_lets_it() {
    let cases: &[(&str, &[&str], Kind, &[bool])] = &[
        ("ftp/active.pcap", &[], Kind::ServicePort, &[true]),
        ("ftp/active.pcap", &[], Kind::OtherHost, &[false]),
        (
            "ftp/active.pcap",
            &["nf_conntrack_ftp.loose=1"],
            Kind::OtherHost,
            &[true],
        ),
        (
            "ftp/eprt-ipv6.pcap",
            &["nf_conntrack_ftp.loose=1"],
            Kind::ThirdParty,
            &[true],
        ),
        ("ftp/passive.pcap", &[], Kind::OtherVisitor, &[false]),
        ("ftp/passive.pcap", &[], Kind::ForeignServer, &[true]),
        ("ftp/epsv-ipv4.pcap", &[], Kind::OtherHost, &[]),
        ("irc/dcc-send.pcap", &[], Kind::OtherHost, &[false]),
        ("irc/dcc-send.pcap", &[], Kind::OtherVisitor, &[true]),
        ("irc/dcc-send.pcap", &[], Kind::ServicePort, &[true]),
        ("tftp/read.pcap", &[], Kind::ServicePort, &[true]),
        ("tftp/read.pcap", &[], Kind::ThirdParty, &[]),
        ("amanda/multiplexed.pcap", &[], Kind::ServicePort, &[true]),
        ("pptp/session.pcap", &[], Kind::ServicePort, &[]),
        (
            "pptp/session.pcap",
            &[],
            Kind::OtherVisitor,
            &[false, false],
        ),
        // process_sdp: no port below 1024.
        ("sip/call.pcap", &[], Kind::ServicePort, &[false, false]),
        ("sip/call.pcap", &[], Kind::OtherPort, &[true, true]),
        (
            "sip/call.pcap",
            &["nf_conntrack_sip.sip_direct_media=0"],
            Kind::ThirdParty,
            &[true, true],
        ),
        // The registration, then a call over it.
        ("sip/registered.pcap", &[], Kind::OtherPort, &[true, true]),
        (
            "sip/video-tcp-ipv6.pcap",
            &[],
            Kind::ForeignServer,
            &[true; 4],
        ),
        // Whatever a gatekeeper names but the endpoint's own: GCF, RRQ, ACF; then calls.
        (
            "h323/gatekeeper.pcap",
            &[],
            Kind::ThirdParty,
            &[true, false, true, false, false, false, false, false],
        ),
        ("tns/redirect.pcap", &[], Kind::ThirdParty, &[true]),
        // LOCATION, then CALLBACK.
        ("ssdp/events.pcap", &[], Kind::ThirdParty, &[true, false]),
        ("netbios-ns/group.pcap", &[], Kind::ForeignServer, &[]),
    ];
    for (sample, parameters, kind, expected) in cases {
        let config = every_helper(modules(parameters));
        let sample = project("samples/helper").join(sample);
        let variants = variants(read(&sample), &config);
        let got: Vec<bool> = variants
            .iter()
            .filter(|variant| variant.kind == *kind)
            .map(|variant| passes(variant, Firewall::new(config.clone())))
            .collect();
        assert_eq!(
            got,
            *expected,
            "{} {kind:?} {parameters:?}",
            sample.display()
        );
    }
}

#[test]
fn forged_datagrams_are_well_formed() {
    let mut checked = 0;
    let config = every_helper(Modules::default());
    for sample in samples() {
        for variant in variants(read(&sample), &config) {
            for datagram in &variant.datagrams {
                check(&datagram.bytes);
                checked += 1;
            }
            let times: Vec<_> = variant
                .datagrams
                .iter()
                .map(|datagram| datagram.at)
                .collect();
            assert!(times.is_sorted());
        }
    }
    assert!(checked > 5000, "only {checked} datagrams");
}

#[test]
fn random_traffic_makes_well_formed_variants_and_not_too_many() {
    let mut made = 0;
    for protocol in Protocol::ALL.into_iter().chain(Protocol::OF_CONNTRACKD) {
        let bytes = pcap(&generate(protocol, 7, 3000)).unwrap();
        let variants = variants(bytes, &every_helper(Modules::default()));
        assert!(variants.len() <= 64 * Kind::ALL.len());
        for datagram in variants.iter().flat_map(|variant| &variant.datagrams) {
            check(&datagram.bytes);
        }
        made += variants.len();
    }
    assert!(made > 1000, "only {made} variants");
}

/// Of a long dialogue its beginning and its end are enough, and a packet that was not captured whole is not missed.
#[test]
fn what_was_said_long_before_is_left_out() {
    // Handshake and probe; of the first as much as is kept, of the second what came behind the packet that was cut.
    for (capture, length) in long_dialogues().into_iter().zip([64 + 1, 3 + 14 + 1]) {
        let config = every_helper(Modules::default());
        let variants = variants(capture, &config);
        assert_eq!(variants.len(), Kind::ALL.len());
        let through: Vec<Kind> = variants
            .iter()
            .inspect(|variant| assert_eq!(variant.datagrams.len(), length))
            .filter(|variant| passes(variant, Firewall::new(config.clone())))
            .map(|variant| variant.kind)
            .collect();
        let refused = [Kind::OtherHost, Kind::ThirdParty];
        let others = Kind::ALL.into_iter().filter(|kind| !refused.contains(kind));
        assert_eq!(through, others.collect::<Vec<_>>());
    }
}

/// An offer after much talk, and the same with a packet of which the capture does not hold all.
fn long_dialogues() -> [Vec<u8>; 2] {
    let mut chat = open(end("192.0.2.11", 50000), end("198.51.100.66", 6667));
    for _ in 0..200 {
        chat.say(Side::Client, b"PRIVMSG bob :how are you?\r\n");
        chat.say(Side::Server, b":bob!b@far77 PRIVMSG alice :fine\r\n");
    }
    let offer = b"PRIVMSG bob :\x01DCC SEND report.txt 3221225995 35921 1024\x01\r\n";
    chat.say(Side::Client, offer);
    let whole = at_seconds((1..).zip(packets(chat)));
    let cut = cut(&whole, 389);
    [whole, cut]
}

/// A capture that holds only 50 bytes of one of its packets, counted from 0.
fn cut(capture: &[u8], packet: usize) -> Vec<u8> {
    let length = |at: usize| u32::from_le_bytes(*capture[at + 8..].first_chunk().unwrap()) as usize;
    let next = |at: &usize| Some(at + 16 + length(*at));
    let start = std::iter::successors(Some(24), next).nth(packet).unwrap();
    let kept = start + 16 + 50;
    let mut cut = [&capture[..kept], &capture[next(&start).unwrap()..]].concat();
    cut[start + 8..start + 12].copy_from_slice(&50_u32.to_le_bytes());
    cut
}

/// Lengths and checksums, by arithmetic of the test's own.
fn check(datagram: &[u8]) {
    let number = |at: usize| usize::from(u16::from_be_bytes([datagram[at], datagram[at + 1]]));
    let (header, ends, protocol) = match datagram[0] >> 4 {
        4 => {
            let header = usize::from(datagram[0] & 0x0f) * 4;
            assert_eq!(number(2), datagram.len());
            assert_eq!(sum(&datagram[..header]), 0xffff);
            (header, 12..20, datagram[9])
        }
        6 => {
            assert_eq!(number(4), datagram.len() - 40);
            let (mut next, mut at) = (datagram[6], 40);
            while ![TCP, UDP, GRE].contains(&next) {
                let length = usize::from(datagram[at + 1]);
                let units = if next == AUTHENTICATION {
                    (length + 2) * 4
                } else {
                    (length + 1) * 8
                };
                (next, at) = (datagram[at], at + if next == FRAGMENT { 8 } else { units });
            }
            (at, 8..40, next)
        }
        version => panic!("version {version}"),
    };
    if protocol == GRE {
        return;
    }
    let segment = &datagram[header..];
    if protocol == UDP {
        assert_eq!(number(header + 4), segment.len());
    } else {
        assert_eq!(protocol, TCP);
    }
    let length = (segment.len() as u32).to_be_bytes();
    let whole = [&datagram[ends], &length, &[0, protocol], segment].concat();
    assert_eq!(sum(&whole), 0xffff);
}

/// IPv6 extension headers.
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;

/// The sum of 16-bit words in one's complement (RFC 1071): all ones over what holds its own checksum.
fn sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2);
    let mut sum: u32 = words
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}
