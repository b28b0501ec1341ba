//! What must hold of every capture at hand.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use ctaudit::conntrack::config::Config;
use ctaudit::conntrack::event::{Event, ExpectationRecord};
use ctaudit::expectation::{Expectation, Origin};
use ctaudit::helper::{self, Field, Freedom, Modules, Spec};
use ctaudit::packet::Packet;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::tuple::{Direction, Protocol, Tuple};

use crate::support::{
    capture, every_helper, files_below, project, read, record, samples, variants,
};

/// The samples, and recorded random traffic of all helpers.
fn captures() -> Vec<Vec<u8>> {
    let mut paths = samples();
    paths.extend(files_below(&project("tests/recorded")));
    paths.retain(|path| !path.to_string_lossy().ends_with(".jsonl.gz"));
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "md"));
    paths.iter().map(|path| read(path)).collect()
}

#[test]
fn two_runs_give_the_same_bytes() {
    for bytes in captures() {
        let run = || {
            record(
                bytes.clone(),
                every_helper(Modules::default()),
                Clock::Capture,
            )
        };
        assert!(run() == run(), "a second run differs");
    }
}

/// The audit's central claim: a field that is said to come from certain bytes can be read there again.
#[test]
fn every_field_can_be_read_again_where_it_is_said_to_come_from() {
    let mut read_again = 0;
    let mut open = Modules::default();
    open.set("nf_conntrack_sip.sip_direct_media=0").unwrap();
    let cases = captures().into_iter().flat_map(|bytes| {
        let modules = [Modules::default(), open.clone(), variants()];
        modules.map(|modules| (bytes.clone(), every_helper(modules)))
    });
    for (bytes, config) in cases {
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
                        let bytes = payload[bytes.start as usize..bytes.end as usize].to_vec();
                        if BINARY.contains(&record.helper) {
                            Said::Number(bytes)
                        } else if record.helper == "ssdp" {
                            Said::Strtol(bytes)
                        } else if record.helper == "tns" {
                            // Spaces count for nothing there.
                            Said::Text(bytes.into_iter().filter(|&byte| byte != b' ').collect())
                        } else {
                            Said::Text(bytes)
                        }
                    }
                    Origin::Conntrack(direction) => Said::Tuple(tuple(record, *direction)),
                    Origin::Helper => Said::Helper(record.helper),
                    Origin::Config => Said::Config,
                };
                if let Some(src) = src_addr {
                    let source = said(&src.origin);
                    assert_eq!(source.source(record), Some(src.value.addr()));
                    let is_host = src.value.prefix_len() == src.value.max_prefix_len();
                    assert_eq!(is_host, source != Said::Config);
                }
                if let Some(port) = src_port {
                    assert_eq!(said(&port.origin).port(), Some(port.value));
                }
                assert_eq!(said(&dst_addr.origin).destination(), Some(dst_addr.value));
                // RTP is expected at the even port of the two that a number stands for, RTCP at the odd one.
                let pairs = match record.helper {
                    "sip" => record.expectation.class != 0,
                    "H.245" | "Q.931" => record.expectation.protocol == Protocol::UDP,
                    _ => false,
                };
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

/// Helpers of protocols that write numbers in network order, not in digits.
const BINARY: [&str; 6] = ["pptp", "sane", "H.245", "Q.931", "RAS", "rpc"];

/// What a field is said to come from.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Text(Vec<u8>),
    Strtol(Vec<u8>),
    Number(Vec<u8>),
    Tuple(Tuple),
    Helper(&'static str),
    Config,
}

impl Said {
    /// No helper here reads who may come out of a payload.
    fn source(&self, record: &ExpectationRecord) -> Option<IpAddr> {
        match self {
            Self::Tuple(tuple) => Some(tuple.src),
            // The network is the interface's; of the address in it, the question's destination is left.
            Self::Config => Some(record.master.dst),
            Self::Text(_) | Self::Strtol(_) | Self::Number(_) | Self::Helper(_) => None,
        }
    }

    fn destination(&self) -> Option<IpAddr> {
        match self {
            Self::Tuple(tuple) => Some(tuple.dst),
            Self::Text(bytes) | Self::Strtol(bytes) => {
                let text = std::str::from_utf8(bytes).ok()?;
                address(text).or_else(|| octets(text))
            }
            Self::Number(bytes) => match bytes[..] {
                [a, b, c, d] => Some([a, b, c, d].into()),
                _ => Some(<[u8; 16]>::try_from(&bytes[..]).ok()?.into()),
            },
            Self::Helper(_) | Self::Config => None,
        }
    }

