//! What finds no room is counted, and what has it stays whole.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use assert_cmd::Command;
use ctaudit::conntrack::config::Config;
use ctaudit::discovery::Discovery;
use ctaudit::exposure::{Exposure, Hours, Outcome};
use ctaudit::findings::{self, Evidence, Finding, Found, Watch};
use ctaudit::proposal::{Proposal, Wishes};
use ctaudit::replay::{Clock, Passage, Replay};
use ctaudit::report::rules;
use ctaudit::room::{DISCOVERED, FOUND_AT, Room, SERVICES};
use ctaudit::service::Service;
use ctaudit::time::Timestamp;
use ctaudit::tuple::Protocol;

use crate::findings::{end, open, packets};
use crate::support::{capture, firewall};
use crate::traffic::at_seconds;
use crate::traffic::flow::{ACK, RST, Side};
use crate::traffic::packet::udp;

#[test]
fn the_first_keep_their_room() {
    let (mut room, mut table) = (Room::new(2), BTreeMap::<u8, u8>::new());
    for key in [7, 8, 9, 7, 9, 1] {
        if let Some(times) = room.entry(&mut table, key) {
            *times += 1;
        }
    }
    assert_eq!(table, BTreeMap::from([(7, 2), (8, 1)]));
    assert_eq!((room.omitted, room.is_full()), (3, true));
}

fn replayed(
    bytes: Vec<u8>,
    config: Config,
    mut exposure: Exposure,
) -> (Exposure, Watch, Discovery) {
    let mut watch = Watch::new(&config);
    let mut discovery = Discovery::default();
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
        watch.observe(&passage);
        discovery.observe(&passage);
    }
    while let Some(step) = replay.finish() {
        exposure.finish(&step);
    }
    watch.finish();
    (exposure, watch, discovery)
}

fn address(number: u32) -> String {
    Ipv4Addr::from_bits(0x0a00_0000 + number).to_string()
}

/// A client reads a file of a server, and gets its first block at this port.
fn transfer(client: u32, server: u32, port: u16) -> [Vec<u8>; 2] {
    let reader = end(&address(client), port);
    [
        udp(reader, end(&address(server), 69), b"\0\x01f\0octet\0"),
        udp(end(&address(server), 30_000), reader, &[0, 3, 0, 1, 0]),
    ]
}

fn asked(server: u32) -> Vec<u8> {
    udp(end("192.0.2.1", 4), end(&address(server), 69), b"?")
}

fn in_seconds(packets: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    at_seconds((1..).zip(packets))
}

/// There is room for two services. Of three more the control connections are counted, and one of these, for which a flow
/// comes, is listed all the same, and has its rules.
#[test]
fn a_needed_service_is_listed_when_there_is_no_room() {
    let config = firewall("6.18", false);
    let mut exposure = Exposure::new(&config);
    exposure.rooms.services = Room::new(2);
    let packets = (1..=4).map(asked).chain(transfer(9, 5, 2000));
    let (exposure, ..) = replayed(in_seconds(packets), config.clone(), exposure);
    let of = |exposure: &Exposure| -> Vec<(String, u64, u64, u64, bool)> {
        let services = exposure.services.iter();
        services
            .map(|(of, usage)| {
                let sums = (usage.controls, usage.expected, usage.used);
                (
                    of.server.to_string(),
                    sums.0,
                    sums.1,
                    sums.2,
                    usage.is_needed(),
                )
            })
            .collect()
    };
    let listed = [
        (address(1), 1, 0, 0, false),
        (address(2), 1, 0, 0, false),
        (address(5), 0, 1, 1, true),
    ];
    assert_eq!(of(&exposure), listed);
    assert_eq!(exposure.rooms.services.omitted, 3);
    let proposal = Proposal::of(&exposure, &config.modules, &[], Wishes::default());
    assert!(proposal.attached().eq(["tftp"]));
    assert_eq!(proposal.flows_omitted, 0);
    // Rows are told of all of them.
    assert_eq!(exposure.expectations.len(), 1);
    assert_eq!(exposure.expectations[0].outcome, Outcome::Used);
}

