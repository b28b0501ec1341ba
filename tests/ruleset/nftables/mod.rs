//! nft's language, both ways. What the words mean is nft(8)'s, and nft's own translation of them (`nft --debug=netlink`,
//! 1.0.6).

mod hostile;
mod listed;
mod loaded;
mod written;

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::Status;
use ctaudit::packet::route::Kind;
use ctaudit::ruleset::{
    Base, Condition, Effect, End, Family, Helper, Hook, Match, Name, Rule, Ruleset, Verdict, Way,
    nftables,
};
use ctaudit::tuple::{Direction, Protocol};

use crate::ruleset::iptables::Case;

/// A chain of these rules, read; nothing may be unread.
fn rules(lines: &str) -> Vec<Rule> {
    let ruleset = read(lines);
    assert_eq!(ruleset.unread, [], "{lines}");
    ruleset.chains[0].rules.clone()
}

fn read(lines: &str) -> Ruleset {
    let text = format!(
        "table inet t {{ chain c {{ type filter hook forward priority 0; policy drop;\n{lines}\n}} }}"
    );
    nftables::read(&text, 0)
}

/// What the only rule asks.
fn asked(words: &str) -> Vec<Condition> {
    let mut rules = rules(&format!("{words} accept"));
    assert_eq!(rules.len(), 1, "{words}");
    let rule = rules.remove(0);
    assert_eq!(rule.verdict, Some(Verdict::Accept));
    rule.conditions
}

/// Why the only rule is not understood.
fn unread(words: &str) -> &'static str {
    let ruleset = read(&format!("{words} accept"));
    assert_eq!(ruleset.unread.len(), 1, "{words}: {:?}", ruleset.unread);
    assert_eq!(ruleset.unread[0].place.line, 2);
    let rule = &ruleset.chains[0].rules[0];
    let last = rule.conditions.last().map(|condition| &condition.matches);
    assert_eq!(last, Some(&Match::Unknown(ruleset.unread[0].text.clone())));
    ruleset.unread[0].why
}

fn is(matches: Match) -> Vec<Condition> {
    vec![Condition::is(matches)]
}

fn protocol(number: u8) -> Condition {
    Condition::is(Match::Protocol(vec![number..=number]))
}

fn address(text: &str) -> std::net::IpAddr {
    text.parse().unwrap()
}

#[test]
fn states_are_flags() {
    use State::{Established, Invalid, New, Related, Untracked};
    let both = is(Match::State(vec![New, Related]));
    assert_eq!(asked("ct state new,related"), both);
    assert_eq!(asked("ct state { new, related }"), both);
    assert_eq!(asked("ct state & (new | related) != 0"), both);
    assert_eq!(asked("ct state 0x40"), is(Match::State(vec![Untracked])));
    let not = vec![Condition::not(Match::State(vec![Related]))];
    for words in [
        "ct state != related",
        "ct state ! related",
        "ct state & related == 0",
        "ct state != { related }",
    ] {
        assert_eq!(asked(words), not, "{words}");
    }
    let none = vec![Condition::not(Match::State(vec![Established, Invalid]))];
    assert_eq!(asked("ct state != { established, invalid }"), none);
    // nft compares the number with both bits: `[ cmp neq reg 1 0x0000000c ]`
    unread("ct state != new,related");
    unread("ct state new | related");
}

#[test]
fn status_is_compared_by_bits_or_as_a_whole() {
    let expected = is(Match::Status(Status::EXPECTED));
    assert_eq!(asked("ct status expected"), expected);
    assert_eq!(asked("ct status & expected != 0"), expected);
    let not = vec![Condition::not(Match::Status(Status::EXPECTED))];
    assert_eq!(asked("ct status ! expected"), not);
    assert_eq!(asked("ct status & expected == 0"), not);
    let mut three = Status::EXPECTED;
    three.set(Status::ASSURED);
    three.set(Status::HELPER);
    assert_eq!(
        asked("ct status expected,assured,0x2000"),
        is(Match::Status(three))
    );
    assert_eq!(
        asked("ct status & (expected|assured|0x2000) == 0"),
        [Condition::not(Match::Status(three))]
    );
    // `[ cmp eq reg 1 0x00000001 ]`: not for a flow that is assured, too.
    for whole in ["==", "!="] {
        assert!(unread(&format!("ct status {whole} expected")).contains("all flags"));
    }
    unread("ct status { expected, assured }");
    unread("ct status expected / expected,assured");
    assert_eq!(asked("ct status & expected == expected"), expected);
    assert_eq!(asked("ct status & expected != expected"), not);
    unread("ct status & (expected | assured) == (expected | assured)");
}

