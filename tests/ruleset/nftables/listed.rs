//! Rule sets as they are found on firewalls.

use ctaudit::conntrack::State;
use ctaudit::ruleset::{Condition, Effect, Family, Hook, Match, Ruleset, Verdict, nftables};

fn read(text: &str) -> Ruleset {
    let ruleset = nftables::read(text, 0);
    assert_eq!(ruleset.unread, []);
    ruleset
}

fn names(ruleset: &Ruleset) -> Vec<&str> {
    ruleset
        .chains
        .iter()
        .map(|chain| chain.name.as_str())
        .collect()
}

/// A small office's, as `nft list ruleset` prints it.
pub const ROUTER: &str = r#"table inet filter {
	ct helper ftp-standard {
		type "ftp" protocol tcp
		l3proto inet
	}

	ct helper sip-5060 {
		type "sip" protocol udp
		l3proto ip
	}

	set admins {
		type ipv4_addr
		flags interval
		counter
		auto-merge
		elements = { 192.0.2.10 counter packets 0 bytes 0, 192.0.2.32/29 counter packets 0 bytes 0,
			     198.51.100.7 counter packets 3 bytes 180 comment "home" }
	}

	set services {
		type ipv4_addr . inet_proto . inet_service
		flags interval
		elements = { 203.0.113.5 . tcp . 80,
			     203.0.113.5 . tcp . 443,
			     203.0.113.6 . udp . 5060-5061 }
	}

	map ways {
		type ifname : verdict
		elements = { "lan0" : jump from_lan,
			     "wan0" : jump from_wan }
	}

	counter refused {
		packets 17 bytes 980
	}

	chain helpers {
		type filter hook prerouting priority filter; policy accept;
		ip saddr 10.1.0.0/16 tcp dport 21 counter packets 5 bytes 300 ct helper set "ftp-standard"
		ip saddr 10.1.0.0/16 udp dport { 5060, 5062-5064 } ct helper set "sip-5060"
	}

	chain input {
		type filter hook input priority filter; policy drop;
		ct state vmap { invalid : drop, established : accept, related : accept }
		iif "lo" accept
		ip saddr @admins tcp dport 22 ct state new log prefix "ssh: " level info flags skuid accept
		ip6 nexthdr ipv6-icmp icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } accept
		icmp type echo-request accept
		counter name "refused" reject with icmpx port-unreachable
	}

	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established accept
		ct state related ct helper "ftp" tcp dport 1024-65535 accept
		ct state related icmp type { destination-unreachable, time-exceeded, parameter-problem } accept
		iifname vmap @ways
	}

	chain from_lan {
		oifname "wan0" meta l4proto { tcp, udp } accept
		return
	}

	chain from_wan {
		ip daddr . meta l4proto . th dport @services accept
		ip daddr . meta l4proto . th dport vmap { 203.0.113.7 . tcp . 25 : accept, 203.0.113.7 . udp . 53 : goto from_lan }
		drop
	}
}
"#;

#[test]
fn a_router() {
    let ruleset = read(ROUTER);
    assert_eq!(
        names(&ruleset),
        ["helpers", "input", "forward", "from_lan", "from_wan"]
    );
    let helpers: Vec<_> = ruleset.chains[0]
        .rules
        .iter()
        .map(|rule| rule.effect.clone().unwrap())
        .collect();
    let [Effect::Help(ftp), Effect::Help(sip)] = &helpers[..] else {
        panic!("{helpers:?}");
    };
    assert_eq!((ftp.name.as_str(), ftp.family), ("ftp", Family::Inet));
    assert_eq!((sip.name.as_str(), sip.family), ("sip", Family::Ipv4));
    let forward = &ruleset.chains[2];
    assert!(!forward.base.unwrap().accepts);
    let verdicts: Vec<_> = forward
        .rules
        .iter()
        .filter_map(|rule| rule.verdict)
        .collect();
    assert_eq!(verdicts[3..], [Verdict::Jump(3), Verdict::Jump(4)]);
    let related = &forward.rules[1].conditions;
    assert_eq!(
        related[0],
        Condition::is(Match::State(vec![State::Related]))
    );
    assert_eq!(related[1], Condition::is(Match::Helper("ftp".into())));
    let Match::Any(ways) = &ruleset.chains[4].rules[0].conditions[0].matches else {
        panic!("{:?}", ruleset.chains[4].rules[0]);
    };
    assert_eq!(ways.len(), 3);
    assert_eq!(ruleset.chains[4].rules.len(), 4);
}

