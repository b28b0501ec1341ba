//! Rules as text.

mod prefixes;
mod set_up;
mod spoofing;
mod topology;

use std::collections::BTreeSet;

use ctaudit::helper::Modules;
use ctaudit::proposal::{Match, Rule, conntrackd, nftables};
use ctaudit::service::Service;
use ctaudit::tuple::Protocol;

use crate::support::variants;

fn related(helper: &'static str, protocol: Protocol) -> String {
    nftables::rule(&Rule {
        matches: Match::Related {
            helper,
            protocol,
            src: "192.0.2.11".parse().unwrap(),
            dst: "198.51.100.17".parse().unwrap(),
            ports: (7, 9),
        },
        needed_by: 1,
        evidence: vec![1],
    })
}

/// `gre dport` is no expression of nft (libnftables 1.0.6).
#[test]
fn gre_has_no_ports() {
    assert_eq!(
        related("pptp", Protocol::GRE),
        "ct state related ct helper \"pptp\" ip saddr 192.0.2.11 ip daddr 198.51.100.17 meta l4proto gre accept"
    );
    assert_eq!(
        related("sane", Protocol::TCP),
        "ct state related ct helper \"sane\" ip saddr 192.0.2.11 ip daddr 198.51.100.17 tcp dport 7-9 accept"
    );
}

fn assign(helper: &'static str, protocol: Protocol, port: u16) -> Rule {
    Rule {
        matches: Match::Assign {
            service: Service {
                helper,
                protocol,
                server: "198.51.100.17".parse().unwrap(),
                port,
            },
            clients: BTreeSet::new(),
        },
        needed_by: 1,
        evidence: vec![1],
    }
}

fn set_up(rules: &[Rule], modules: &Modules) -> Vec<String> {
    let mut script = Vec::new();
    conntrackd::script(&mut script, &conntrackd::instances(rules, modules)).unwrap();
    let script = String::from_utf8(script).unwrap();
    script.lines().map(|line| line.trim().to_owned()).collect()
}

/// nfct(8), and the `Helper` block of doc/helper/conntrackd.conf: a type and a queue for each protocol, once.
#[test]
fn conntrackd_is_set_up_for_what_the_rules_name() {
    let mut modules = Modules::default();
    modules.set_policy("rpc=4/60").unwrap();
    let rules = [
        assign("tftp", Protocol::UDP, 69),
        assign("rpc", Protocol::UDP, 111),
        assign("rpc", Protocol::TCP, 111),
        assign("rpc", Protocol::TCP, 1111),
        assign("dhcpv6", Protocol::UDP, 547),
    ];
    let lines = set_up(&rules, &modules);
    for line in [
        "nfct add helper dhcpv6 inet6 udp",
        "nfct add helper rpc inet tcp",
        "nfct add helper rpc inet udp",
        "Type dhcpv6 inet6 udp {",
        "Type rpc inet tcp {",
        "Type rpc inet udp {",
        "QueueNum 200",
        "QueueNum 201",
        "QueueNum 202",
    ] {
        assert_eq!(
            lines.iter().filter(|have| *have == line).count(),
            1,
            "{line}"
        );
    }
    let of_rpc = lines.iter().filter(|line| *line == "ExpectMax 4").count();
    assert_eq!(of_rpc, 2);
    assert!(!lines.iter().any(|line| line.contains("tftp")));
}

/// The kernel looks up the helper of an expected flow by that flow's protocol.
#[test]
fn a_helper_that_flows_inherit_is_set_up_for_their_protocol() {
    let modules = Modules::default();
    let searched = assign("ssdp", Protocol::UDP, 1900);
    let fetched = Rule {
        matches: Match::Related {
            helper: "ssdp",
            protocol: Protocol::TCP,
            src: "192.0.2.11".parse().unwrap(),
            dst: "192.0.2.12".parse().unwrap(),
            ports: (8200, 8200),
        },
        ..searched.clone()
    };
    let has_tcp = |rules: &[Rule]| {
        let lines = set_up(rules, &modules);
        lines.contains(&"Type ssdp inet tcp {".to_owned())
    };
    assert!(!has_tcp(std::slice::from_ref(&searched)));
    assert!(has_tcp(&[searched, fetched]));
}

#[test]
fn the_kernels_module_makes_room_for_conntrackds_helper() {
    let lines = set_up(&[assign("ftp", Protocol::TCP, 21)], &variants());
    for line in [
        "modprobe -r nf_conntrack_ftp",
        "nfct add helper ftp inet tcp",
        "Type ftp inet tcp {",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line}");
    }
}