/// In words of nft 1.0.6, with what it compiles them to.
#[test]
fn flags_of_tcp_are_compared_under_a_mask() {
    let tcp = |matches| vec![protocol(6), matches];
    let flags = |mask, set| Match::TcpFlags { mask, set };
    let first = tcp(Condition::is(flags(0x17, 0x02)));
    for words in [
        "tcp flags & (fin|syn|rst|ack) == syn",
        "tcp flags & (fin | syn | rst | ack) == 0x2",
        "tcp flags syn / fin,syn,rst,ack",
        "tcp flags == syn / fin,syn,rst,ack",
    ] {
        assert_eq!(asked(words), first, "{words}");
    }
    let not_first = tcp(Condition::not(flags(0x17, 0x02)));
    assert_eq!(asked("tcp flags & (fin|syn|rst|ack) != syn"), not_first);
    assert_eq!(asked("tcp flags != syn / fin,syn,rst,ack"), not_first);
    let both = tcp(Condition::is(flags(0x03, 0x03)));
    assert_eq!(asked("tcp flags & (fin|syn) == fin|syn"), both);
    assert_eq!(asked("tcp flags & (fin|syn) == (fin|syn)"), both);
    // `[ bitwise reg 1 = ( reg 1 & 0x00000012 ) ^ 0x00000000 ]`, `[ cmp neq reg 1 0x00000000 ]`
    let either = tcp(Condition::not(flags(0x12, 0)));
    assert_eq!(asked("tcp flags syn,ack"), either);
    assert_eq!(asked("tcp flags & (syn|ack) != 0"), either);
    let neither = tcp(Condition::is(flags(0x12, 0)));
    assert_eq!(asked("tcp flags ! syn,ack"), neither);
    assert_eq!(asked("tcp flags & (syn|ack) == 0x0"), neither);
    // `[ cmp eq reg 1 0x00000002 ]`
    assert_eq!(
        asked("tcp flags == syn"),
        tcp(Condition::is(flags(0xff, 2)))
    );
    assert_eq!(
        asked("tcp flags != syn"),
        tcp(Condition::not(flags(0xff, 2)))
    );
    unread("tcp flags < syn");
    unread("tcp flags wrong");
    unread("tcp flags & (fin|wrong) == fin");
}

#[test]
fn flows_are_asked_for_their_helper_and_direction() {
    let ftp = Match::Helper("ftp".into());
    assert_eq!(asked("ct helper \"ftp\""), is(ftp.clone()));
    assert_eq!(asked("ct helper != \"ftp\""), [Condition::not(ftp.clone())]);
    let either = Match::Any(vec![is(ftp), is(Match::Helper("sip".into()))]);
    assert_eq!(asked("ct helper { \"ftp\", \"sip\" }"), is(either));
    assert_eq!(
        asked("ct direction reply"),
        is(Match::Direction(Direction::Reply))
    );
    unread("ct mark 1");
    unread("ct original ip saddr 192.0.2.1");
}

#[test]
fn addresses_are_prefixes_ranges_and_sets() {
    let range = |low, high| address(low)..=address(high);
    let words = "ip saddr { 192.0.2.1, 10.0.0.0/8, 198.51.100.4-198.51.100.9 }";
    let ranges = vec![
        range("192.0.2.1", "192.0.2.1"),
        range("10.0.0.0", "10.255.255.255"),
        range("198.51.100.4", "198.51.100.9"),
    ];
    assert_eq!(asked(words), is(Match::addresses(End::Src, ranges)));
    let link_local = vec![range("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff")];
    assert_eq!(
        asked("ip6 daddr fe80::/10"),
        is(Match::addresses(End::Dst, link_local))
    );
    let not = Match::addresses(End::Dst, vec![range("2001:db8::1", "2001:db8::5")]);
    assert_eq!(
        asked("ip6 daddr != 2001:db8::1-2001:db8::5"),
        [Condition::not(not)]
    );
    unread("ip saddr & 255.0.0.0 == 10.0.0.0");
    unread("ip saddr 2001:db8::1");
    unread("ip saddr example.org");
    unread("ip saddr 10.0.0.2-10.0.0.1");
}

