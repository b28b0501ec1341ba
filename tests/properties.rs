//! What must hold of every capture at hand.

use std::collections::HashMap;
use std::net::IpAddr;

use ctaudit::conntrack::event::{Event, ExpectationRecord};
use ctaudit::expectation::{Expectation, Origin, Sourced};
use ctaudit::helper::{self, Field};
use ctaudit::packet::Packet;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::tuple::{Direction, Protocol, Tuple};

use crate::support::{capture, firewall, project, read, record, samples};

/// Captures with control traffic of all helpers.
fn captures() -> Vec<Vec<u8>> {
    let recorded = [
        "ftp-1", "ftp-2", "irc-1", "irc-2", "sip-1", "sip-2", "tftp-1", "tftp-2",
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
    let cases = captures().into_iter().flat_map(|bytes| {
        let open = "nf_conntrack_sip.sip_direct_media=0";
        [(bytes.clone(), None), (bytes, Some(open))]
    });
    for (bytes, option) in cases {
        let mut config = firewall("6.18", true);
        if let Some(option) = option {
            config.modules.set(option).unwrap();
        }
        let mut replay = Replay::new(capture(bytes), config, Clock::Still);
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
                        Said::Bytes(payload[bytes.start as usize..bytes.end as usize].to_vec())
                    }
                    Origin::Conntrack(direction) => Said::Tuple(tuple(record, *direction)),
                    Origin::Helper => Said::Registered,
                    other => panic!("{other:?} in an expectation of {}", record.helper),
                };
                if let Some(src) = src_addr {
                    assert_eq!(said(&src.origin).source(), Some(src.value.addr()));
                    assert_eq!(src.value.prefix_len(), src.value.max_prefix_len());
                }
                assert_eq!(*src_port, None::<Sourced<u16>>, "{}", record.helper);
                assert_eq!(said(&dst_addr.origin).destination(), Some(dst_addr.value));
                // RTP is expected at the even port of the two that a number stands for, RTCP at the odd one.
                let pairs = record.helper == "sip" && record.expectation.class != 0;
                let port = said(&dst_port.origin).port();
                let ports = port.map(|port| {
                    if pairs {
                        [port & !1, port | 1]
                    } else {
                        [port; 2]
                    }
                });
                assert!(
                    ports.is_some_and(|ports| ports.contains(&dst_port.value)),
                    "{}: {ports:?}",
                    record.helper
                );
                read_again += 1;
            }
        }
    }
    assert!(
        read_again > 2000,
        "only {read_again} expectations were checked"
    );
}

/// What a field is said to come from.
enum Said {
    Bytes(Vec<u8>),
    Tuple(Tuple),
    /// The helper's own port, where a payload names none.
    Registered,
}

impl Said {
    /// No helper here reads who may come out of a payload.
    fn source(&self) -> Option<IpAddr> {
        match self {
            Self::Tuple(tuple) => Some(tuple.src),
            Self::Bytes(_) | Self::Registered => None,
        }
    }

    fn destination(&self) -> Option<IpAddr> {
        match self {
            Self::Tuple(tuple) => Some(tuple.dst),
            Self::Bytes(bytes) => address(std::str::from_utf8(bytes).ok()?),
            Self::Registered => None,
        }
    }

    /// Two numbers with a comma between them or one number, wrapping as the kernel's do.
    fn port(&self) -> Option<u16> {
        match self {
            Self::Tuple(tuple) => Some(tuple.dport),
            Self::Registered => Some(5060),
            Self::Bytes(bytes) => {
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

/// Leading zeros are allowed, in octets and in groups.
fn address(text: &str) -> Option<IpAddr> {
    let shortest = |part: &str| match part.trim_start_matches('0') {
        "" if !part.is_empty() => "0".to_owned(),
        digits => digits.to_owned(),
    };
    let colons: Vec<String> = text
        .split(':')
        .map(|group| group.split('.').map(shortest).collect::<Vec<_>>().join("."))
        .collect();
    colons.join(":").parse().ok()
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
                let expectation = &record.expectation;
                // The first line of several is that of the defaults, which these replays use.
                let mut lines = spec.freedom.iter();
                let freedom = lines
                    .find(|line| {
                        // What differs between sip's media is how many there may be.
                        let class = if spec.name == "sip" {
                            expectation.class.min(1)
                        } else {
                            expectation.class
                        };
                        (line.class, line.protocol) == (class, expectation.protocol)
                    })
                    .unwrap_or_else(|| panic!("{} says nothing of {expectation:?}", spec.name));
                let origin = |field: Option<&Origin>| match field {
                    None => vec![Field::Any],
                    Some(Origin::Conntrack(_)) => vec![Field::Fixed, Field::Checked, Field::Packet],
                    Some(Origin::Command { .. }) => vec![Field::Command],
                    // 5060, as a command may say by saying nothing.
                    Some(Origin::Helper) => vec![Field::Command],
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
