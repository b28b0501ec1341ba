//! What is written says what was meant: reading is the other half.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::Status;
use ctaudit::ruleset::{
    Base, Chain, Condition, Effect, End, Family, Helper, Hook, Match, Name, Rule, Ruleset, Verdict,
    Way, nftables,
};
use ctaudit::tuple::{Direction, Protocol};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{address, protocol, without_places};

/// Ranges that neither meet nor touch: nft puts together those that do.
fn apart<T: Copy + Debug + 'static>(
    most: u16,
    as_value: fn(u16) -> T,
) -> impl Strategy<Value = Vec<RangeInclusive<T>>> {
    btree_set((1..most / 8, any::<bool>()), 1..4).prop_map(move |starts| {
        let mut seen = BTreeSet::new();
        let mut ranges = Vec::new();
        for (start, is_one) in starts {
            if seen.insert(start) {
                let end = if is_one { start * 8 } else { start * 8 + 5 };
                ranges.push(as_value(start * 8)..=as_value(end));
            }
        }
        ranges
    })
}

fn v4(number: u16) -> IpAddr {
    Ipv4Addr::from_bits(0x0a00_0000 | u32::from(number)).into()
}

fn v6(number: u16) -> IpAddr {
    Ipv6Addr::from_bits(0xfd00 << 112 | u128::from(number) << 8).into()
}