#[test]
fn addresses_are_of_kinds() {
    let kinds = |kinds: &[Kind]| Match::Kind(End::Dst, kinds.to_vec());
    assert_eq!(asked("fib daddr type local"), is(kinds(&[Kind::Local])));
    assert_eq!(
        asked("fib daddr type { broadcast, multicast }"),
        is(kinds(&[Kind::Broadcast, Kind::Multicast]))
    );
    assert_eq!(
        asked("fib daddr type != local"),
        [Condition::not(kinds(&[Kind::Local]))]
    );
    unread("fib saddr . iif oif missing");
    unread("fib daddr type blackhole");
}

#[test]
fn a_port_is_one_of_its_protocol() {
    let port = |end, ports| Condition::is(Match::Port(end, ports));
    assert_eq!(
        asked("tcp dport ftp"),
        [protocol(6), port(End::Dst, vec![21..=21])]
    );
    let several = [protocol(17), port(End::Src, vec![53..=53, 1024..=65535])];
    assert_eq!(asked("udp sport { domain, 1024-65535 }"), several);
    assert_eq!(asked("udp sport { domain, 1024 - 65535 }"), several);
    assert_eq!(
        asked("tcp dport != 21"),
        [
            protocol(6),
            Condition::not(Match::Port(End::Dst, vec![21..=21]))
        ]
    );
    // The protocol is asked for once.
    assert_eq!(
        asked("meta l4proto tcp tcp sport 5 tcp dport 6"),
        [
            protocol(6),
            port(End::Src, vec![5..=5]),
            port(End::Dst, vec![6..=6])
        ]
    );
    let either = Condition::is(Match::Protocol(vec![6..=6, 17..=17]));
    assert_eq!(
        asked("meta l4proto { tcp, udp } th dport 53"),
        [either, port(End::Dst, vec![53..=53])]
    );
    assert_eq!(
        asked("tcp dport < 1024"),
        [protocol(6), port(End::Dst, vec![0..=1023])]
    );
    assert_eq!(
        asked("tcp dport >= 1024"),
        [protocol(6), port(End::Dst, vec![1024..=65535])]
    );
    unread("tcp dport gopher-of-my-own");
    unread("tcp dport 70000");
}

#[test]
fn protocols_and_families() {
    assert_eq!(asked("meta l4proto gre"), [protocol(47)]);
    assert_eq!(
        asked("meta l4proto != 47"),
        [Condition::not(protocol(47).matches)]
    );
    let ipv4 = Condition::is(Match::Family(Family::Ipv4));
    assert_eq!(asked("meta nfproto ipv4"), is(Match::Family(Family::Ipv4)));
    assert_eq!(asked("meta protocol ip"), is(Match::Family(Family::Ipv4)));
    assert_eq!(
        asked("meta protocol { ip, ip6 }"),
        is(Match::Family(Family::Inet))
    );
    assert_eq!(asked("ip protocol tcp"), [ipv4, protocol(6)]);
    let ipv6 = Condition::is(Match::Family(Family::Ipv6));
    assert_eq!(asked("ip6 nexthdr ipv6-icmp"), [ipv6, protocol(58)]);
}

/// The numbers are of RFC 792 and RFC 4443.
#[test]
fn icmp_types_have_names() {
    assert_eq!(
        asked("icmp type { echo-request, time-exceeded, 40 }"),
        [
            protocol(1),
            Condition::is(Match::IcmpType(Family::Ipv4, vec![8..=8, 11..=11, 40..=40]))
        ]
    );
    assert_eq!(
        asked("icmpv6 type packet-too-big"),
        [
            protocol(58),
            Condition::is(Match::IcmpType(Family::Ipv6, vec![2..=2]))
        ]
    );
    assert_eq!(
        asked("icmpv6 code != 3"),
        [
            protocol(58),
            Condition::not(Match::IcmpCode(Family::Ipv6, vec![3..=3]))
        ]
    );
}

