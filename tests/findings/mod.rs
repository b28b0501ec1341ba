//! The catalogue of findings: for every entry a capture that shows it, and one that looks like it and is not.

mod amanda;
mod broadcast;
mod browser;
mod ftp;
mod h323;
mod irc;
mod pptp;
mod sane;
mod sip;
mod state;
mod tftp;
mod userspace;

use std::collections::BTreeSet;
use std::net::IpAddr;

use ctaudit::conntrack::config::Config;
use ctaudit::findings::{self, Finding, Severity, Watch};
use ctaudit::helper::Modules;
use ctaudit::packet::link::LINUX_SLL2;
use ctaudit::replay::{Clock, Replay};

use crate::support::{capture, every_helper, read, samples};
use crate::traffic::flow::{Rng, Side, Step, Tcp};
use crate::traffic::packet::End;
use crate::traffic::{Packet, Protocol, generate, pcap};

/// An entry, and what tells it from what is like it.
pub struct Case {
    pub entry: &'static str,
    pub shows: fn() -> Vec<Vec<u8>>,
    pub passes: fn() -> Vec<Vec<u8>>,
    /// A firewall with every helper, but for this.
    pub modules: &'static [&'static str],
}

/// Every test's cases, protocol by protocol.
fn cases() -> impl Iterator<Item = &'static Case> {
    [
        amanda::CASES,
        broadcast::CASES,
        browser::CASES,
        ftp::CASES,
        h323::CASES,
        irc::CASES,
        pptp::CASES,
        sane::CASES,
        sip::CASES,
        state::CASES,
        tftp::CASES,
        userspace::CASES,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn every_entry_is_found_where_it_is_and_not_where_it_is_not() {
    let mut tried = BTreeSet::new();
    for case in cases() {
        let modules = case.modules;
        let found = |packets| -> BTreeSet<&str> {
            let found = findings(packets, firewall(modules));
            found.iter().map(|finding| finding.entry.id).collect()
        };
        let shown = found((case.shows)());
        assert!(shown.contains(case.entry), "{}: {shown:?}", case.entry);
        let passed = found((case.passes)());
        assert!(!passed.contains(case.entry), "{}: {passed:?}", case.entry);
        tried.insert(case.entry);
    }
    let known: BTreeSet<&str> = findings::all().map(|entry| entry.id).collect();
    assert_eq!(tried, known);
}

#[test]
fn ordinary_programs_raise_nothing_above_a_note() {
    for sample in samples() {
        for finding in findings_of(read(&sample), every_helper(Modules::default())) {
            assert!(
                finding.entry.severity == Severity::Note,
                "{}: {} at {}: {}",
                sample.display(),
                finding.entry.id,
                finding.frame,
                finding.evidence.detail
            );
        }
    }
}

/// Sysctls begin with `net.`, the rest are parameters of modules.
/// Random traffic is full of what no program sends; what is printed of it are numbers, addresses and words of ours.
#[test]
fn nothing_of_a_payload_is_in_a_finding() {
    let protocols = Protocol::ALL.into_iter().chain(Protocol::OF_CONNTRACKD);
    let mut found = 0;
    for protocol in protocols {
        for seed in 0..4 {
            let bytes = pcap(&generate(protocol, seed, 3000)).unwrap();
            for finding in findings_of(bytes, every_helper(Modules::default())) {
                let detail = &finding.evidence.detail;
                let is_ours = |letter: char| letter.is_ascii_graphic() || letter == ' ';
                assert!(
                    detail.chars().all(is_ours),
                    "{}: {detail:?}",
                    finding.entry.id
                );
                assert!(detail.len() < 400, "{}: {detail}", finding.entry.id);
                let frames = finding.evidence.frames.iter().chain([&finding.frame]);
                assert!(frames.into_iter().all(|frame| (1..=3000).contains(frame)));
                found += 1;
            }
        }
    }
    assert!(found > 1000, "only {found} findings");
}

fn firewall(parameters: &[&str]) -> Config {
    let mut modules = Modules::default();
    let (sysctls, parameters): (Vec<&str>, Vec<&str>) = parameters
        .iter()
        .partition(|parameter| parameter.starts_with("net."));
    for parameter in parameters {
        modules.set(parameter).unwrap();
    }
    let mut config = every_helper(modules);
    for sysctl in sysctls {
        config.sysctls.set(sysctl).unwrap();
    }
    config
}

/// IP packets, or frames of Linux' second cooked form, a tenth of a second apart.
pub fn findings(packets: Vec<Vec<u8>>, config: Config) -> Vec<Finding> {
    let packets: Vec<Packet> = (1..)
        .map(|tenth| tenth * 100_000)
        .zip(packets)
        .map(|(at_micros, ip)| Packet { at_micros, ip })
        .collect();
    let is_cooked = |packet: &Packet| packet.ip.starts_with(&COOKED_IPV4);
    let mut bytes = pcap(&packets).unwrap();
    if packets.iter().any(is_cooked) {
        bytes[20..22].copy_from_slice(&LINUX_SLL2.to_le_bytes());
    }
    findings_of(bytes, config)
}

/// An IPv4 packet that came by this interface, from this neighbour.
pub fn cooked(interface: u8, neighbour: u8, ip: Vec<u8>) -> Vec<u8> {
    let ethernet = [0, 1, 0, 6];
    let sender = [2, 0, 0, 0, 0, neighbour, 0, 0];
    let header = [
        &COOKED_IPV4[..],
        &[0, 0, 0, 0, 0, interface],
        &ethernet,
        &sender,
    ]
    .concat();
    [header, ip].concat()
}

/// The EtherType, with which it begins; no IP packet does.
const COOKED_IPV4: [u8; 2] = [8, 0];

pub fn findings_of(bytes: Vec<u8>, config: Config) -> Vec<Finding> {
    let mut watch = Watch::new(&config);
    let mut replay = Replay::new(capture(bytes), config, Clock::Capture);
    while let Ok(Some(passage)) = replay.advance() {
        watch.observe(&passage);
    }
    watch.findings
}

pub fn end(address: &str, port: u16) -> End {
    let address: IpAddr = address.parse().unwrap();
    End { address, port }
}

/// A TCP connection after its handshake.
pub fn open(client: End, server: End) -> Tcp {
    let mut connection = Tcp::new(&mut Rng::with_seed(1), client, server);
    connection.handshake();
    connection
}

/// A connection on which the two say these things in turn.
pub fn talk(client: End, server: End, said: &[(Side, &[u8])]) -> Vec<Vec<u8>> {
    let mut connection = open(client, server);
    for (side, text) in said {
        connection.say(*side, text);
    }
    packets(connection)
}

pub fn packets(connection: Tcp) -> Vec<Vec<u8>> {
    let steps = connection.steps.into_iter();
    steps
        .filter_map(|step| match step {
            Step::Packet(packet) => Some(packet),
            Step::Fork(_) => None,
        })
        .collect()
}
