//! A proof that is shown an excerpt says what one says that is shown the capture once more.

use std::collections::BTreeMap;

use ctaudit::analysis::Analysis;
use ctaudit::conntrack::config::Config;
use ctaudit::conntrack::event::{Ended, Event};
use ctaudit::excerpt::{Excerpt, Incomplete, Kept};
use ctaudit::helper::Modules;
use ctaudit::packet::tunnel::Kinds;
use ctaudit::proof::Proof;
use ctaudit::proposal::Wishes;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::ruleset::Ruleset;
use ctaudit::topology::Topology;
use ctaudit::tuple::Protocol as Number;

use crate::findings::end;
use crate::support::{capture, every_helper, firewall, project, read, samples, variants};
use crate::traffic::packet::{self, ip, udp};
use crate::traffic::{Protocol, at_seconds, generate, pcap};
use crate::wrap::{CONTAINERS, LINKS, Packet, TUNNELS, file, packets};

/// A capture and how it is analysed.
struct Case {
    name: String,
    bytes: Vec<u8>,
    config: Config,
    tunnels: Kinds,
    wishes: Wishes,
}

impl Case {
    fn new(name: impl ToString, bytes: Vec<u8>, config: Config) -> Self {
        Self {
            name: name.to_string(),
            bytes,
            config,
            tunnels: Kinds::default(),
            wishes: Wishes::default(),
        }
    }

    fn replay(&self) -> Replay {
        let replay = Replay::new(
            capture(self.bytes.clone()),
            self.config.clone(),
            Clock::Capture,
        );
        replay.decapsulate(self.tunnels)
    }

    fn analysis(&self) -> Analysis {
        let mut analysis = Analysis::new(&self.config, self.wishes.clone());
        let mut replay = self.replay();
        while let Some(passage) = replay.advance().unwrap() {
            analysis.observe(&passage);
        }
        while let Some(step) = replay.finish() {
            analysis.observe_end(&step);
        }
        analysis.finish();
        analysis.collect();
        analysis.propose(&self.config).unwrap();
        analysis.prove(&self.config);
        analysis
    }

    /// Of the same rules, with all packets.
    fn whole(&self, analysis: &Analysis) -> Proof {
        let rules = Ruleset::read(&analysis.nft, 0);
        let interfaces = analysis.proposal.interfaces.as_ref();
        let mut proof = Proof::new(&self.config, rules, &self.wishes.bypass, interfaces);
        let mut replay = self.replay();
        while let Some(passage) = replay.advance().unwrap() {
            proof.observe(&passage);
        }
        proof
    }

    /// Compares the two. What comes back is how many packets were needed.
    fn check(&self) -> u64 {
        let analysis = self.analysis();
        let proof = analysis.proof.as_ref().unwrap();
        if !analysis.exposure.opened_nothing() {
            let whole = said(&self.whole(&analysis));
            assert_eq!(said(proof), whole, "{}", self.name);
        }
        proof.accepted + proof.lost.times
    }
}

/// All that a proof says.
fn said(proof: &Proof) -> String {
    let Proof {
        accepted,
        lost,
        others,
        dropped,
        needs,
        undecided,
        ..
    } = proof;
    let forged = proof.forged().iter();
    let forged: Vec<_> = forged
        .map(|forged| (&forged.variant, forged.through_bare, forged.through_rules))
        .collect();
    format!(
        "accepted: {accepted}\nlost: {lost:?}\nothers: {others:?}\ndropped: {dropped:?}\nneeds: {needs:?}\n\
         undecided: {undecided:?}\nreach: {:?}, {}\nforged: {forged:#?}",
        proof.reach(),
        proof.reach_omitted()
    )
}

/// Firewalls with the kernel's helpers, and with conntrackd's in the place of those that it has.
fn firewalls() -> [Config; 2] {
    [Modules::default(), variants()].map(every_helper)
}

/// Random traffic of all helpers.
fn traffic() -> impl Iterator<Item = (Protocol, u64)> {
    let protocols = Protocol::ALL.into_iter().chain(Protocol::OF_CONNTRACKD);
    protocols.flat_map(|protocol| (1..=3).map(move |seed| (protocol, seed)))
}

#[test]
fn of_the_samples() {
    let mut needed = 0;
    for path in samples() {
        for config in firewalls() {
            needed += Case::new(path.display(), read(&path), config).check();
        }
    }
    assert!(needed > 500, "only {needed} packets were needed");
}

/// With fragments, ICMP errors about any flow, both families, and helpers that drop packets.
#[test]
fn of_random_traffic() {
    let mut needed = 0;
    for (protocol, seed) in traffic() {
        let bytes = pcap(&generate(protocol, seed, 3000)).unwrap();
        for config in firewalls() {
            let case = Case::new(format!("{protocol:?} {seed}"), bytes.clone(), config);
            if !ends_strangers(&case) {
                needed += case.check();
            }
        }
    }
    assert!(needed > 10_000, "only {needed} packets were needed");
}

