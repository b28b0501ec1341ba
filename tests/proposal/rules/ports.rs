//! The range of ports, by arithmetic.
//!
//! Of n ports seen, the lowest and the highest are (highest - lowest) / (n - 1) from their neighbours in the mean; so far
//! the range goes on.

use std::ops::RangeInclusive;

use ctaudit::proposal::Wishes;

use super::{accepted, of, of_sample, passive};
use crate::support::firewall;

/// What is proposed where as many clients came to these ports of a server.
fn range(ports: &[u16]) -> RangeInclusive<u16> {
    let session = |(host, port): (u8, &u16)| {
        let client = format!("192.0.2.{host}");
        passive(&client, "203.0.113.21", *port)
    };
    let sessions: Vec<_> = (11..).zip(ports).map(session).collect();
    let proposal = of(&sessions);
    let [accept] = accepted(&proposal)[..] else {
        panic!("{ports:?}: {proposal:?}")
    };
    let seen: std::collections::BTreeSet<_> = ports.iter().collect();
    assert_eq!(accept.ports_seen, seen.len());
    accept.ports.clone().unwrap()
}

#[test]
fn a_range_goes_on_for_the_mean_distance() {
    for (ports, expected) in [
        (&[40000, 40010, 40020][..], 39990..=40030),
        (&[40000, 40001], 39999..=40002),
        // 100 / 3, whole ports.
        (&[40000, 40010, 40050, 40100], 39967..=40133),
        // A port that comes twice is one.
        (&[40000, 40020, 40020, 40000], 39980..=40040),
        (&[40020, 40000], 39980..=40040),
    ] {
        assert_eq!(range(ports), expected, "{ports:?}");
    }
}

/// 1024 is the first port that programs without privileges get; 65535 the last there is.
#[test]
fn a_range_ends_where_ports_do() {
    for (ports, expected) in [
        (&[1100, 1300][..], 1024..=1500),
        (&[65000, 65500], 64500..=65535),
        (&[2000, 60000], 1024..=65535),
    ] {
        assert_eq!(range(ports), expected, "{ports:?}");
    }
}

#[test]
fn one_flow_shows_no_range() {
    for (ports, expected) in [
        (&[40000][..], 1024..=65535),
        (&[1024], 1024..=65535),
        (&[40000, 40000], 40000..=40000),
    ] {
        assert_eq!(range(ports), expected, "{ports:?}");
    }
}

/// Below 1024 are the services' ports (RFC 6335, 6): such a one was meant.
#[test]
fn a_services_port_stands_as_it_is() {
    for (ports, expected) in [
        (&[990][..], 990..=990),
        (&[990, 990], 990..=990),
        (&[990, 1000], 990..=1010),
    ] {
        assert_eq!(range(ports), expected, "{ports:?}");
    }
}

/// An answer of a TFTP server comes to the port that the client asked from, which nobody announces.
#[test]
fn one_answer_of_tftp_may_come_to_any_port_of_the_clients() {
    let config = firewall("6.18", false);
    let proposal = of_sample("tftp/write.pcap", &config, &Wishes::default());
    let [accept] = accepted(&proposal)[..] else {
        panic!("{proposal:?}")
    };
    assert_eq!(accept.ports, Some(1024..=65535));
    assert_eq!(accept.src.len(), 1);
}
