//! Rules against packets whose source address is not their sender's.
//!
//! A helper opens what a packet asks for, and whose packet that is, its source address says. So the rules that attach
//! helpers are worth as much as the addresses in them (BCP 38, RFC 2827; BCP 84, RFC 3704).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ipnet::IpNet;

use crate::ruleset::{Base, Condition, End, Hook, Match, Name, Rule, Verdict, Way};
use crate::topology::{Interface, Topology};

/// Where the rules of `manual` belong: before conntrack, so that what they drop makes no flow (`NF_IP_PRI_RAW`, raw
/// PREROUTING).
pub const BASE: Base = Base {
    hook: Hook::Prerouting,
    priority: -300,
    accepts: true,
};

/// One rule or none a family for every interface, behind those that are for all but `lo`. Each drops, and none accepts.
pub fn manual(topology: &Topology) -> Vec<Rule> {
    let mut rules = Vec::new();
    let not_lo = Condition::not(by("lo"));
    for impossible in IMPOSSIBLE {
        let from = Condition::is(Match::addresses(End::Src, impossible.to_vec()));
        let comment = "nobody's source address";
        rules.push(drops([not_lo.clone(), from], comment.to_owned()));
    }
    for interface in topology.interfaces() {
        for (is_ipv6, always) in [(false, ALWAYS_IPV4), (true, ALWAYS_IPV6)] {
            rules.extend(if interface.has_default_route {
                of_others(topology, interface, is_ipv6)
            } else {
                Some(not_its_own(topology, interface, is_ipv6, always))
            });
        }
    }
    rules
}

/// Behind the default route is everybody but those that are behind another interface.
fn of_others(topology: &Topology, interface: &Interface, is_ipv6: bool) -> Option<Rule> {
    let others = topology.interfaces().iter();
    let others = others.filter(|other| *other != interface);
    let networks = others.flat_map(|other| topology.sources(other)).collect();
    let ranges = ranges(&IpNet::aggregate(&networks), is_ipv6);
    let from = Match::addresses(End::Src, ranges);
    let is_none = matches!(&from, Match::Address(_, ranges) if ranges.is_empty());
    let conditions = [Condition::is(by(&interface.name)), Condition::is(from)];
    let comment = || format!("of another interface than {}", interface.name);
    (!is_none).then(|| drops(conditions, comment()))
}

fn not_its_own(
    topology: &Topology,
    interface: &Interface,
    is_ipv6: bool,
    always: &[RangeInclusive<IpAddr>],
) -> Rule {
    let mut known = always.to_vec();
    known.extend(ranges(&topology.sources(interface), is_ipv6));
    let from = Condition::not(Match::addresses(End::Src, known));
    let comment = format!("of no network of {}", interface.name);
    drops([Condition::is(by(&interface.name)), from], comment)
}

fn drops(conditions: [Condition; 2], comment: String) -> Rule {
    Rule {
        conditions: conditions.into(),
        verdict: Some(Verdict::Drop),
        comment: Some(comment),
        ..Rule::default()
    }
}

fn by(interface: &str) -> Match {
    let name = Name {
        text: interface.to_owned(),
        begins: false,
    };
    Match::Interface(Way::In, vec![name])
}

fn ranges(networks: &[IpNet], is_ipv6: bool) -> Vec<RangeInclusive<IpAddr>> {
    let of_family = networks
        .iter()
        .filter(|network| network.addr().is_ipv6() == is_ipv6);
    of_family
        .map(|network| network.network()..=network.broadcast())
        .collect()
}

/// Who asks for its address has none yet (RFC 2131, section 4.1).
const ALWAYS_IPV4: &[RangeInclusive<IpAddr>] =
    &[IpAddr::V4(Ipv4Addr::UNSPECIFIED)..=IpAddr::V4(Ipv4Addr::UNSPECIFIED)];

/// Who looks whether an address is free has none yet (RFC 4862, section 5.4); link-local addresses are on every
/// interface (RFC 4291, section 2.5.6).
const ALWAYS_IPV6: &[RangeInclusive<IpAddr>] = &[
    IpAddr::V6(Ipv6Addr::UNSPECIFIED)..=IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    v6(0xfe80 << 112)..=v6((0xfec0 << 112) - 1),
];

/// Loopback never comes by a wire, and a group sends nothing (RFC 1122, section 3.2.1.3; RFC 4291, sections 2.5.3 and
/// 2.7).
const IMPOSSIBLE: [&[RangeInclusive<IpAddr>]; 2] = [
    &[
        v4(127, 0)..=v4(127, 0x00ff_ffff),
        v4(224, 0)..=v4(239, 0x00ff_ffff),
    ],
    &[v6(1)..=v6(1), v6(0xff << 120)..=v6(u128::MAX)],
];

