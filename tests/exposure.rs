//! What the report counts, and for whom.

use std::collections::BTreeSet;
use std::time::Duration;

use ctaudit::conntrack::config::Config;
use ctaudit::exposure::{Exposure, Hour, Hours, Outcome, Possible};
use ctaudit::helper::Modules;
use ctaudit::replay::{Clock, Replay};
use ctaudit::room::{HOURS, Room};
use ctaudit::time::Timestamp;

use crate::findings::{end, talk};
use crate::support::{capture, every_helper, files_below, firewall, project, read};
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};
use crate::traffic::packet::{self, End, udp};

fn exposure(bytes: Vec<u8>, config: Config) -> Exposure {
    let mut exposure = Exposure::new(&config);
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        exposure.finish(&step);
    }
    exposure
}

/// Calls that come for a registration, and their media, belong to the registrar's service: they need no rule that
/// attaches a helper to them.
#[test]
fn calls_and_media_belong_to_the_service_that_was_registered_with() {
    let end = |address: &str, port| End {
        address: address.parse().unwrap(),
        port,
    };
    let (phone, registrar) = (end("192.0.2.11", 5060), end("198.51.100.60", 5060));
    let contact = "Contact: <sip:192.0.2.11>;expires=60\r\n\r\n";
    let register = format!("REGISTER sip:x SIP/2.0\r\nCSeq: 1 REGISTER\r\n{contact}");
    let agreed = format!("SIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\n{contact}");
    let invite = "INVITE sip:x SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n\
                  v=0\r\nc=IN IP4 198.51.100.60\r\nm=audio 5000 RTP/AVP 0\r\n";
    let call = |port| udp(End { port, ..registrar }, phone, invite.as_bytes());
    let media = udp(
        End {
            port: 7000,
            ..phone
        },
        End {
            port: 5000,
            ..registrar
        },
        b"\x80",
    );
    let packets = [
        udp(phone, registrar, register.as_bytes()),
        udp(registrar, phone, agreed.as_bytes()),
        call(6000),
        call(6001),
        media,
    ];
    let bytes = at_seconds((1..).zip(packets));
    let exposure = exposure(bytes, firewall("6.18", false));
    let services: Vec<_> = exposure.services.iter().collect();
    let [(service, used)] = &services[..] else {
        panic!("{services:?}")
    };
    assert_eq!((service.server, service.port), (registrar.address, 5060));
    assert!(used.is_needed());
    // One call expected, which came twice, and the media of the first; the second's are expected already.
    assert_eq!((used.controls, used.expected, used.used), (1, 3, 2));
    assert_eq!(used.related_flows(), 3);
    let outcomes: Vec<_> = exposure
        .expectations
        .iter()
        .map(|closed| {
            (
                closed.record.expectation.class,
                closed.outcome,
                closed.open.as_secs(),
            )
        })
        .collect();
    assert!(outcomes.contains(&(1, Outcome::Used, 2)), "{outcomes:?}");
    assert!(outcomes.contains(&(0, Outcome::Used, 3)), "{outcomes:?}");
}

/// What is asked for again before it was used is one hole all the while.
#[test]
fn a_hole_that_is_refreshed_is_one() {
    let (client, server) = (end("192.0.2.11", 40000), end("198.51.100.69", 69));
    let read = udp(client, server, b"\x00\x01a\x00octet\x00");
    let other = udp(end("192.0.2.12", 9), end("192.0.2.13", 9), b"x");
    let requests = [(0, &read), (5, &read), (10, &read), (12, &other)];
    let requests = requests.map(|(second, ip)| (second, ip.clone()));
    let exposure = exposure(at_seconds(requests), firewall("6.18", false));
    let (_, usage) = exposure.services.first_key_value().unwrap();
    assert_eq!((usage.expected, usage.refreshed, usage.used), (1, 2, 0));
    assert_eq!(usage.open, Duration::from_secs(12));
    assert_eq!(usage.open_for_nothing, usage.open);
    let continues: Vec<bool> = exposure
        .expectations
        .iter()
        .map(|closed| closed.continues)
        .collect();
    assert_eq!(continues, [false, true, true]);
    assert_eq!(exposure.expectations[0].visitor, None);
}

/// A passive port is announced a minute before ten, and nobody comes for five minutes (`nf_conntrack_ftp`).
#[test]
fn what_stands_open_is_summed_by_the_hour() {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (Client, b"PASV\r\n"),
        (
            Server,
            b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n",
        ),
    ];
    let packets = talk(end("192.0.2.11", 40000), end("203.0.113.21", 21), &said);
    let ten = 10 * 3600;
    let mut packets: Vec<(u64, Vec<u8>)> = packets.into_iter().map(|ip| (ten - 60, ip)).collect();
    let other = udp(end("192.0.2.12", 9), end("192.0.2.13", 9), b"x");
    packets.push((ten + 3600, other));
    let exposure = exposure(at_seconds(packets), firewall("6.18", false));
    let (_, usage) = exposure.services.first_key_value().unwrap();
    let hours: Vec<(i64, u64, u64)> = usage
        .hours
        .iter()
        .map(|(begin, hour)| {
            (
                begin.nanos() / 1_000_000_000,
                hour.made,
                hour.open.as_secs(),
            )
        })
        .collect();
    assert_eq!(hours, [(9 * 3600, 1, 60), (ten as i64, 0, 240)]);
    assert_eq!(usage.open, Duration::from_secs(300));
}

