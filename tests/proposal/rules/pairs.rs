//! Products of clients and servers: all pairs that were seen, and no other.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ctaudit::proposal::Target;
use ctaudit::ruleset::{End, Match, Rule};
use ipnet::IpNet;
use proptest::prelude::*;

use super::{accepted, attached, of, passive};

type Pair = (IpAddr, IpAddr);

/// Few clients and servers, so that pairs share them.
fn pairs() -> impl Strategy<Value = BTreeSet<(u8, u8)>> {
    proptest::collection::btree_set((0_u8..7, 0_u8..5), 1..20)
}

fn address(text: &str, host: u8) -> String {
    format!("{text}{host}")
}

/// Each once, as a rule may admit it.
fn products<'n>(rules: impl Iterator<Item = (&'n [IpNet], &'n [IpNet])>) -> Vec<Pair> {
    // Not `IpNet::hosts`, which leaves out the first and the last.
    let addresses = |net: &IpNet| {
        net.subnets(net.max_prefix_len())
            .unwrap()
            .map(|of| of.addr())
    };
    let hosts = |nets: &[IpNet]| -> Vec<IpAddr> { nets.iter().flat_map(addresses).collect() };
    let products = rules.flat_map(|(src, dst)| {
        let (src, dst) = (hosts(src), hosts(dst));
        let pair = move |from: IpAddr| dst.clone().into_iter().map(move |to| (from, to));
        src.into_iter().flat_map(pair).collect::<Vec<_>>()
    });
    let mut all: Vec<Pair> = products.collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn rules_admit_the_pairs_that_were_seen_and_no_other(seen in pairs()) {
        let (client, server) = ("192.0.2.", "203.0.113.");
        let sessions: Vec<_> = seen
            .iter()
            .map(|&(from, to)| passive(&address(client, from + 8), &address(server, to + 16), 40000))
            .collect();
        let expected: Vec<Pair> = seen
            .iter()
            .map(|&(from, to)| {
                let [from, to] = [address(client, from + 8), address(server, to + 16)];
                (from.parse().unwrap(), to.parse().unwrap())
            })
            .collect();
        let proposal = of(&sessions);
        let attached = attached(&proposal);
        let attaches = attached.iter().map(|rule| (&rule.clients[..], &rule.servers[..]));
        prop_assert_eq!(products(attaches), expected.clone());
        let accepted = accepted(&proposal);
        let accepts = accepted.iter().map(|rule| (&rule.src[..], &rule.dst[..]));
        prop_assert_eq!(products(accepts), expected.clone());
        // No more rules than there are clients, or servers: one for each alone would do.
        let clients: BTreeSet<u8> = seen.iter().map(|pair| pair.0).collect();
        let servers: BTreeSet<u8> = seen.iter().map(|pair| pair.1).collect();
        prop_assert!(attached.len() <= clients.len().min(servers.len()));
        // What is written says the same as what is proposed.
        for target in [Target::Nftables, Target::Iptables] {
            let set = proposal.ruleset(target);
            let rules: Vec<&Rule> = set
                .rules()
                .filter_map(|(_, rule)| rule.effect.is_some().then_some(rule))
                .collect();
            for client in 8..15 {
                for server in 16..21 {
                    let pair = (client - 8, server - 16);
                    let admits = |rule: &&Rule| {
                        holds(rule, End::Src, &format!("192.0.2.{client}"))
                            && holds(rule, End::Dst, &format!("203.0.113.{server}"))
                    };
                    let admitted = rules.iter().any(admits);
                    prop_assert_eq!(admitted, seen.contains(&pair));
                }
            }
        }
    }
}

fn holds(rule: &Rule, end: End, address: &str) -> bool {
    let address: IpAddr = address.parse().unwrap();
    rule.conditions
        .iter()
        .all(|condition| match &condition.matches {
            Match::Address(of, ranges) if *of == end => {
                ranges.iter().any(|range| range.contains(&address))
            }
            _ => true,
        })
}

/// Two clients of two servers each, of which they share one: no product holds all three pairs, and no more.
#[test]
fn a_pair_is_in_one_rule_only() {
    let proposal = of(&[
        passive("192.0.2.10", "203.0.113.16", 40000),
        passive("192.0.2.11", "203.0.113.16", 40000),
        passive("192.0.2.11", "203.0.113.17", 40000),
    ]);
    assert_eq!(attached(&proposal).len(), 2);
}