/// Where that room is full as well, the flows are counted that rules are missing for.
#[test]
fn flows_that_no_rule_is_made_for_are_counted() {
    let config = firewall("6.18", false);
    let mut exposure = Exposure::new(&config);
    exposure.rooms.services = Room::new(1);
    exposure.rooms.needed = Room::new(1);
    exposure.rooms.ends = Room::new(1);
    // To the first server from four clients, of which the first takes no room; to a second, which takes the last; to a
    // third.
    let pairs = [(9, 1), (10, 1), (11, 1), (12, 1), (9, 2), (9, 3)];
    let packets = pairs.map(|(client, server)| transfer(client, server, 2000));
    let (exposure, ..) = replayed(in_seconds(packets.concat()), config.clone(), exposure);
    let related: Vec<usize> = exposure
        .services
        .values()
        .map(|usage| usage.related.len())
        .collect();
    assert_eq!(related, [2, 1]);
    assert_eq!(exposure.rooms.flows_omitted(), 3);
    let proposal = Proposal::of(&exposure, &config.modules, &[], Wishes::default());
    assert_eq!(proposal.flows_omitted, 3);
    let text = rules::nftables(&proposal, &exposure.totals).unwrap();
    let says =
        "# It lacks what 3 flows needed: they went between more hosts than rules are made for.\n";
    assert!(text.contains(says), "{text}");
}

/// A port that is not told apart is within the range all the same.
#[test]
fn clients_and_ports_share_their_room() {
    let config = firewall("6.18", false);
    let mut exposure = Exposure::new(&config);
    exposure.rooms.clients = Room::new(3);
    exposure.rooms.ports = Room::new(3);
    let transfers = [
        (9, 1, 2000),
        (10, 1, 3000),
        (9, 2, 2000),
        (10, 2, 2500),
        (11, 2, 2600),
    ];
    let packets = transfers.map(|(client, server, port)| transfer(client, server, port));
    let (exposure, ..) = replayed(in_seconds(packets.concat()), config, exposure);
    let clients: Vec<_> = exposure
        .services
        .values()
        .map(|usage| (usage.clients.len(), usage.clients_omitted))
        .collect();
    assert_eq!(clients, [(2, 0), (1, 2)]);
    let related = exposure
        .services
        .values()
        .flat_map(|usage| usage.related.values());
    let ports: Vec<_> = related
        .map(|related| (related.ports.seen.len(), related.ports.range.unwrap().0))
        .collect();
    assert_eq!(
        ports,
        [(1, 2000), (1, 3000), (1, 2000), (0, 2500), (0, 2600)]
    );
}

#[test]
fn what_finds_no_hour_is_beyond() {
    let (mut hours, room) = (Hours::default(), &mut Room::new(2));
    for hour in [5, 6, 7, 5] {
        hours.made(Timestamp::from_nanos(hour * 3_600_000_000_000), room);
    }
    let made: Vec<u64> = hours.iter().map(|(_, hour)| hour.made).collect();
    assert_eq!((made, hours.beyond.made), (vec![2, 1], 1));
}

/// One entry at more services than are told apart: each counts for its verdict, the rest are summed under no service.
#[test]
fn a_finding_at_more_services_than_there_is_room_for() {
    let mut found = Found::default();
    let entry = findings::all().next().unwrap();
    let services = 0..FOUND_AT as u32 + 2;
    for number in services.clone().chain([0]) {
        let service = Service {
            helper: "ftp",
            protocol: Protocol::TCP,
            server: address(number).parse().unwrap(),
            port: 21,
        };
        let finding = Finding {
            entry,
            frame: 1,
            at: Timestamp::default(),
            service: Some(service),
            flow: None,
            evidence: Evidence::default(),
        };
        found.add(&finding, true);
    }
    let sums: Vec<(bool, u64)> = found
        .sums()
        .map(|sum| (sum.service.is_some(), sum.times))
        .collect();
    assert_eq!(sums.len(), FOUND_AT + 1);
    assert_eq!(sums[..3], [(false, 2), (true, 2), (true, 1)]);
    assert_eq!(found.by_service().len(), services.len());
    assert_eq!(found.omitted, 2);
}

