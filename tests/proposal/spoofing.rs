//! Rules against spoofed sources: what they drop, and that the texts load.

use std::net::IpAddr;

use ctaudit::packet::Packet;
use ctaudit::proposal::spoofing::{BASE, IP6TABLES, IPTABLES, NFTABLES, manual};
use ctaudit::ruleset::{Chain, Family, Hook, Hooks, Passing, Ruleset};
use ctaudit::topology::Topology;

use crate::namespace::{must_run, works};
use crate::topology::TWO_SIDES;

fn rules(topology: &str) -> Ruleset {
    let rules = manual(&Topology::parse(topology).unwrap());
    let chain = Chain {
        family: Family::Inet,
        table: "anti_spoofing".to_owned(),
        name: "prerouting".to_owned(),
        base: Some(BASE),
        rules,
    };
    Ruleset {
        chains: vec![chain],
        unread: Vec::new(),
    }
}

fn is_dropped(rules: &Ruleset, interface: &str, src: &str) -> bool {
    let src: IpAddr = src.parse().unwrap();
    let dst = if src.is_ipv6() {
        "2001:db8:f::1"
    } else {
        "198.51.100.1"
    };
    let mut datagram = [0; 40];
    datagram[0] = if src.is_ipv6() { 0x60 } else { 0x45 };
    let packet = Packet {
        number: 1,
        src,
        dst: dst.parse().unwrap(),
        hop_limit: 64,
        datagram: &datagram,
        transport: None,
        captured: datagram.len(),
        fragmented: false,
        tunnel: None,
        key: None,
    };
    let passing = Passing {
        packet: &packet,
        seen: None,
        input: Some(interface),
        output: None,
        local: &[],
    };
    let ruling = rules.decide(&Hooks::of(rules), Hook::Prerouting, &passing, None);
    assert!(ruling.undecided.is_empty());
    ruling.dropped
}

#[test]
fn a_source_passes_by_its_own_interface_alone() {
    let rules = rules(TWO_SIDES);
    for (src, own) in [
        ("192.0.2.9", &["lan0"][..]),
        ("10.0.0.1", &["lan0"]),
        ("10.2.0.1", &["lan0"]),
        ("10.1.0.1", &["lan1"]),
        ("2001:db8:1::9", &["lan0"]),
        ("203.0.113.1", &["wan0"]),
        ("198.51.100.9", &["wan0"]),
        ("2001:db8:2::9", &["wan0"]),
        // Nobody's yet, or everybody's.
        ("0.0.0.0", &["lan0", "lan1", "wan0"]),
        ("::", &["lan0", "lan1", "wan0"]),
        ("fe80::1", &["lan0", "lan1", "wan0"]),
        ("febf:ffff::1", &["lan0", "lan1", "wan0"]),
        ("fec0::1", &["wan0"]),
        // Nobody's ever.
        ("127.0.0.1", &[]),
        ("127.255.255.255", &[]),
        ("224.0.0.1", &[]),
        ("239.255.255.255", &[]),
        ("::1", &[]),
        ("ff02::1", &[]),
    ] {
        for interface in ["lan0", "lan1", "wan0"] {
            let passes = !is_dropped(&rules, interface, src);
            assert_eq!(passes, own.contains(&interface), "{src} by {interface}");
        }
    }
}

/// For every address about an edge: rules and topology say the same.
#[test]
fn rules_agree_with_the_routes() {
    let topology = Topology::parse(TWO_SIDES).unwrap();
    let rules = rules(TWO_SIDES);
    let networks = topology
        .interfaces()
        .iter()
        .flat_map(|interface| &interface.networks);
    for network in networks {
        let (first, last) = (network.network(), network.broadcast());
        let (before, behind) = match (first, last) {
            (IpAddr::V4(first), IpAddr::V4(last)) => (
                IpAddr::from((first.to_bits() - 1).to_be_bytes()),
                IpAddr::from((last.to_bits() + 1).to_be_bytes()),
            ),
            (IpAddr::V6(first), IpAddr::V6(last)) => (
                IpAddr::from((first.to_bits() - 1).to_be_bytes()),
                IpAddr::from((last.to_bits() + 1).to_be_bytes()),
            ),
            _ => unreachable!("a network is of one family"),
        };
        for address in [before, first, last, behind] {
            for interface in ["lan0", "lan1", "wan0"] {
                let passes = !is_dropped(&rules, interface, &address.to_string());
                let routed = topology.interface_of(address) == Some(interface);
                assert_eq!(passes, routed, "{address} by {interface}");
            }
        }
    }
}

#[test]
fn what_comes_by_lo_is_the_firewalls_own() {
    let rules = rules(TWO_SIDES);
    for src in ["127.0.0.1", "::1", "192.0.2.1", "203.0.113.1"] {
        assert!(!is_dropped(&rules, "lo", src), "{src}");
    }
}

#[test]
fn an_interface_without_networks_of_a_family_takes_none_of_it() {
    let rules = rules("[[interface]]\nname = \"lan0\"\nnetworks = [\"192.0.2.0/24\"]");
    for (src, is_spoofed) in [
        ("192.0.2.9", false),
        ("192.0.3.9", true),
        ("0.0.0.0", false),
        ("2001:db8::1", true),
        ("::", false),
        ("fe80::1", false),
    ] {
        assert_eq!(is_dropped(&rules, "lan0", src), is_spoofed, "{src}");
    }
}

/// Two for all interfaces, then one an interface and family; none for nothing.
#[test]
fn there_is_one_rule_an_interface_and_family() {
    let rules = rules(TWO_SIDES);
    let comments: Vec<&str> = rules
        .rules()
        .filter_map(|(_, rule)| rule.comment.as_deref())
        .collect();
    assert_eq!(
        comments,
        [
            "nobody's source address",
            "nobody's source address",
            "of no network of lan0",
            "of no network of lan0",
            "of no network of lan1",
            "of no network of lan1",
            "of another interface than wan0",
            "of another interface than wan0",
        ]
    );
}

/// The text without the `#` of the lines that are no remarks.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix('#') {
        Some(rule) if !rule.is_empty() && !rule.starts_with(' ') => rule,
        _ => line,
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn commented_out_lines_do_nothing() {
    for text in [NFTABLES, IPTABLES, IP6TABLES] {
        assert!(
            text.lines()
                .all(|line| line.is_empty() || line.starts_with('#'))
        );
        assert!(
            uncommented(text)
                .lines()
                .any(|line| line.contains("drop") || line.contains("DROP"))
        );
    }
}

/// The program takes the text, where it takes the shortest of all.
fn assert_loads(command: &str, shortest: &str, text: &str) {
    if works(command, command, shortest) {
        must_run(command, text);
    }
}

#[test]
fn the_texts_load() {
    for text in [NFTABLES.to_owned(), uncommented(NFTABLES)] {
        assert_loads("nft -c -f -", "table inet t {}\n", &text);
    }
    for (program, text) in [
        ("iptables-restore", IPTABLES),
        ("ip6tables-restore", IP6TABLES),
        ("iptables-legacy-restore", IPTABLES),
        ("ip6tables-legacy-restore", IP6TABLES),
    ] {
        for lines in [text.to_owned(), uncommented(text)] {
            let file = format!("*raw\n{lines}COMMIT\n");
            assert_loads(&format!("{program} --test"), "*raw\nCOMMIT\n", &file);
        }
    }
}