#[test]
fn interfaces_are_names_and_beginnings() {
    let name = |text: &str, begins| Name {
        text: text.into(),
        begins,
    };
    let either = Match::Interface(Way::In, vec![name("lo", false), name("eth", true)]);
    assert_eq!(asked("iifname { \"lo\", \"eth*\" }"), is(either.clone()));
    assert_eq!(asked("meta iifname { lo, eth* }"), is(either));
    let literal = Match::Interface(Way::Out, vec![name("eth*", false)]);
    assert_eq!(asked("oifname \"eth\\*\""), is(literal));
    let not = Match::Interface(Way::In, vec![name("lo", false)]);
    assert_eq!(asked("iif != \"lo\""), [Condition::not(not)]);
    unread("iif 3");
}

#[test]
fn what_decides_nothing_is_passed_over() {
    let plain = rules("tcp dport 21 accept");
    for idle in [
        "tcp dport 21 counter packets 5 bytes 7 accept",
        "tcp dport 21 log prefix \"drop reject; }\" level warn group 2 accept",
        "tcp dport 21 counter name \"c\" ct mark set 0x1 accept",
        "tcp dport 21 meta mark set ct mark meta priority set 1:2 accept",
        "tcp dport 21 add @seen { ip saddr . tcp dport timeout 1m } accept",
    ] {
        assert_eq!(rules(idle), plain, "{idle}");
    }
    // What limits a rule that does nothing, limits nothing.
    assert!(rules("limit rate 5/minute burst 3 packets log prefix \"x\"\ncounter").is_empty());
    let translated = read("oifname \"wan\" masquerade");
    assert_eq!(translated.unread.len(), 1);
}

#[test]
fn what_may_decide_is_told() {
    for words in [
        "limit rate over 5/minute burst 3 packets",
        "quota until 10 mbytes",
        "fib daddr . iif type local",
        "meta mark 0x1",
        "meta mark & 0xff == 0x1",
        "ct count over 5",
        "@th,16,16 53",
        "ether saddr 00:11:22:33:44:55",
        "meta pkttype broadcast",
        "add @seen { ip saddr limit rate 5/second }",
        "tcp option maxseg size 5",
        "meta time \"2020-01-01\"-\"2021-01-01\"",
        "ip saddr @nowhere",
    ] {
        unread(words);
    }
}

#[test]
fn what_ends_a_rule_otherwise_is_told() {
    for words in [
        "queue num 1 bypass",
        "synproxy mss 1460",
        "dnat to 192.0.2.1",
        "ct helper set \"none\"",
        "jump none",
    ] {
        let ruleset = read(words);
        assert_eq!(ruleset.unread.len(), 1, "{words}");
        assert_eq!(ruleset.unread[0].place.line, 2);
    }
}

#[test]
fn verdicts_of_a_map_are_rules_of_one_place() {
    let map = rules("tcp dport vmap { 22 : accept, 23-25 : drop, * : return }");
    let verdicts: Vec<_> = map.iter().map(|rule| rule.verdict).collect();
    assert_eq!(
        verdicts,
        [
            Some(Verdict::Accept),
            Some(Verdict::Drop),
            Some(Verdict::Return)
        ]
    );
    assert!(
        map.iter()
            .all(|rule| rule.place == map[0].place && rule.conditions[0] == protocol(6))
    );
    let ports = |rule: &Rule| rule.conditions[1].matches.clone();
    assert_eq!(ports(&map[1]), Match::Port(End::Dst, vec![23..=25]));
    assert_eq!(ports(&map[2]), Match::Port(End::Dst, vec![0..=65535]));
    let states = rules("ct state vmap { established:accept, related :accept, invalid: drop }");
    assert_eq!(states.len(), 3);
    assert_eq!(states[2].conditions, is(Match::State(vec![State::Invalid])));
    assert_eq!(states[2].verdict, Some(Verdict::Drop));
}