#[test]
fn control_protocols_at_more_services_than_there_is_room_for() {
    let config = firewall("6.18", false);
    let text = b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\n\r\n";
    let servers = 0..DISCOVERED as u32 + 2;
    let packets = servers.map(|number| udp(end("192.0.2.1", 4), end(&address(number), 5070), text));
    let exposure = Exposure::new(&config);
    let (_, _, discovery) = replayed(in_seconds(packets), config, exposure);
    assert_eq!(discovery.services.len(), DISCOVERED);
    assert_eq!(discovery.omitted(), 2);
}

/// A client that begins with a TLS handshake and then agrees on TLS is encrypted once. When its connection is over,
/// nothing is beside it.
#[test]
fn an_encrypted_connection_is_forgotten_with_its_end() {
    let config = firewall("6.18", false);
    let (client, server) = (end("192.0.2.11", 40_000), end("203.0.113.21", 21));
    let said: [(Side, &[u8]); 3] = [
        (
            Side::Client,
            b"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03\x03",
        ),
        (Side::Client, b"\r\nAUTH TLS\r\n"),
        (Side::Server, b"234 go on\r\n"),
    ];
    let mut control = open(client, server);
    for (side, text) in said {
        control.say(side, text);
    }
    control.send(Side::Client, RST | ACK, &[]);
    let mut timed: Vec<_> = packets(control).into_iter().map(|ip| (1, ip)).collect();
    let later = open(end("192.0.2.11", 40_001), end("203.0.113.21", 50_000));
    timed.extend(packets(later).into_iter().map(|ip| (100, ip)));
    let (_, watch, _) = replayed(at_seconds(timed), config.clone(), Exposure::new(&config));
    let (_, talked) = watch.summaries.services.first_key_value().unwrap();
    assert_eq!(talked.encrypted.times, 1);
    assert!(talked.beside.ports.is_empty(), "{:?}", talked.beside);
}

/// With the real numbers, to the reader of the report.
#[test]
fn the_report_says_what_found_no_room() {
    let servers = 0..SERVICES as u32 + 3;
    let bytes = in_seconds(servers.map(asked));
    let mut command = Command::cargo_bin("ctaudit").unwrap();
    let output = command
        .args(["analyse", "-"])
        .write_stdin(bytes)
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let says = "- 3 control connections to more services than are listed";
    assert!(text.contains(says), "{text}");
    // A hundred of the verdicts are shown.
    assert!(
        text.contains(&format!("and {} more", SERVICES - 100)),
        "{text}"
    );
}

/// A name that no interface has costs no more than one that is a letter too long.
#[test]
fn senders_of_which_no_interface_is_known_are_counted() {
    let config = firewall("6.18", false);
    let mut exposure = Exposure::new(&config);
    exposure.rooms.senders = Room::new(2);
    let long = format!("a{}", "é".repeat(1000));
    for (client, name) in [(1, "lan0"), (2, &long), (3, "lan0"), (1, "lan0")] {
        let [request, _] = transfer(client, 9, 2000);
        let bytes = in_seconds([request]);
        let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Capture);
        let passage = replay.advance().unwrap().unwrap();
        exposure.observe(&Passage {
            interface_name: Some(name),
            ..passage
        });
    }
    let known: Vec<_> = exposure.interfaces.values().flatten().collect();
    assert_eq!(known, ["lan0", &format!("a{}", "é".repeat(8))]);
    assert_eq!(exposure.rooms.senders.omitted, 1);
}
