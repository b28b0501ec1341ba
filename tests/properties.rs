//! What must hold of every capture at hand.

use std::collections::HashMap;
use std::net::IpAddr;

use ctaudit::conntrack::event::{Event, ExpectationRecord};
use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::{self, Field};
use ctaudit::packet::Packet;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::tuple::{Direction, Protocol, Tuple};

use crate::support::{capture, firewall, project, read, record, samples};

/// Captures with control traffic of all helpers.
fn captures() -> Vec<Vec<u8>> {
    let recorded = [
        "amanda-1",
        "amanda-2",
        "amanda-lines",
        "ftp-1",
        "ftp-2",
        "irc-1",
        "irc-2",
        "pptp-1",
        "pptp-2",
        "pptp-11",
        "pptp-messages",
        "sane-1",
        "sane-2",
        "tftp-1",
        "tftp-2",
    ];
    let recorded = recorded.map(|name| project(&format!("tests/recorded/{name}.pcap.gz")));
    samples()
        .iter()
        .chain(&recorded)
        .map(|path| read(path))
        .collect()
}

#[test]
fn two_runs_give_the_same_bytes() {
    for bytes in captures() {
        let run = || record(bytes.clone(), firewall("6.18", true), Clock::Capture);
        assert!(run() == run(), "a second run differs");
    }
}

/// The audit's central claim: a field that is said to come from certain bytes can be read there again.
#[test]
fn every_field_can_be_read_again_where_it_is_said_to_come_from() {
    let mut read_again = 0;
    for bytes in captures() {
        let mut replay = Replay::new(capture(bytes), firewall("6.18", true), Clock::Still);
        let mut payloads: HashMap<u64, Vec<u8>> = HashMap::new();
        while let Ok(Some(passage)) = replay.advance() {
            let Arrival::Packet(packet, step) = passage.arrival else {
                continue;
            };
            payloads.insert(packet.number, payload(&packet).to_vec());
            for event in step.events {
                let Event::ExpectationNew(record) = event else {
                    continue;
                };
                let Expectation {
                    src_addr,
                    src_port,
                    dst_addr,
                    dst_port,
                    ..
                } = &record.expectation;
                let said = |origin: &Origin| match origin {
                    Origin::Command { packet, bytes } => {
                        let payload = payloads
                            .get(packet)
                            .expect("the command's packet came before");
                        let bytes = payload[bytes.start as usize..bytes.end as usize].to_vec();
                        if BINARY.contains(&record.helper) {
                            Said::Number(bytes)
                        } else {
                            Said::Text(bytes)
                        }
                    }
                    Origin::Conntrack(direction) => Said::Tuple(tuple(record, *direction)),
                    other => panic!("{other:?} in an expectation of {}", record.helper),
                };
                if let Some(src) = src_addr {
                    assert_eq!(said(&src.origin).source(), Some(src.value.addr()));
                    assert_eq!(src.value.prefix_len(), src.value.max_prefix_len());
                }
                if let Some(port) = src_port {
                    assert_eq!(said(&port.origin).port(), Some(port.value));
                }
                assert_eq!(said(&dst_addr.origin).destination(), Some(dst_addr.value));
                assert_eq!(said(&dst_port.origin).port(), Some(dst_port.value));
                read_again += 1;
            }
        }
    }
    assert!(
        read_again > 2000,
        "only {read_again} expectations were checked"
    );
}

/// Helpers of protocols that write numbers in network order, not in digits.
const BINARY: [&str; 2] = ["pptp", "sane"];

/// What a field is said to come from.
enum Said {
    Text(Vec<u8>),
    Number(Vec<u8>),
    Tuple(Tuple),
}

impl Said {
    /// No helper here reads who may come out of a payload.
    fn source(&self) -> Option<IpAddr> {
        match self {
            Self::Tuple(tuple) => Some(tuple.src),
            Self::Text(_) | Self::Number(_) => None,
        }
    }

    fn destination(&self) -> Option<IpAddr> {
        match self {
            Self::Tuple(tuple) => Some(tuple.dst),
            Self::Text(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
            Self::Number(_) => None,
        }
    }

    /// Two numbers with a comma between them or one number, wrapping as the kernel's do.
    fn port(&self) -> Option<u16> {
        match self {
            Self::Tuple(tuple) => Some(tuple.dport),
            Self::Number(bytes) => Some(u16::from_be_bytes(bytes[..].try_into().ok()?)),
            Self::Text(bytes) => {
                let number = |text: &str| {
                    text.bytes().fold(0u32, |n, digit| {
                        n.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))
                    })
                };
                let numbers: Vec<u32> = std::str::from_utf8(bytes)
                    .ok()?
                    .split(',')
                    .map(number)
                    .collect();
                match numbers[..] {
                    [one] => Some(one as u16),
                    [high, low] => Some((high << 8 | low) as u16),
                    _ => None,
                }
            }
        }
    }
}

fn tuple(record: &ExpectationRecord, direction: Direction) -> Tuple {
    match direction {
        Direction::Original => record.master,
        Direction::Reply => record.master.inverse().unwrap(),
    }
}

fn payload<'p>(packet: &Packet<'p>) -> &'p [u8] {
    let transport = packet.transport_bytes();
    match packet.transport {
        Some((Protocol::TCP, _)) => {
            let offset = transport
                .get(12)
                .map_or(0, |byte| usize::from(byte >> 4) * 4);
            transport.get(offset..).unwrap_or_default()
        }
        Some((Protocol::UDP, _)) => transport.get(8..).unwrap_or_default(),
        _ => &[],
    }
}

/// The table of degrees of freedom is what the helpers do, not what somebody remembers.
#[test]
fn every_expectation_is_as_free_as_its_helper_says() {
    let mut seen: HashMap<&str, u64> = HashMap::new();
    for bytes in captures() {
        let mut replay = Replay::new(capture(bytes), firewall("6.18", true), Clock::Still);
        while let Ok(Some(passage)) = replay.advance() {
            let Arrival::Packet(_, step) = passage.arrival else {
                continue;
            };
            for event in step.events {
                let Event::ExpectationNew(record) = event else {
                    continue;
                };
                let spec = helper::all()
                    .find(|spec| spec.name == record.helper)
                    .unwrap();
                // loose=0 is the first line of ftp, and what these replays use.
                let freedom = &spec.freedom[0];
                let expectation = &record.expectation;
                let origin = |field: Option<&Origin>| match field {
                    None => vec![Field::Any],
                    Some(Origin::Conntrack(_)) => vec![Field::Fixed, Field::Checked, Field::Packet],
                    Some(Origin::Command { .. }) => vec![Field::Command],
                    Some(other) => panic!("{other:?}"),
                };
                let sides = [
                    (
                        freedom.src_addr,
                        origin(expectation.src_addr.as_ref().map(|field| &field.origin)),
                    ),
                    (
                        freedom.src_port,
                        origin(expectation.src_port.as_ref().map(|field| &field.origin)),
                    ),
                    (freedom.dst_addr, origin(Some(&expectation.dst_addr.origin))),
                    (freedom.dst_port, origin(Some(&expectation.dst_port.origin))),
                ];
                for (declared, possible) in sides {
                    assert!(
                        possible.contains(&declared),
                        "{}: {declared:?} is not among {possible:?}",
                        spec.name
                    );
                }
                assert_eq!(freedom.protocol, expectation.protocol);
                *seen.entry(spec.name).or_default() += 1;
            }
        }
    }
    for spec in helper::all() {
        assert!(
            seen.get(spec.name).copied().unwrap_or(0) > 0,
            "{} made no expectation in any capture",
            spec.name
        );
    }
}