#[test]
fn an_effect_takes_place_before_what_is_asked_behind_it() {
    let text = "table ip t { ct helper f { type \"ftp\" protocol tcp; }
        chain c { type filter hook prerouting priority raw; ct helper set \"f\" tcp dport 21 accept; notrack; } }";
    let ruleset = nftables::read(text, 3);
    let [first, second, third] = &ruleset.chains[0].rules[..] else {
        panic!("{ruleset:?}");
    };
    let helper = Helper {
        name: "ftp".into(),
        protocol: Protocol::TCP,
        family: Family::Ipv4,
    };
    assert_eq!(
        (&first.conditions[..], &first.effect),
        (&[][..], &Some(Effect::Help(helper)))
    );
    assert_eq!(
        (first.verdict, second.verdict),
        (None, Some(Verdict::Accept))
    );
    assert_eq!(third.effect, Some(Effect::Untrack));
    assert_eq!((third.place.file, third.place.line), (3, 2));
}

#[test]
fn base_chains_stand_at_hooks() {
    let base = |priority: &str| {
        let text = format!(
            "table inet t {{ chain c {{ type filter hook input priority {priority}; policy drop; }} }}"
        );
        let ruleset = nftables::read(&text, 0);
        assert_eq!(ruleset.unread, [], "{priority}");
        ruleset.chains[0].base.unwrap()
    };
    for (words, priority) in [
        ("raw", -300),
        ("mangle", -150),
        ("dstnat", -100),
        ("filter", 0),
        ("security", 50),
        ("srcnat", 100),
        ("filter + 10", 10),
        ("dstnat - 5", -105),
        ("-190", -190),
    ] {
        assert_eq!(
            base(words),
            Base {
                hook: Hook::Input,
                priority,
                accepts: false
            }
        );
    }
    let elsewhere = "table netdev t { chain c { type filter hook ingress device \"eth0\" priority -500; drop; } }";
    let ruleset = nftables::read(elsewhere, 0);
    assert_eq!((ruleset.chains.len(), ruleset.unread.len()), (0, 1));
    let bridged = "table bridge t { chain c { type filter hook forward priority filter; drop; } }";
    assert_eq!(nftables::read(bridged, 0), Ruleset::default());
}

#[test]
fn commands_come_to_one_rule_set() {
    let text = "
        # a comment
        define web = { 80, 443 }
        define lan = \"eth1\"
        flush ruleset
        add table inet t
        add chain inet t c { type filter hook forward priority 0; policy drop; }
        add rule inet t c tcp dport $web \\
            iifname $lan accept comment \"from within\"
        insert rule inet t c ct state established accept
        add rule inet t c index 0 ct state invalid drop
        add set inet t hosts { type ipv4_addr; flags interval; }
        add element inet t hosts { 10.0.0.0/8, 192.0.2.7 }
        add rule inet t c ip saddr @hosts jump other
        add chain inet t other
        table ip gone { chain c { type filter hook forward priority 0; drop; } }
        delete table ip gone
        table inet t { chain other { drop; } }
        include \"more.nft\"
    ";
    let ruleset = nftables::read(text, 0);
    let chains: Vec<_> = ruleset
        .chains
        .iter()
        .map(|chain| chain.name.as_str())
        .collect();
    assert_eq!(chains, ["c", "other"]);
    let lines: Vec<_> = ruleset.rules().map(|(_, rule)| rule.place.line).collect();
    assert_eq!(lines, [10, 11, 8, 14, 18]);
    let rules = &ruleset.chains[0].rules;
    assert_eq!(rules[2].comment.as_deref(), Some("from within"));
    assert_eq!(rules[2].conditions.len(), 3);
    assert_eq!(rules[3].verdict, Some(Verdict::Jump(1)));
    let unread: Vec<_> = ruleset
        .unread
        .iter()
        .map(|unread| unread.place.line)
        .collect();
    assert_eq!(unread, [19]);
}

#[test]
fn a_set_that_changes_is_not_known() {
    let with = |flags: &str| {
        let text = format!(
            "table inet t {{ set s {{ type ipv4_addr; flags {flags}; elements = {{ 192.0.2.1 }} }}
            chain c {{ ip saddr @s drop }} }}"
        );
        nftables::read(&text, 0).unread.len()
    };
    assert_eq!(
        (with("interval"), with("dynamic,timeout"), with("timeout")),
        (0, 1, 1)
    );
}

#[test]
fn concatenations_are_alternatives() {
    let way = |from: &str, to: &str, ports| {
        let host = Match::addresses(End::Src, vec![address(from)..=address(to)]);
        vec![
            Condition::is(host),
            Condition::is(Match::Port(End::Dst, vec![ports])),
        ]
    };
    let any = Match::Any(vec![
        way("192.0.2.1", "192.0.2.1", 21..=21),
        way("10.0.0.0", "10.0.0.255", 30..=40),
    ]);
    let asks = asked("ip saddr . tcp dport { 192.0.2.1 . 21, 10.0.0.0/24 . 30-40 }");
    assert_eq!(asks, [protocol(6), Condition::is(any)]);
    unread("ip saddr . tcp dport { 192.0.2.1 }");
}