/// A registration may name 136 years, and a capture may jump as far.
#[test]
fn centuries_cost_no_more_than_a_month() {
    let mut hours = Hours::default();
    let century = Duration::from_secs(100 * 365 * 86_400);
    let begin = Timestamp::from_nanos(0);
    hours.open(begin, begin + century, true, &mut Room::new(HOURS));
    assert_eq!(hours.iter().count(), 31 * 24);
    let listed: Duration = hours.iter().map(|(_, hour)| hour.open).sum();
    assert_eq!(listed, Duration::from_secs(31 * 86_400));
    let beyond = century - listed;
    let beyond = Hour {
        open: beyond,
        to_anybody: beyond,
        ..Hour::default()
    };
    assert_eq!(hours.beyond, beyond);
}

/// The table of "Secure use of iptables and connection tracking helpers": 32 for any address, 16 for any port or one
/// that the payload names. Its addresses "in CMD" must be the speaker's own.
#[test]
fn what_a_forger_could_have_chosen() {
    let table = [
        ("amanda", (0, 16, 0, 16)),
        ("ftp", (0, 16, 0, 16)),
        ("irc", (32, 16, 0, 16)),
        ("netbios-ns", (8, 0, 0, 0)),
        ("pptp", (0, 16, 0, 16)),
        ("sane", (0, 16, 0, 16)),
        ("snmp", (8, 0, 0, 0)),
        ("tftp", (0, 16, 0, 16)),
    ];
    for (helper, (src_addr, src_port, dst_addr, dst_port)) in table {
        let expected = Possible {
            src_addr,
            src_port,
            dst_addr,
            dst_port,
        };
        let captures = files_below(&project("samples/helper").join(helper));
        let captures = captures.iter().filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "pcap")
        });
        let possible: BTreeSet<Possible> = captures
            .flat_map(|path| exposure(read(path), every_helper(Modules::default())).expectations)
            .filter(|closed| closed.record.helper == helper)
            .map(|closed| closed.possible)
            .collect();
        assert_eq!(possible, BTreeSet::from([expected]), "{helper}");
    }
}

/// With `loose=1` the client names the host as well.
#[test]
fn what_a_forger_could_have_chosen_of_a_loose_ftp() {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (Client, b"USER x\r\n"),
        (Client, b"PORT 198,51,100,99,156,64\r\n"),
    ];
    let packets = talk(end("192.0.2.11", 40000), end("203.0.113.21", 21), &said);
    let packets: Vec<(u64, Vec<u8>)> = (0..).zip(packets).collect();
    let mut modules = Modules::default();
    modules.set("nf_conntrack_ftp.loose=1").unwrap();
    let exposure = exposure(at_seconds(packets), every_helper(modules));
    let possible = exposure.expectations[0].possible;
    assert_eq!((possible.dst_addr, possible.dst_port), (32, 16));
}

/// Two connections cannot expect the same (`expect_clash`): the second's reply is dropped, for that and
/// for nothing else.
#[test]
fn a_command_that_conntrack_refuses_is_told_once() {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (Client, b"PASV\r\n"),
        (
            Server,
            b"227 Entering Passive Mode (203,0,113,21,156,64)\r\n",
        ),
    ];
    let session = |port| talk(end("192.0.2.11", port), end("203.0.113.21", 21), &said);
    let packets = [session(40000), session(40001)].concat();
    let exposure = exposure(at_seconds((0..).zip(packets)), firewall("6.18", false));
    let [refusal] = &exposure.refusals[..] else {
        panic!("{:?}", exposure.refusals)
    };
    assert!(refusal.reason.starts_with("clashes with what is expected"));
    // The port, 156,64, behind 40 bytes of the reply.
    assert_eq!((refusal.frame, refusal.bytes.clone()), (12, Some(40..46)));
    assert!(refusal.dropped);
}

/// Ethernet's MTU is 1500 bytes (RFC 894); datagrams of UDP are what they are.
#[test]
fn what_an_offload_may_have_merged_is_counted() {
    let ip = |protocol, length: usize| {
        let (from, to) = (
            "192.0.2.1".parse().unwrap(),
            "198.51.100.2".parse().unwrap(),
        );
        packet::ip(from, to, protocol, vec![0; length - 20])
    };
    let packets = [ip(6, 1500), ip(6, 1501), ip(17, 2000), ip(6, 40_000)];
    let config = firewall("6.18", false);
    let exposure = exposure(at_seconds((0..).zip(packets)), config);
    assert_eq!(exposure.totals.merged, 2);
}