    /// Two numbers with a comma between them or one number, wrapping as the kernel's do.
    fn port(&self) -> Option<u16> {
        match self {
            Self::Tuple(tuple) => Some(tuple.dport),
            // RFC 8415, 7.2: clients listen at 546.
            Self::Helper("dhcpv6") => Some(546),
            // A protocol without ports.
            Self::Helper("rpc") => Some(0),
            // RFC 9110, 4.2.1: the port of a URL that names none.
            Self::Helper("ssdp") => Some(80),
            // The port that kernels before 6.0 attached it to.
            Self::Helper(name) => Spec::named(name)?.ports[0].1,
            Self::Config => None,
            // C11 7.22.1.4: a number too large is the largest.
            Self::Strtol(bytes) => {
                let text = std::str::from_utf8(bytes).ok()?.trim_start();
                // A colon alone says that there is no port.
                let number: i128 = if text == ":" { 0 } else { text.parse().ok()? };
                Some(number.clamp(i64::MIN.into(), i64::MAX.into()) as u16)
            }
            Self::Number(bytes) => Some(u16::from_be_bytes(bytes[..].try_into().ok()?)),
            Self::Text(bytes) => {
                let numbers: Vec<u32> = std::str::from_utf8(bytes)
                    .ok()?
                    .split(',')
                    .map(number)
                    .collect::<Option<_>>()?;
                match numbers[..] {
                    [one] => Some(one as u16),
                    [high, low] => Some((high << 8 | low) as u16),
                    _ => None,
                }
            }
        }
    }
}

/// Four numbers, of which what does not fit an octet runs into the one before.
fn octets(text: &str) -> Option<IpAddr> {
    let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let [a, b, c, d] = numbers[..] else {
        return None;
    };
    Some(Ipv4Addr::from_bits(a << 24 | b << 16 | c << 8 | d).into())
}

/// Digits and nothing else, wrapping.
fn number(text: &str) -> Option<u32> {
    text.chars().try_fold(0_u32, |number, digit| {
        Some(number.wrapping_mul(10).wrapping_add(digit.to_digit(10)?))
    })
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

/// The table of degrees of freedom is what the helpers do, not what somebody remembers: each expectation is as one of
/// its helper's lines says.
#[test]
fn every_expectation_is_as_free_as_its_helper_says() {
    let mut seen: HashMap<&str, u64> = HashMap::new();
    let cases = captures().into_iter().flat_map(|bytes| {
        let modules = [Modules::default(), variants()];
        modules.map(|modules| (bytes.clone(), every_helper(modules)))
    });
    for (bytes, config) in cases {
        let Config {
            modules, kernel, ..
        } = config.clone();
        let mut replay = Replay::new(capture(bytes), config, Clock::Still);
        while let Ok(Some(passage)) = replay.advance() {
            let Arrival::Packet(_, step) = passage.arrival else {
                continue;
            };
            for event in step.events {
                let Event::ExpectationNew(record) = event else {
                    continue;
                };
                let spec = modules.registered_as(record.helper).unwrap().spec;
                let mut lines = spec
                    .freedom
                    .iter()
                    .filter(|line| line.holds(&modules, &kernel));
                assert!(
                    lines.any(|line| is_as_free_as(record, line)),
                    "no line of {} describes {:?}",
                    spec.name,
                    record.expectation
                );
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

fn is_as_free_as(record: &ExpectationRecord, line: &Freedom) -> bool {
    let expectation = &record.expectation;
    let fits = |declared: Field, origin: Option<&Origin>| {
        let possible: &[Field] = match origin {
            None => &[Field::Any],
            Some(Origin::Conntrack(_)) => &[Field::Fixed, Field::Checked, Field::Packet],
            Some(Origin::Command { .. }) => &[Field::Command, Field::Checked],
            // Where the command names no port, it means the helper's.
            Some(Origin::Helper) => &[Field::Helper, Field::Command],
            Some(Origin::Config) => &[Field::Network],
        };
        possible.contains(&declared)
    };
    let src_addr = expectation.src_addr.as_ref().map(|field| &field.origin);
    let src_port = expectation.src_port.as_ref().map(|field| &field.origin);
    fits(line.src_addr, src_addr)
        && fits(line.src_port, src_port)
        && fits(line.dst_addr, Some(&expectation.dst_addr.origin))
        && fits(line.dst_port, Some(&expectation.dst_port.origin))
        && line.protocol.unwrap_or(record.master.protocol) == expectation.protocol
        && (line.class, line.permanent, line.read_by)
            == (
                expectation.class,
                expectation.flags.permanent,
                expectation.helper,
            )
}