/// Whether pptp ends flows that it did not expect, which an excerpt does not hold: then it may take back what it expects
/// instead (`destroy_sibling_or_exp`).
fn ends_strangers(case: &Case) -> bool {
    let is_stranger = |event: &Event| match event {
        Event::ConntrackDestroy(record, Ended::Killed) => {
            assert_eq!(record.original.protocol, Number::GRE);
            record.expectation.is_none()
        }
        _ => false,
    };
    let mut replay = case.replay();
    while let Some(passage) = replay.advance().unwrap() {
        if let Arrival::Packet(_, step) = &passage.arrival
            && step.events.iter().any(is_stranger)
        {
            return true;
        }
    }
    false
}

/// Of each packet 100 bytes at most: so many that headers are whole, and payloads are not.
#[test]
fn of_cut_packets() {
    let mut needed = 0;
    for path in samples() {
        let bytes = read(&path);
        let Some(cut) = cut(&bytes) else { continue };
        needed += Case::new(path.display(), cut, every_helper(Modules::default())).check();
    }
    assert!(needed > 100, "only {needed} packets were needed");
}

/// The records of a little-endian pcap, cut; `None` of another file.
fn cut(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, mut records) = bytes.split_first_chunk::<24>()?;
    if header[..4] != [0xd4, 0xc3, 0xb2, 0xa1] {
        return None;
    }
    let mut cut = header.to_vec();
    while let Some((record, rest)) = records.split_first_chunk::<16>() {
        let length = u32::from_le_bytes(*record[8..].first_chunk()?) as usize;
        let kept = length.min(100);
        cut.extend(&record[..8]);
        cut.extend((kept as u32).to_le_bytes());
        cut.extend(&record[12..]);
        cut.extend(&rest[..kept]);
        records = &rest[length..];
    }
    Some(cut)
}

#[test]
fn of_what_is_in_tunnels() {
    let mut needed = 0;
    for (path, tunnel) in samples().iter().zip(TUNNELS.iter().cycle()) {
        let packets = packets(capture(read(path))).into_iter();
        let packets: Vec<Packet> = packets
            .map(|packet| match tunnel.carries(&packet.ip) {
                true => Packet {
                    ip: (tunnel.packet)(&packet.ip),
                    ..packet
                },
                false => packet,
            })
            .collect();
        let bytes = file(&CONTAINERS[0], &LINKS[0], &packets);
        let case = Case::new(path.display(), bytes, every_helper(Modules::default()));
        needed += Case {
            tunnels: tunnel.kind.parse().unwrap(),
            ..case
        }
        .check();
    }
    assert!(needed > 100, "only {needed} packets were needed");
}

/// Rules against forged sources judge every packet. Behind a default route nobody has a loopback address; without one, what
/// comes from elsewhere comes by an interface that nobody knows.
#[test]
fn of_a_firewall_whose_interfaces_are_known() {
    let (from, to) = (end("127.0.0.1", 5000), end("203.0.113.21", 5000));
    let stranger = udp(from, to, b"nobody's");
    let mut packets = generate(Protocol::Ftp, 1, 3000);
    for packet in packets.iter_mut().step_by(500) {
        packet.ip.clone_from(&stranger);
    }
    let bytes = pcap(&packets).unwrap();
    let proof = |default_route| {
        let topology = format!(
            "[[interface]]\nname = \"lan0\"\nnetworks = [\"192.0.2.0/24\"]\n\
             [[interface]]\nname = \"wan0\"\nnetworks = [\"203.0.113.0/24\"]\ndefault_route = {default_route}\n"
        );
        let topology = Topology::parse(&topology).unwrap();
        let case = Case {
            wishes: Wishes {
                topology: Some(topology),
                ..Wishes::default()
            },
            ..Case::new(default_route, bytes.clone(), firewall("6.18", false))
        };
        case.check();
        case.analysis().proof.unwrap()
    };
    let known = proof(true);
    let first = packets.iter().position(|packet| packet.ip == stranger);
    let first = first.unwrap() as u64 + 1;
    assert!(known.dropped.first.contains(&first) && known.dropped.times >= 6);
    let unknown = proof(false);
    assert!(known.undecided.is_empty() && !unknown.undecided.is_empty());
}

