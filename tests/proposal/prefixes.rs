//! Few prefixes for many hosts: against every answer that there is, where the hosts are few.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ctaudit::proposal::prefixes::cover;
use ipnet::IpNet;
use proptest::prelude::*;

/// For every set of hosts of a small world, and every number of other addresses in it: as few prefixes as the fewest of
/// all sets of prefixes, and of those as few other addresses.
fn holds_against_every_choice(hosts: &[IpAddr], prefixes: &[IpNet]) {
    let covered = |prefixes: &[IpNet]| -> u32 {
        let holds = |host: &IpAddr| prefixes.iter().any(|prefix| prefix.contains(host));
        let bits = hosts.iter().enumerate();
        bits.map(|(bit, host)| u32::from(holds(host)) << bit).sum()
    };
    let each: Vec<u32> = prefixes
        .iter()
        .map(|prefix| covered(std::slice::from_ref(prefix)))
        .collect();
    // By what is covered, the fewest prefixes for that.
    let mut fewest = vec![u32::MAX; 1 << hosts.len()];
    for choice in 0_u32..1 << prefixes.len() {
        let chosen = (0..prefixes.len()).filter(|bit| choice >> bit & 1 == 1);
        let union = chosen.fold(0, |union, bit| union | each[bit]) as usize;
        fewest[union] = fewest[union].min(choice.count_ones());
    }
    for set in 0_u32..1 << hosts.len() {
        let of_set = |bit: &usize| set >> bit & 1 == 1;
        let asked: BTreeSet<IpAddr> = (0..hosts.len())
            .filter(of_set)
            .map(|bit| hosts[bit])
            .collect();
        for more in 0..=hosts.len() as u32 {
            let unions = (0_u32..1 << hosts.len()).filter(|union| union & set == set);
            let best = unions
                .map(|union| (fewest[union as usize], (union & !set).count_ones()))
                .filter(|(_, others)| *others <= more)
                .min();
            let answer = cover(&asked, more.into());
            let union = covered(&answer);
            assert_eq!(union & set, set, "{asked:?} {more}: {answer:?}");
            let others = (union & !set).count_ones();
            assert_eq!(
                Some((answer.len() as u32, others)),
                best,
                "{asked:?} {more}: {answer:?}"
            );
        }
    }
}

fn below(prefix: &str) -> (Vec<IpAddr>, Vec<IpNet>) {
    let prefix: IpNet = prefix.parse().unwrap();
    let lengths = prefix.prefix_len()..=prefix.max_prefix_len();
    let prefixes: Vec<IpNet> = lengths
        .flat_map(|length| prefix.subnets(length).unwrap())
        .collect();
    let hosts = prefixes
        .iter()
        .filter(|below| below.prefix_len() == below.max_prefix_len());
    (hosts.map(IpNet::addr).collect(), prefixes)
}

#[test]
fn no_choice_is_better_among_eight_addresses() {
    let (hosts, prefixes) = below("192.0.2.8/29");
    holds_against_every_choice(&hosts, &prefixes);
}

/// What may be added is shared by both families.
#[test]
fn no_choice_is_better_where_there_are_both_families() {
    let (mut hosts, mut prefixes) = below("192.0.2.4/30");
    let (ipv6_hosts, ipv6_prefixes) = below("2001:db8::/126");
    hosts.extend(ipv6_hosts);
    prefixes.extend(ipv6_prefixes);
    holds_against_every_choice(&hosts, &prefixes);
}

fn texts(hosts: &[&str], more: u64) -> Vec<String> {
    let hosts = hosts.iter().map(|host| host.parse().unwrap()).collect();
    cover(&hosts, more).iter().map(IpNet::to_string).collect()
}

#[test]
fn of_equals_the_lower_addresses_share_a_prefix() {
    let hosts = ["192.0.2.0", "192.0.2.2", "192.0.2.8", "192.0.2.10"];
    assert_eq!(
        texts(&hosts, 2),
        ["192.0.2.0/30", "192.0.2.8/32", "192.0.2.10/32"]
    );
    let both = ["192.0.2.0", "192.0.2.2", "2001:db8::", "2001:db8::2"];
    assert_eq!(
        texts(&both, 2),
        ["192.0.2.0/30", "2001:db8::/128", "2001:db8::2/128"]
    );
}

#[test]
fn addresses_from_end_to_end_do_not_overflow() {
    assert!(texts(&[], u64::MAX).is_empty());
    let ends = ["0.0.0.0", "255.255.255.255"];
    assert_eq!(texts(&ends, (1 << 32) - 2), ["0.0.0.0/0"]);
    assert_eq!(texts(&ends, (1 << 32) - 3).len(), 2);
    let ends = ["::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"];
    assert_eq!(texts(&ends, u64::MAX).len(), 2);
    // One less than 2^64.
    let network = ["2001:db8::", "2001:db8::ffff:ffff:ffff:ffff"];
    assert_eq!(texts(&network, u64::MAX), ["2001:db8::/64"]);
}

fn hosts() -> impl Strategy<Value = BTreeSet<IpAddr>> {
    let near = (0_u32..600).prop_map(|low| Ipv4Addr::from_bits(0xc000_0200 + low).into());
    let near_ipv6 =
        (0_u128..600).prop_map(|low| Ipv6Addr::from_bits((0x2001_0db8 << 96) + low).into());
    let address = prop_oneof![4 => near, 3 => near_ipv6, 1 => any::<IpAddr>()];
    proptest::collection::btree_set(address, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn without_other_addresses_it_is_the_aggregate(hosts in hosts()) {
        let routes: Vec<IpNet> = hosts.iter().map(|host| (*host).into()).collect();
        let mut aggregate = IpNet::aggregate(&routes);
        aggregate.sort();
        prop_assert_eq!(cover(&hosts, 0), aggregate);
    }

    /// Nothing that was asked for is missing, prefixes are apart and ascend, and more freedom never takes more of them.
    #[test]
    fn prefixes_cover_the_hosts_and_little_else(hosts in hosts(), more in 0_u64..5000) {
        let prefixes = cover(&hosts, more);
        prop_assert!(hosts.iter().all(|host| prefixes.iter().any(|prefix| prefix.contains(host))));
        prop_assert!(prefixes.is_sorted());
        let apart = |pair: &[IpNet]| !pair[0].contains(&pair[1]);
        prop_assert!(prefixes.windows(2).all(apart));
        let sizes = prefixes.iter().map(|prefix| 1_u128 << (prefix.max_prefix_len() - prefix.prefix_len()));
        prop_assert!(sizes.sum::<u128>() <= hosts.len() as u128 + u128::from(more));
        prop_assert!(prefixes.len() >= cover(&hosts, more + 100).len());
    }
}
