//! Interfaces as a capture shows them.

use ctaudit::exposure::Exposure;
use ctaudit::packet::link::ETHERNET;
use ctaudit::proposal::{Proposal, What, Wishes};
use ctaudit::replay::{Clock, Replay};

use crate::support::{capture, firewall, project, read};

/// The client of the sample, who is on the first interface.
const CLIENT: [u8; 4] = [192, 0, 2, 11];

#[test]
fn a_router_that_captures_on_both_sides_shows_them() {
    let ways = ways(&["lan0", "wan0"], |ingress| vec![ingress]);
    assert_eq!(ways, [Some("lan0".to_owned()), Some("wan0".to_owned())]);
}

/// The packet that comes is captured before the packet that goes.
#[test]
fn so_does_one_that_captures_every_packet_twice() {
    let ways = ways(&["lan0", "wan0"], |ingress| vec![ingress, 1 - ingress]);
    assert_eq!(ways, [Some("lan0".to_owned()), Some("wan0".to_owned())]);
}

#[test]
fn one_interface_shows_nothing() {
    assert_eq!(ways(&["eth0"], |_| vec![0]), [None, None]);
}

/// Names are somebody else's bytes, and would stand in rules.
#[test]
fn what_is_no_name_stands_in_no_rule() {
    for name in [
        "wan0\" accept; #",
        "wan 0",
        "",
        "sixteen_bytes_xx",
        "eth*",
        r"\Device\NPF_",
    ] {
        assert_eq!(
            ways(&["lan0", name], |ingress| vec![ingress]),
            [None, None],
            "{name:?}"
        );
    }
}

/// Interfaces of the rule that accepts data connections of the sample, captured on these: `on` says of a packet on
/// which, given which it comes by.
fn ways(names: &[&str], on: impl Fn(u32) -> Vec<u32>) -> [Option<String>; 2] {
    let config = firewall("6.18", false);
    let mut exposure = Exposure::new(&config);
    let bytes = on_interfaces(names, on);
    let mut replay = Replay::new(capture(bytes), config.clone(), Clock::Still);
    while let Some(passage) = replay.advance().unwrap() {
        exposure.observe(&passage);
    }
    let proposal = Proposal::of(&exposure, &config.modules, &[], Wishes::default());
    let mut accepted = proposal.rules.iter().filter_map(|rule| match &rule.what {
        What::Accept(accept) => Some([accept.input.clone(), accept.output.clone()]),
        _ => None,
    });
    accepted.next().unwrap()
}

/// samples/helper/ftp/passive.pcap as a pcapng file (draft-ietf-opsawg-pcapng, 4.1 to 4.3).
fn on_interfaces(names: &[&str], on: impl Fn(u32) -> Vec<u32>) -> Vec<u8> {
    let mut file = block(
        0x0a0d_0d0a,
        &[&words(&[0x1a2b_3c4d, 1]), &[0xff; 8][..]].concat(),
    );
    for name in names {
        let option = [2, name.len() as u16].map(u16::to_le_bytes).concat();
        let body = [
            words(&[u32::from(ETHERNET), 0]),
            option,
            padded(name.as_bytes()),
        ]
        .concat();
        file.extend(block(1, &body));
    }
    let mut sample = capture(read(&project("samples/helper/ftp/passive.pcap")));
    while let Some(frame) = sample.next().unwrap() {
        let is_clients = frame.data[26..30] == CLIENT;
        for interface in on(u32::from(!is_clients)) {
            let length = frame.data.len() as u32;
            let header = words(&[interface, 0, frame.number as u32, length, length]);
            file.extend(block(6, &[header, padded(frame.data)].concat()));
        }
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 12;
    [&words(&[kind, length]), body, &words(&[length])].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}