/// libnftables-json(5): the same rule set, as `nft -j list ruleset` has it.
#[test]
fn json_says_the_same() {
    let listed = r#"{"nftables": [
        {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
        {"table": {"family": "inet", "name": "t", "handle": 1}},
        {"ct helper": {"family": "inet", "name": "f", "table": "t", "type": "ftp", "protocol": "tcp", "l3proto": "ip"}},
        {"map": {"family": "inet", "name": "m", "table": "t", "type": "inet_service", "map": "verdict",
            "elem": [[22, {"accept": null}], [{"range": [23, 25]}, {"jump": {"target": "y"}}]]}},
        {"chain": {"family": "inet", "table": "t", "name": "x", "type": "filter", "hook": "prerouting", "prio": -190,
            "policy": "accept"}},
        {"chain": {"family": "inet", "table": "t", "name": "y"}},
        {"rule": {"family": "inet", "table": "t", "chain": "x", "comment": "hi there", "expr": [
            {"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": {"prefix": {"addr": "192.0.2.0", "len": 30}}}},
            {"match": {"op": "!=", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [21, {"range": [30, 40]}]}}},
            {"counter": {"packets": 0, "bytes": 0}}, {"ct helper": "f"}]}},
        {"rule": {"family": "inet", "table": "t", "chain": "x", "expr": [
            {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["new", "untracked"]}},
            {"match": {"op": "!", "left": {"ct": {"key": "status"}}, "right": "expected"}},
            {"vmap": {"key": {"payload": {"protocol": "tcp", "field": "dport"}}, "data": "@m"}}]}}
    ]}"#;
    let text = "table inet t { ct helper f { type \"ftp\" protocol tcp; l3proto ip; }
        map m { type inet_service : verdict; elements = { 22 : accept, 23-25 : jump y } }
        chain x { type filter hook prerouting priority -190; policy accept;
            ip daddr 192.0.2.0/30 tcp dport != { 21, 30-40 } counter ct helper set \"f\" comment \"hi there\"
            ct state new,untracked ct status ! expected tcp dport vmap @m
        }
        chain y { } }";
    let listed = without_places(nftables::read_json(listed, 0));
    assert_eq!(listed.unread, []);
    assert_eq!(listed.chains[0].rules.len(), 3);
    assert_eq!(listed, without_places(nftables::read(text, 0)));
}

/// The rule set, its places forgotten.
fn without_places(mut ruleset: Ruleset) -> Ruleset {
    let rules = ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules);
    rules.for_each(|rule| rule.place = Default::default());
    ruleset
        .unread
        .iter_mut()
        .for_each(|unread| unread.place = Default::default());
    ruleset
}

/// As kernel 6.18 has it: a chain is put before those of its priority that are there (`nf_hook_entries_grow`).
#[test]
fn of_one_priority_the_last_chain_is_called_first() {
    let untracks = "chain a { type filter hook prerouting priority raw; tcp dport 21 notrack; }";
    let drops = "chain b { type filter hook prerouting priority raw; ct state untracked drop; }";
    let case = Case::tcp("192.0.2.11", "198.51.100.21", 21);
    let dropped = |first: &str, second: &str| {
        let text = format!("table inet t {{\n{first}\n{second}\n}}\n");
        case.early(&nftables::read(&text, 0)).dropped
    };
    assert!(dropped(drops, untracks));
    assert!(!dropped(untracks, drops));
}

/// A bit of translation is open where rules translate so, and else no flow has it.
#[test]
fn without_translation_no_flow_is_translated() {
    let case = Case::tcp("192.0.2.11", "198.51.100.21", 21);
    let at = |rules: &str| {
        let text = format!(
            "table inet t {{ chain c {{ type filter hook forward priority 0; ct status dnat drop; }}\n{rules} }}\n"
        );
        case.at(&nftables::read(&text, 0), Hook::Forward)
    };
    let nat = |rule| format!("chain n {{ type nat hook prerouting priority dstnat; {rule}; }}");
    assert!(!at("").undecided && !at("").dropped);
    assert!(!at(&nat("masquerade")).undecided);
    assert!(at(&nat("tcp dport 80 dnat to 192.0.2.1")).undecided);
}