/// An error about a flow that no helper reads is there without the flow.
#[test]
fn of_errors_about_other_flows() {
    let (client, server) = (end("192.0.2.11", 40_000), end("203.0.113.53", 53));
    let question = udp(client, server, b"?");
    let errors = [3, 4, 5, 11, 12].map(|kind| error(kind, &question));
    let bytes = at_seconds((1..).zip([question].into_iter().chain(errors)));
    let case = Case::new("errors", bytes, firewall("6.18", false));
    assert_eq!(case.check(), 3);
    let proof = case.analysis().proof.unwrap();
    assert_eq!((proof.accepted, proof.dropped.first), (3, vec![3, 4]));
    assert_eq!(kept(&case), [2, 3, 4, 5, 6].map(|number| (number, true)));
}

/// A response without a status is dropped, and its flow is none, if sip reads it (`process_sip_response`). The rules attach
/// no sip, and drop the error about a flow that there is then: it is of a code that path MTU discovery does not need.
#[test]
fn of_errors_about_flows_that_a_helper_kept_from_being() {
    let client = end("192.0.2.11", 5060);
    let response = udp(client, end("203.0.113.60", 5060), b"SIP/2.0 none\r\n\r\n");
    let refused = error(3, &response);
    // What came for an expectation.
    let request = udp(
        end("192.0.2.11", 2000),
        end("203.0.113.69", 69),
        b"\0\x01f\0octet\0",
    );
    let data = udp(
        end("203.0.113.69", 3000),
        end("192.0.2.11", 2000),
        b"\0\x03\0\x01",
    );
    let bytes = at_seconds((1..).zip([response, refused, request, data]));
    let case = Case::new("refused", bytes, firewall("6.18", false));
    assert_eq!(case.check(), 1);
    assert_eq!(case.analysis().proof.unwrap().dropped.first, [2]);
    assert_eq!(kept(&case), [1, 2, 3, 4].map(|number| (number, false)));
}

/// With fewer helpers it would have held what it had no room for here.
#[test]
fn of_a_full_table_of_expectations_nothing_is_proved() {
    let mut config = firewall("6.18", false);
    let bytes = pcap(&generate(Protocol::Ftp, 1, 3000)).unwrap();
    let max = "net.netfilter.nf_conntrack_expect_max";
    for (room, why) in [(1000, None), (1, Some(Incomplete::TableFull))] {
        config.sysctls.set(&format!("{max}={room}")).unwrap();
        let analysis = Case::new(room, bytes.clone(), config.clone()).analysis();
        assert_eq!(analysis.proof.err(), why);
    }
}

/// What is kept of a data connection does not grow with what it carries; of the control connection all is.
#[test]
fn of_a_data_connection_there_are_headers() {
    let case = Case::new(
        "passive",
        read(&project("samples/helper/ftp/passive.pcap")),
        firewall("6.18", false),
    );
    let mut excerpt = Excerpt::new(None);
    let (mut whole, mut cut) = (0, 0);
    let mut replay = case.replay();
    let mut before = BTreeMap::new();
    while let Some(passage) = replay.advance().unwrap() {
        excerpt.observe(&passage, None);
        if let Arrival::Packet(packet, step) = &passage.arrival {
            let attached = step.verdict.attached;
            before.insert(packet.number, (packet.datagram.to_vec(), attached));
        }
    }
    let mut packets = excerpt.packets().unwrap();
    while let Some(Kept { packet, .. }) = packets.next().unwrap() {
        let (datagram, attached) = &before[&packet.number];
        assert_eq!(packet.datagram.len(), datagram.len());
        let payload =
            packet.transport.unwrap().1 + 4 * usize::from(packet.transport_bytes()[12] >> 4);
        assert_eq!(packet.datagram[..payload], datagram[..payload]);
        if *attached {
            assert_eq!(packet.datagram, datagram);
            whole += 1;
        } else {
            assert_eq!(packet.captured, payload);
            cut += usize::from(payload < datagram.len());
        }
    }
    assert!(whole > 10 && cut > 0, "{whole}, {cut}");
}

/// An ICMP error of code 0 about a datagram to the one who sent it.
fn error(kind: u8, about: &[u8]) -> Vec<u8> {
    let (sender, receiver) = packet::ends(about);
    let quote = [&[kind, 0, 0, 0, 0, 0, 0, 0], about].concat();
    ip(receiver, sender, packet::ICMP, quote)
}

/// Numbers of the packets of an excerpt, and whether they are there without their flow.
fn kept(case: &Case) -> Vec<(u64, bool)> {
    let mut excerpt = Excerpt::new(None);
    let mut replay = case.replay();
    while let Some(passage) = replay.advance().unwrap() {
        excerpt.observe(&passage, None);
    }
    let mut packets = excerpt.packets().unwrap();
    let mut kept = Vec::new();
    while let Some(Kept { packet, seen, .. }) = packets.next().unwrap() {
        kept.push((packet.number, seen.is_some()));
    }
    kept
}