/// Zones and policies in many small chains, as firewalld makes them.
pub const ZONES: &str = r#"table inet firewalld {
	ct helper helper-ftp-tcp {
		type "ftp" protocol tcp
		l3proto inet
	}
	chain mangle_PREROUTING {
		type filter hook prerouting priority mangle + 10; policy accept;
		jump mangle_PREROUTING_ZONES
	}
	chain mangle_PREROUTING_ZONES {
		iifname "eth0" goto mangle_PRE_public
		goto mangle_PRE_public
	}
	chain mangle_PRE_public {
	}
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct state invalid drop
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_ZONES {
		iifname "eth0" goto filter_IN_public
		goto filter_IN_public
	}
	chain filter_IN_public {
		jump filter_IN_public_allow
		meta l4proto { icmp, ipv6-icmp } accept
	}
	chain filter_IN_public_allow {
		tcp dport 22 accept
		tcp dport 21 ct helper set "helper-ftp-tcp"
		tcp dport 21 accept
		ip6 daddr fe80::/64 udp dport 546 accept
	}
}
"#;

#[test]
fn chains_by_zone() {
    let ruleset = read(ZONES);
    assert_eq!(ruleset.chains.len(), 7);
    let bases: Vec<_> = ruleset
        .chains
        .iter()
        .filter_map(|chain| chain.base)
        .collect();
    assert_eq!(
        bases.iter().map(|base| base.priority).collect::<Vec<_>>(),
        [-140, 10]
    );
    assert_eq!(bases[1].hook, Hook::Input);
    let zones = &ruleset.chains[1].rules;
    assert_eq!(
        (zones[0].verdict, zones[1].verdict),
        (Some(Verdict::Goto(2)), Some(Verdict::Goto(2)))
    );
    let effects = ruleset.rules().filter(|(_, rule)| rule.effect.is_some());
    assert_eq!(effects.count(), 1);
}

/// A script with definitions, comments on all it does and a helper zone by zone, as OpenWrt's fw4 prints it. Of
/// translation it says what it does not read.
#[test]
fn a_script_with_definitions() {
    let text = r#"table inet fw4
flush table inet fw4
delete table inet fw4

table inet fw4 {
	define lan_devices = { "br-lan" }
	define lan_subnets = { 192.168.1.0/24, fd00:1::/60 }
	define wan_devices = { "wan", "wan6*" }

	ct helper amanda { type "amanda" protocol udp; }
	ct helper tftp { type "tftp" protocol udp; }

	chain input {
		type filter hook input priority filter; policy drop;

		iifname "lo" accept comment "!fw4: Accept traffic from loopback"

		ct state vmap { established : accept, related : accept } comment "!fw4: Handle inbound flows"
		tcp flags & (fin | syn | rst | ack) == syn jump syn_flood comment "!fw4: Rate limit TCP syn packets"
		iifname $lan_devices jump input_lan comment "!fw4: Handle lan input"
		iifname $wan_devices jump input_wan
		jump handle_reject
	}

	chain input_lan {
		ct status dnat accept comment "!fw4: Accept port redirections"
		meta nfproto ipv4 udp dport 68 counter accept
	}

	chain input_wan {
		icmpv6 type . icmpv6 code { nd-neighbor-solicit . no-route, mld-listener-query . no-route } counter accept
		meta nfproto ipv4 meta l4proto "igmp" counter accept
	}

	chain handle_reject {
		meta l4proto tcp reject with tcp reset
		reject with icmp port-unreachable
	}

	chain syn_flood {
		limit rate 25/second burst 50 packets return comment "!fw4: Accept SYN below rate-limit"
		drop
	}

	chain prerouting {
		type filter hook prerouting priority filter; policy accept;
		iifname "br-lan" jump helper_lan comment "!fw4: Handle lan helpers"
	}

	chain helper_lan {
		meta l4proto udp udp dport 10080 ct helper set "amanda" comment "!fw4: amanda"
		meta l4proto udp udp dport 69 ct helper set "tftp" comment "!fw4: tftp"
	}

	chain srcnat {
		type nat hook postrouting priority srcnat; policy accept;
		oifname $wan_devices jump srcnat_wan
	}

	chain srcnat_wan {
		meta nfproto ipv4 masquerade comment "!fw4: Masquerade IPv4 wan traffic"
	}
}
"#;
    let ruleset = nftables::read(text, 0);
    let unread: Vec<_> = ruleset
        .unread
        .iter()
        .map(|unread| text.lines().nth(unread.place.line - 1).unwrap())
        .collect();
    for (line, words) in unread.iter().zip(["limit rate", "masquerade"]) {
        assert!(line.contains(words), "{line}");
    }
    assert_eq!(unread.len(), 2);
    let helpers = ruleset
        .chains
        .iter()
        .find(|chain| chain.name == "helper_lan")
        .unwrap();
    for (rule, name) in helpers.rules.iter().zip(["amanda", "tftp"]) {
        assert!(matches!(&rule.effect, Some(Effect::Help(helper)) if helper.name == name));
        assert_eq!(rule.comment, Some(format!("!fw4: {name}")));
        assert_eq!(rule.conditions.len(), 2);
    }
    // Translation is asked about with a flow's first packets.
    let nat = ruleset
        .chains
        .iter()
        .find(|chain| chain.name == "srcnat")
        .unwrap();
    let first = Match::State(vec![State::New, State::Related]);
    assert_eq!(nat.rules[0].conditions[0], Condition::is(first));
}
