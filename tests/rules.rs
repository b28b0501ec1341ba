//! Rules as text.

use ctaudit::rules::{Match, Rule, nftables};
use ctaudit::tuple::Protocol;

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
