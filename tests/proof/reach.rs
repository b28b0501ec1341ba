//! What a forger could open, by hand.

use ctaudit::conntrack::config::Config;
use ctaudit::helper::Modules;
use ctaudit::kernel::Kernel;
use ctaudit::proposal::Wishes;
use ctaudit::ruleset::Ruleset;

use crate::findings::{end, talk};
use crate::support::proof;
use crate::traffic::at_seconds;
use crate::traffic::flow::Side::{Client, Server};

/// The helper's one connection; 227 names port 40064.
fn passive() -> Vec<u8> {
    let said = [
        (Server, &b"220 ready\r\n"[..]),
        (Client, b"PASV\r\n"),
        (
            Server,
            b"227 Entering Passive Mode (203,0,113,21,156,128)\r\n",
        ),
    ];
    at_seconds((1..).zip(talk(
        end("192.0.2.11", 50000),
        end("203.0.113.21", 21),
        &said,
    )))
}

/// Before and with such rules in FORWARD, the helper attached to this server.
fn reach(server: &str, rules: &str, parameters: &[&str]) -> (u128, u128) {
    let text = format!(
        "table inet t {{
           ct helper f {{ type \"ftp\" protocol tcp; }}
           chain p {{
             type filter hook prerouting priority -190; policy accept;
             ct state new ip daddr {server} tcp dport 21 ct helper set \"f\"
           }}
           chain f {{
             type filter hook forward priority 0; policy drop;
             ct state {{ new, established }} accept
             {rules}
           }}
         }}"
    );
    let rules = Ruleset::read(&text, 0);
    assert_eq!(rules.unread, [], "{text}");
    let mut modules = Modules::default();
    for parameter in parameters {
        modules.set(parameter).unwrap();
    }
    let config = Config::new(Kernel::of("6.18").unwrap(), modules);
    let proof = proof(passive(), &config, rules, &Wishes::default());
    assert_eq!(proof.reach_omitted(), 0);
    proof.reach()["ftp"]
}

/// Any port but 0 of the server: the helper takes no other address than the speaker's (`help` in nf_conntrack_ftp.c,
/// where `loose` is not set), and the client's stays.
#[test]
fn a_passive_server_may_open_any_of_its_ports() {
    for (rules, with_them) in [
        ("", 0),
        ("ct state related accept", 65535),
        ("ct state related tcp dport 40000-40099 accept", 100),
        (
            "ct state related ct helper \"ftp\" tcp dport 40000-40099 accept",
            100,
        ),
        (
            "ct state related ct helper \"irc\" tcp dport 40000-40099 accept",
            0,
        ),
        ("ct state related udp dport 40000-40099 accept", 0),
        // 40000-40149, of which 150 - 10 are not dropped before.
        (
            "tcp dport 40090-40099 drop
             ct state related tcp dport 40000-40099 accept
             ct state related tcp dport { 40050-40149 } accept",
            140,
        ),
        ("ct state related tcp dport != 1-65000 accept", 535),
        (
            "ct state related ip saddr 192.0.2.0/24 tcp dport 40000 accept",
            1,
        ),
        (
            "ct state related ip saddr 192.0.2.12 tcp dport 40000 accept",
            0,
        ),
        ("ct state related ip daddr 203.0.113.22 accept", 0),
        (
            "ct state related ip daddr 203.0.113.20/31 tcp dport 40000 accept",
            1,
        ),
    ] {
        let reach = reach("203.0.113.21", rules, &[]);
        assert_eq!(reach, (65535, with_them), "{rules}");
    }
}

#[test]
fn where_no_helper_is_attached_nothing_can_be_opened() {
    assert_eq!(
        reach("203.0.113.22", "ct state related accept", &[]),
        (65535, 0)
    );
}

/// With `loose`, of all addresses. Of eight that a rule lets in, each with a hundred ports.
#[test]
fn a_loose_helper_opens_addresses_as_well() {
    let rules = "ct state related ip daddr 198.51.100.8/29 tcp dport 40000-40099 accept";
    let (bare, with_them) = reach("203.0.113.21", rules, &["nf_conntrack_ftp.loose=1"]);
    assert_eq!(with_them, 8 * 100);
    // No router forwards to multicast, to 255.255.255.255 and to 0.0.0.0: at most as many as the rest has.
    let forwarded: u128 = (1 << 32) - (1 << 28) - 2;
    assert!(
        bare <= forwarded * 65535 && bare > forwarded * 65535 / 2,
        "{bare}"
    );
}

/// 250 addresses and 250 ports that rules name are 501 regions of each at least, 251,001 destinations: more than are tried.
/// Two of the rules let in the server's port 2002; but all that the helper could open counts as open.
#[test]
fn where_rules_tell_too_many_destinations_apart_all_are_open() {
    let rule = |number: u32| {
        let (address, port) = (2 * number, 2000 + 2 * number);
        format!(
            "ct state related ip daddr {{ 203.0.113.21, 10.0.0.{address} }} tcp dport {port} accept\n"
        )
    };
    let few: String = (1..=2).map(rule).collect();
    assert_eq!(reach("203.0.113.21", &few, &[]), (65535, 2));
    let rule = |number: u32| {
        let (high, low, port) = (number / 100, 2 * (number % 100), 2000 + 2 * number);
        format!(
            "ct state related ip daddr {{ 203.0.113.21, 10.0.{high}.{low} }} tcp dport {port} accept\n"
        )
    };
    let many: String = (1..=250).map(rule).collect();
    assert_eq!(reach("203.0.113.21", &many, &[]), (65535, 65535));
}