fn addresses(ipv6: bool) -> impl Strategy<Value = Match> {
    let of_family = if ipv6 { v6 } else { v4 };
    let prefixes: &[&[&str]] = if ipv6 {
        &[
            &["fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
            &["2001:db8::", "2001:db8::ff"],
        ]
    } else {
        &[
            &["192.0.2.0", "192.0.2.255"],
            &["198.51.100.64", "198.51.100.127"],
        ]
    };
    let prefix = select(prefixes).prop_map(|ends| vec![address(ends[0])..=address(ends[1])]);
    let ranges = prop_oneof![prefix, apart(4000, of_family)];
    (select(&[End::Src, End::Dst][..]), ranges)
        .prop_map(|(end, ranges)| Match::addresses(end, ranges))
}

fn ports() -> impl Strategy<Value = Match> {
    let ends = select(&[End::Src, End::Dst][..]);
    (ends, apart(65000, |port| port)).prop_map(|(end, ports)| Match::Port(end, ports))
}

fn byte(number: u16) -> u8 {
    u8::try_from(number).unwrap()
}

/// What is asked of a flow and of the packet's way.
fn of_flows() -> impl Strategy<Value = Match> {
    let states = subsequence(
        vec![
            State::Invalid,
            State::Established,
            State::Related,
            State::New,
            State::Untracked,
        ],
        1..4,
    );
    let bits = vec![
        Status::EXPECTED,
        Status::SEEN_REPLY,
        Status::ASSURED,
        Status::CONFIRMED,
        Status::HELPER,
    ];
    let status = subsequence(bits, 1..3).prop_map(|bits| {
        let mut status = Status::default();
        bits.into_iter().for_each(|bit| {
            status.set(bit);
        });
        Match::Status(status)
    });
    let names = btree_set(("[a-z]{2,6}[0-9]", any::<bool>()), 1..3).prop_map(|names| {
        let names = names
            .into_iter()
            .map(|(text, begins)| Name { text, begins });
        names.collect::<Vec<_>>()
    });
    let helper = |name: &str| Match::Helper(name.into());
    prop_oneof![
        states.prop_map(Match::State),
        status,
        select(&[Direction::Original, Direction::Reply][..]).prop_map(Match::Direction),
        select(vec![
            helper("ftp"),
            helper("Q.931"),
            Match::Any(vec![
                vec![Condition::is(helper("sip"))],
                vec![Condition::is(helper("tftp"))]
            ])
        ]),
        (select(&[Way::In, Way::Out][..]), names)
            .prop_map(|(way, names)| Match::Interface(way, names)),
    ]
}

/// What is asked of a transport's header, the protocol before it.
fn of_transport(ipv6: bool) -> impl Strategy<Value = Vec<Condition>> {
    let with_ports = (
        select(&[6, 17, 33, 132, 136][..]),
        vec((ports(), any::<bool>()), 0..3),
    );
    let with_ports = with_ports.prop_map(|(number, ports)| {
        let ports = ports
            .into_iter()
            .map(|(matches, negated)| Condition { matches, negated });
        std::iter::once(protocol(number)).chain(ports).collect()
    });
    let (family, icmp) = if ipv6 {
        (Family::Ipv6, 58)
    } else {
        (Family::Ipv4, 1)
    };
    let icmp = (apart(256, byte), apart(256, byte), any::<[bool; 2]>()).prop_map(
        move |(types, codes, [code, negated])| {
            let kind = Match::IcmpType(family, types);
            let code = code.then(|| Condition::is(Match::IcmpCode(family, codes)));
            let kind = Condition {
                matches: kind,
                negated,
            };
            [protocol(icmp), kind].into_iter().chain(code).collect()
        },
    );
    let flags = any::<(u8, u8, bool)>().prop_map(move |(mask, set, negated)| {
        let matches = Match::TcpFlags { mask, set };
        vec![protocol(6), Condition { matches, negated }]
    });
    let several = (apart(256, byte), any::<bool>()).prop_map(|(protocols, negated)| {
        let matches = Match::Protocol(protocols);
        vec![Condition { matches, negated }]
    });
    let both = ports().prop_map(|ports| {
        vec![
            Condition::is(Match::Protocol(vec![6..=6, 17..=17])),
            Condition::is(ports),
        ]
    });
    let host = if ipv6 { v6 } else { v4 };
    let concatenated = btree_set((1..500_u16, 1..9000_u16), 1..4).prop_map(move |ways| {
        let ways = ways.into_iter().map(|(from, port)| {
            let from = Match::addresses(End::Src, vec![host(from)..=host(from)]);
            vec![
                Condition::is(from),
                Condition::is(Match::Port(End::Dst, vec![port..=port + 3])),
            ]
        });
        vec![protocol(6), Condition::is(Match::Any(ways.collect()))]
    });
    prop_oneof![
        with_ports,
        icmp,
        flags,
        several,
        both,
        concatenated,
        Just(vec![])
    ]
}

fn rules(family: Family, can_jump: bool) -> impl Strategy<Value = Rule> {
    let families = match family {
        Family::Inet => vec![false, true],
        only => vec![only == Family::Ipv6],
    };
    select(families).prop_flat_map(move |ipv6| {
        let asked = prop_oneof![of_flows(), addresses(ipv6)];
        let asked = vec((asked, any::<bool>()), 0..4).prop_map(|all| {
            let all = all
                .into_iter()
                .map(|(matches, negated)| Condition { matches, negated });
            all.collect::<Vec<_>>()
        });
        let of = if ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        // A table of one family has no word for it.
        let of = any::<bool>().prop_map(move |asks| {
            (asks && family == Family::Inet).then(|| Condition::is(Match::Family(of)))
        });
        let last = prop_oneof![
            Just((Some(Effect::Untrack), None)),
            helpers(family).prop_map(|helper| (Some(Effect::Help(helper)), None)),
            select(verdicts(can_jump)).prop_map(|verdict| (None, Some(verdict))),
            (helpers(family), select(verdicts(can_jump)))
                .prop_map(|(helper, verdict)| (Some(Effect::Help(helper)), Some(verdict))),
        ];
        let comment = proptest::option::of("[ -!#-~é]{1,40}");
        (of, asked, of_transport(ipv6), last, comment).prop_map(
            |(of, asked, transport, last, comment)| Rule {
                conditions: of.into_iter().chain(asked).chain(transport).collect(),
                effect: last.0,
                verdict: last.1,
                comment,
                ..Rule::default()
            },
        )
    })
}

fn verdicts(can_jump: bool) -> Vec<Verdict> {
    let mut all = vec![Verdict::Accept, Verdict::Drop, Verdict::Return];
    all.extend(can_jump.then_some(Verdict::Jump(2)));
    all.extend(can_jump.then_some(Verdict::Goto(2)));
    all
}

fn helpers(family: Family) -> impl Strategy<Value = Helper> {
    let known = vec![
        ("ftp", Protocol::TCP),
        ("tftp", Protocol::UDP),
        ("sip", Protocol::UDP),
    ];
    let families = match family {
        Family::Inet => vec![Family::Inet, Family::Ipv4, Family::Ipv6],
        only => vec![only, Family::Inet],
    };
    (select(known), select(families)).prop_map(|((name, protocol), family)| Helper {
        name: name.into(),
        protocol,
        family,
    })
}

/// A table of two base chains and one that they jump to.
pub fn rulesets(family: Family) -> impl Strategy<Value = Ruleset> {
    let hooks = [
        Hook::Prerouting,
        Hook::Input,
        Hook::Forward,
        Hook::Output,
        Hook::Postrouting,
    ];
    let base = (select(hooks.to_vec()), -400..300_i32, any::<bool>());
    let base = base.prop_map(|(hook, priority, accepts)| Base {
        hook,
        priority,
        accepts,
    });
    let chain = move |name: &'static str, base, rules| Chain {
        family,
        table: "ctaudit".into(),
        name: name.into(),
        base,
        rules,
    };
    let of_base = || vec(rules(family, true), 0..6);
    let all = (
        [base.clone(), base],
        [of_base(), of_base()],
        vec(rules(family, false), 0..4),
    );
    all.prop_map(move |([first, second], [one, two], side)| Ruleset {
        chains: vec![
            chain("first", Some(first), one),
            chain("second", Some(second), two),
            chain("side", None, side),
        ],
        unread: vec![],
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(ruleset in rulesets(Family::Inet)) {
        let text = nftables::write(&ruleset).unwrap();
        prop_assert_eq!(without_places(nftables::read(&text, 0)), ruleset.clone(), "{}", text);
        let json = nftables::write_json(&ruleset).unwrap();
        prop_assert_eq!(without_places(nftables::read_json(&json, 0)), ruleset, "{}", json);
    }

    #[test]
    fn so_it_is_in_a_table_of_one_family(ruleset in rulesets(Family::Ipv4)) {
        let text = nftables::write(&ruleset).unwrap();
        prop_assert_eq!(without_places(nftables::read(&text, 0)), ruleset.clone(), "{}", text);
        let json = nftables::write_json(&ruleset).unwrap();
        prop_assert_eq!(without_places(nftables::read_json(&json, 0)), ruleset, "{}", json);
    }
}

/// One rule's text.
fn line(rule: Rule) -> Result<String, nftables::Unwritable> {
    let ruleset = Ruleset {
        chains: vec![Chain {
            family: Family::Inet,
            table: "ctaudit".into(),
            name: "c".into(),
            base: None,
            rules: vec![rule],
        }],
        unread: vec![],
    };
    let text = nftables::write(&ruleset)?;
    let line = text.lines().rev().nth(2).unwrap();
    Ok(line.trim().into())
}

fn accepting(conditions: Vec<Condition>) -> Rule {
    Rule {
        conditions,
        verdict: Some(Verdict::Accept),
        ..Rule::default()
    }
}

#[test]
fn it_is_written_as_nft_lists_it() {
    let host = address("192.0.2.11");
    let rule = Rule {
        conditions: vec![
            Condition::is(Match::addresses(End::Dst, vec![host..=host])),
            protocol(6),
            Condition::is(Match::Port(End::Dst, vec![21..=21, 2121..=2130])),
        ],
        effect: Some(Effect::Help(Helper {
            name: "ftp".into(),
            protocol: Protocol::TCP,
            family: Family::Ipv4,
        })),
        comment: Some("two\n \"words\"".into()),
        ..Rule::default()
    };
    let ruleset = Ruleset {
        chains: vec![Chain {
            family: Family::Inet,
            table: "ctaudit".into(),
            name: "helpers".into(),
            base: Some(Base {
                hook: Hook::Prerouting,
                priority: -190,
                accepts: true,
            }),
            rules: vec![rule],
        }],
        unread: vec![],
    };
    let expected = "\
table inet ctaudit
delete table inet ctaudit
table inet ctaudit {
\tct helper ftp-tcp {
\t\ttype \"ftp\" protocol tcp
\t\tl3proto ip
\t}

\tchain helpers {
\t\ttype filter hook prerouting priority -190; policy accept;
\t\tip daddr 192.0.2.11 tcp dport { 21, 2121-2130 } ct helper set \"ftp-tcp\" comment \"two words\"
\t}
}
";
    assert_eq!(nftables::write(&ruleset).unwrap(), expected);
}

#[test]
fn each_word_is_nfts() {
    let state = |states| Match::State(states);
    for (condition, words) in [
        (
            Condition::is(state(vec![State::New])),
            "ct state new accept",
        ),
        (
            Condition::is(state(vec![State::New, State::Related])),
            "ct state new,related accept",
        ),
        (
            Condition::not(state(vec![State::Related])),
            "ct state != related accept",
        ),
        (
            Condition::not(Match::Status(Status::EXPECTED)),
            "ct status & expected == 0 accept",
        ),
        (protocol(47), "meta l4proto gre accept"),
        (protocol(200), "meta l4proto 200 accept"),
        (
            Condition::is(Match::IcmpType(Family::Ipv4, vec![8..=8])),
            "icmp type echo-request accept",
        ),
        (
            Condition::is(Match::IcmpType(Family::Ipv6, vec![2..=2, 99..=99])),
            "icmpv6 type { packet-too-big, 99 } accept",
        ),
        (
            Condition::is(Match::addresses(
                End::Src,
                vec![address("10.0.0.0")..=address("10.0.0.15")],
            )),
            "ip saddr 10.0.0.0/28 accept",
        ),
        (
            Condition::is(Match::addresses(
                End::Src,
                vec![address("::1")..=address("::4")],
            )),
            "ip6 saddr ::1-::4 accept",
        ),
    ] {
        assert_eq!(line(accepting(vec![condition])).unwrap(), words);
    }
}

/// `NFTNL_UDATA_COMMENT_MAXLEN` is 128 bytes, and letters have several.
#[test]
fn a_long_comment_is_cut_between_letters() {
    let rule = Rule {
        comment: Some("ß".repeat(64) + "ß"),
        ..accepting(vec![])
    };
    assert_eq!(
        line(rule).unwrap(),
        format!("accept comment \"{}\"", "ß".repeat(64))
    );
}

#[test]
fn what_nft_has_no_words_for_is_refused() {
    let helper = |name: &str, protocol| Rule {
        effect: Some(Effect::Help(Helper {
            name: name.into(),
            protocol,
            family: Family::Inet,
        })),
        ..Rule::default()
    };
    let name = |text: &str, begins| {
        Match::Interface(
            Way::In,
            vec![Name {
                text: text.into(),
                begins,
            }],
        )
    };
    let mixed = vec![
        address("::1")..=address("::1"),
        address("10.0.0.1")..=address("10.0.0.1"),
    ];
    let different = vec![
        vec![protocol(6)],
        vec![Condition::is(Match::Family(Family::Ipv4))],
    ];
    let rules = [
        Match::Unknown("fib".into()),
        Match::HelperBegins("ftp".into()),
        Match::State(vec![]),
        Match::State(vec![State::None]),
        Match::Status(Status::default()),
        Match::Port(End::Dst, vec![]),
        Match::addresses(End::Src, mixed),
        Match::Any(different),
        name("", true),
        name("a\"b", false),
        name("longer-than-linux-allows", false),
    ];
    for matches in rules {
        let refused = line(accepting(vec![Condition::is(matches.clone())]));
        assert!(refused.is_err(), "{matches:?}: {refused:?}");
    }
    for rule in [
        helper("f\"p", Protocol::TCP),
        helper("ftp", Protocol::SCTP),
        helper("", Protocol::TCP),
    ] {
        assert!(line(rule).is_err());
    }
}