const fn v4(first: u8, rest: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits((first as u32) << 24 | rest))
}

const fn v6(bits: u128) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_bits(bits))
}

/// For the end of a file for nft, where the interfaces are not known: all of it commented out, and any of its tables
/// loads once the `#` is gone from its lines. A `#` and a space begin a remark.
///
/// Sources: nft(8), "FIB EXPRESSIONS"; `nft_fib4_eval`, `nft_fib6_eval`.
pub const NFTABLES: &str = r##"
# Against packets with another's source address, in one of two ways. Take the '#' away from lines that have no space
# behind it.
#
# 1. By the routing table: what an answer would not leave by, the packet must not come by.
# - Where packets come and go by different interfaces, any route at all is enough: fib saddr oif missing drop
# - Where routes depend on marks: fib saddr . mark . iif oif missing drop, at a priority behind the one that sets them.
# - IPsec: what was decrypted comes by the interface that it came by encrypted: meta ipsec exists accept, before the
#   last rule.
# - DHCP needs nothing: 0.0.0.0 passes to 255.255.255.255. Addresses of the firewall's own do not pass.
# - Link-local addresses have no route where the interface has none itself, and '::' never has one.
#table inet reverse_path {
#	chain prerouting {
#		type filter hook prerouting priority raw; policy accept;
#		ip6 saddr { ::, fe80::/10 } accept
#		fib saddr . iif oif missing drop
#	}
#}
#
# 2. By hand. These are examples: put in your own. A further interface needs a variable and rules of its own.
#define out_iface = "wan0"
#define lan_iface = "lan0"
#define lan_nets = { 192.0.2.0/24, 198.51.100.0/24 }
#define lan_nets6 = { 2001:db8:1::/64 }
#table inet anti_spoofing {
#	chain prerouting {
#		type filter hook prerouting priority raw; policy accept;
#		iifname != "lo" ip saddr { 127.0.0.0/8, 224.0.0.0/4 } drop
#		iifname != "lo" ip6 saddr { ::1, ff00::/8 } drop
#		iifname $lan_iface ip saddr != 0.0.0.0 ip saddr != $lan_nets drop
#		iifname $lan_iface ip6 saddr != { ::, fe80::/10 } ip6 saddr != $lan_nets6 drop
#		iifname $out_iface ip saddr $lan_nets drop
#		iifname $out_iface ip6 saddr $lan_nets6 drop
#	}
#}
"##;

/// The same for iptables-restore: lines of the table raw, which a file must not name twice, as the second time empties
/// it.
///
/// Sources: iptables-extensions(8), "rpfilter" and "iprange"; ipt_rpfilter.c `rpfilter_mt`.
pub const IPTABLES: &str = r##"
# Against packets with another's source address, in one of two ways, in the table raw. Take the '#' away from lines that
# have no space behind it.
#
# 1. By the routing table: what an answer would not leave by, the packet must not come by.
# - Where packets come and go by different interfaces, any route at all is enough: --loose
# - Where routes depend on marks: --validmark, in the table mangle behind the rule that sets them.
# - IPsec: what was decrypted comes by the interface that it came by encrypted, and is treated like the rest: combine
#   it with -m policy.
# - DHCP needs nothing: 0.0.0.0 passes to 255.255.255.255. Addresses of the firewall's own need --accept-local.
#-A PREROUTING -m rpfilter --invert -j DROP
#
# 2. By hand. These are examples: put in your own. A further network needs a further -m iprange ! --src-range.
#-A PREROUTING ! -i lo -s 127.0.0.0/8,224.0.0.0/4 -j DROP
#-A PREROUTING -i lan0 ! -s 192.0.2.0/24 -m iprange ! --src-range 0.0.0.0-0.0.0.0 -j DROP
#-A PREROUTING -i wan0 -s 192.0.2.0/24 -j DROP
"##;

/// The same for ip6tables-restore.
///
/// Source: ip6t_rpfilter.c `rpfilter_mt`.
pub const IP6TABLES: &str = r##"
# Against packets with another's source address, in one of two ways, in the table raw. Take the '#' away from lines that
# have no space behind it.
#
# 1. By the routing table, as with iptables. '::' always passes; link-local addresses have no route where the interface
# has none itself.
#-A PREROUTING ! -s fe80::/10 -m rpfilter --invert -j DROP
#
# 2. By hand. These are examples: put in your own. A further network needs a further -m iprange ! --src-range.
#-A PREROUTING ! -i lo -s ::1,ff00::/8 -j DROP
#-A PREROUTING -i lan0 ! -s 2001:db8:1::/64 -m iprange ! --src-range ::-:: -m iprange ! --src-range fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff -j DROP
#-A PREROUTING -i wan0 -s 2001:db8:1::/64 -j DROP
"##;
