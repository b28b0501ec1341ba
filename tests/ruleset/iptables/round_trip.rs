//! What is written means what was meant: read again, and as iptables has it when the kernel has taken it.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::Status;
use ctaudit::ruleset::{
    Base, Chain, Condition, Effect, End, Family, Helper, Hook, Match, Name, Rule, Ruleset, Verdict,
    Way, iptables,
};
use ctaudit::tuple::{Direction, Protocol};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::namespace::has_iptables;

use super::{Case, Outcome, restore};

const ADDRESSES: [&str; 6] = [
    "192.0.2.11",
    "192.0.2.99",
    "198.51.100.21",
    "2001:db8:1::11",
    "2001:db8:1::99",
    "2001:db8:2::21",
];
const NETWORKS: [(&str, &str); 8] = [
    ("192.0.2.0", "192.0.2.255"),
    ("192.0.2.11", "192.0.2.11"),
    ("192.0.2.10", "192.0.2.12"),
    ("0.0.0.0", "255.255.255.255"),
    ("2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8:1::11", "2001:db8:1::11"),
    ("2001:db8:1::10", "2001:db8:1::12"),
    ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
];
const STATES: [State; 5] = [
    State::New,
    State::Established,
    State::Related,
    State::Invalid,
    State::Untracked,
];

fn either(matches: Match, negated: bool) -> Condition {
    Condition { matches, negated }
}

/// Ranges of one family: a condition has no others.
fn ranges() -> impl Strategy<Value = Vec<RangeInclusive<IpAddr>>> {
    let range = |(first, last): (&str, &str)| first.parse().unwrap()..=last.parse().unwrap();
    let of = |networks: &[(&'static str, &'static str)]| subsequence(networks.to_vec(), 0..=3);
    let chosen = prop_oneof![of(&NETWORKS[..4]), of(&NETWORKS[4..])];
    chosen.prop_map(move |networks| networks.into_iter().map(range).collect())
}

fn address() -> impl Strategy<Value = Condition> {
    let end = select(vec![End::Src, End::Dst]);
    (end, ranges(), any::<bool>())
        .prop_map(|(end, ranges, negated)| either(Match::addresses(end, ranges), negated))
}

fn interface(way: Way) -> impl Strategy<Value = Condition> {
    let name = |(text, begins): (&str, bool)| Name {
        text: text.to_owned(),
        begins,
    };
    let names = subsequence(vec![("eth0", false), ("eth", true), ("ppp0", false)], 1..=2);
    (names, any::<bool>()).prop_map(move |(names, negated)| {
        // A rule denies one interface at most.
        let names: Vec<_> = names.into_iter().map(name).collect();
        let names = if negated { names[..1].to_vec() } else { names };
        either(Match::Interface(way, names), negated)
    })
}

fn of_flow() -> impl Strategy<Value = Condition> {
    let states = subsequence(STATES.to_vec(), 0..=5).prop_map(Match::State);
    let statuses = [Status::EXPECTED, Status::ASSURED, Status::default()];
    let status = select(statuses.to_vec()).prop_map(Match::Status);
    let directions = vec![Direction::Original, Direction::Reply];
    let direction = select(directions).prop_map(Match::Direction);
    let names = select(vec!["ftp", "sip", "ftp-2121", ""]);
    let begins = names.prop_map(|name| Match::HelperBegins(name.to_owned()));
    let helper = select(vec!["ftp", "sip"]).prop_map(|name| Match::Helper(name.to_owned()));
    let family = select(vec![Family::Ipv4, Family::Ipv6]).prop_map(Match::Family);
    let any_of = prop_oneof![states, status, direction, begins, helper, family];
    (any_of, any::<bool>()).prop_map(|(matches, negated)| either(matches, negated))
}

fn ports() -> impl Strategy<Value = Condition> {
    let known = vec![0..=1023, 21..=21, 5060..=5061, 69..=69, 40000..=65535];
    let several = (0..40u16).map(|number| number * 100..=number * 100 + 69);
    let ranges = prop_oneof![
        9 => subsequence(known, 1..=4),
        1 => Just(several.collect()),
    ];
    (select(vec![End::Src, End::Dst]), ranges, any::<bool>())
        .prop_map(|(end, ranges, negated)| either(Match::Port(end, ranges), negated))
}

/// A protocol, with what only its packets have.
fn of_protocol() -> impl Strategy<Value = Vec<Condition>> {
    let is = |numbers: &[u8]| {
        let numbers = numbers.iter().map(|number| *number..=*number);
        Condition::is(Match::Protocol(numbers.collect()))
    };
    let with_ports = select(vec![vec![6], vec![17], vec![6, 17], vec![132, 136]]);
    let with_ports = (with_ports, prop::collection::vec(ports(), 0..3));
    let kinds = (subsequence(vec![3..=3, 8..=8, 1..=2], 1..=2), any::<bool>());
    let with_code = (select(vec![3u8, 1]), 0..5u8);
    prop_oneof![
        Just(Vec::new()),
        Just(vec![is(&[47])]),
        Just(vec![either(is(&[6]).matches, true)]),
        with_ports.prop_map(move |(protocols, ports)| [vec![is(&protocols)], ports].concat()),
        (0..64u8, 0..64u8, any::<bool>()).prop_map(move |(mask, set, negated)| {
            vec![is(&[6]), either(Match::TcpFlags { mask, set }, negated)]
        }),
        (kinds, select(vec![Family::Ipv4, Family::Ipv6])).prop_map(|((kinds, negated), family)| {
            vec![either(Match::IcmpType(family, kinds), negated)]
        }),
        (with_code, any::<bool>()).prop_map(|((kind, code), negated)| {
            let kind = Condition::is(Match::IcmpType(Family::Ipv4, vec![kind..=kind]));
            let code = either(Match::IcmpCode(Family::Ipv4, vec![code..=code]), negated);
            vec![kind, code]
        }),
    ]
}

fn conditions(ways: &[Way]) -> impl Strategy<Value = Vec<Condition>> + use<> {
    let interfaces: Vec<_> = ways.iter().map(|way| interface(*way).boxed()).collect();
    let ways = prop::collection::vec((address(), of_flow()), 2).prop_map(|ways| {
        let ways = ways.into_iter().map(|(address, flow)| vec![address, flow]);
        Condition::is(Match::Any(ways.collect()))
    });
    let parts = (
        prop::collection::vec(address(), 0..3),
        prop::option::of(interfaces),
        prop::collection::vec(of_flow(), 0..2),
        of_protocol(),
        prop::option::weighted(0.1, ways),
    );
    parts.prop_map(|(addresses, interfaces, flow, protocol, any)| {
        let interfaces = interfaces.into_iter().flatten();
        let some = addresses.into_iter().chain(interfaces).chain(flow);
        some.chain(protocol).chain(any).collect()
    })
}

/// What a rule does; the chains that it may jump to stand behind it.
fn deed(chain: usize, is_raw: bool) -> BoxedStrategy<(Option<Effect>, Option<Verdict>)> {
    let callable: &[usize] = match chain {
        0 | 1 => &[2, 3],
        2 => &[3],
        4 => &[5],
        _ => &[],
    };
    let jumps = callable.iter();
    let jumps = jumps.flat_map(|to| [Verdict::Jump(*to), Verdict::Goto(*to)]);
    let mut verdicts = vec![Verdict::Accept, Verdict::Drop, Verdict::Return];
    verdicts.extend(jumps);
    let verdict = select(verdicts).prop_map(|verdict| (None, Some(verdict)));
    if !is_raw {
        return verdict.boxed();
    }
    let help = |(name, protocol): (&str, Protocol)| {
        let name = name.to_owned();
        let family = Family::Inet;
        let help = Helper {
            name,
            protocol,
            family,
        };
        (Some(Effect::Template(help)), None)
    };
    let helpers = select(vec![("ftp", Protocol::TCP), ("tftp", Protocol::UDP)]);
    prop_oneof![
        2 => verdict,
        2 => helpers.prop_map(help),
        1 => Just((Some(Effect::Untrack), Some(Verdict::Return))),
    ]
    .boxed()
}

fn chain(index: usize, family: Family) -> impl Strategy<Value = Chain> {
    let (table, name, hook, priority) = [
        ("filter", "FORWARD", Some(Hook::Forward), 0),
        ("filter", "INPUT", Some(Hook::Input), 0),
        ("filter", "one", None, 0),
        ("filter", "two", None, 0),
        ("raw", "PREROUTING", Some(Hook::Prerouting), -300),
        ("raw", "early", None, 0),
    ][index];
    let ways: &[Way] = match hook {
        Some(Hook::Input | Hook::Prerouting) => &[Way::In],
        _ => &[Way::In, Way::Out],
    };
    let comment = prop::option::of("[a-z\"\\\\ ä]{0,300}");
    let rule = (conditions(ways), deed(index, table == "raw"), comment);
    let rules = prop::collection::vec(rule, 0..4);
    (rules, any::<bool>()).prop_map(move |(rules, accepts)| {
        let rule = |(conditions, (effect, verdict), comment): (Vec<Condition>, _, _)| {
            let conditions = match &effect {
                // Which iptables cannot say: see below.
                Some(Effect::Untrack) => without_state(conditions),
                _ => conditions,
            };
            Rule {
                conditions,
                effect,
                verdict,
                comment,
                ..Rule::default()
            }
        };
        let base = hook.map(|hook| Base {
            hook,
            priority,
            accepts,
        });
        Chain {
            family,
            table: table.to_owned(),
            name: name.to_owned(),
            base,
            rules: rules.into_iter().map(rule).collect(),
        }
    })
}

fn ruleset() -> impl Strategy<Value = Ruleset> {
    let of = |family| {
        let chains: Vec<_> = (0..6).map(|index| chain(index, family)).collect();
        chains.prop_map(|chains| Ruleset {
            chains,
            unread: Vec::new(),
        })
    };
    prop_oneof![1 => of(Family::Ipv4), 1 => of(Family::Ipv6), 2 => of(Family::Inet)]
}

fn case() -> impl Strategy<Value = Case> {
    let ports = vec![21u16, 22, 69, 5060, 40000, 1024];
    let chosen = (
        select(vec![0, 3]),
        (0..3usize, 0..3usize),
        select(vec![6, 17, 1, 47, 132]),
        (select(ports.clone()), select(ports), 0..4u8, 0..5u8),
        select(STATES.to_vec()),
        select(vec![None, Some("ftp"), Some("sip")]),
        (select(vec!["eth0", "ppp0"]), select(vec!["eth1", "ppp0"])),
    );
    chosen.prop_map(
        |(family, (from, to), protocol, numbers, state, helper, ways)| {
            let (sport, dport, kind, code) = numbers;
            // Each family has its own ICMP.
            let protocol = match (protocol, family) {
                (1, 3) => 58,
                _ => protocol,
            };
            let head = match protocol {
                1 | 58 => [kind, code, 0, 0],
                _ => [sport, dport]
                    .map(u16::to_be_bytes)
                    .concat()
                    .try_into()
                    .unwrap(),
            };
            let (from, to) = (ADDRESSES[family + from], ADDRESSES[family + to]);
            let mut case = Case::new(from, to, protocol, head).in_state(state);
            if state == State::Related
                && let Some(helper) = helper
            {
                case = case.helped(helper);
            }
            case.by(ways.0, ways.1)
        },
    )
}

fn without_state(conditions: Vec<Condition>) -> Vec<Condition> {
    let kept = conditions.into_iter();
    let kept = kept.filter(|condition| !matches!(condition.matches, Match::State(_)));
    kept.map(|condition| match condition.matches {
        Match::Any(ways) => Condition {
            matches: Match::Any(ways.into_iter().map(without_state).collect()),
            ..condition
        },
        _ => condition,
    })
    .collect()
}

/// It takes two rules, and behind `-j CT --notrack` the packet is UNTRACKED (`xt_ct_target`, `conntrack_mt`).
#[test]
fn a_verdict_by_a_state_that_the_rule_has_changed_cannot_be_said() {
    let rule = Rule {
        conditions: vec![Condition {
            matches: Match::State(vec![State::Invalid]),
            negated: false,
        }],
        effect: Some(Effect::Untrack),
        verdict: Some(Verdict::Return),
        ..Rule::default()
    };
    let alone = Rule {
        verdict: None,
        ..rule.clone()
    };
    for (rule, can_be_said) in [(rule, false), (alone, true)] {
        let chain = Chain {
            family: Family::Ipv4,
            table: "raw".to_owned(),
            name: "PREROUTING".to_owned(),
            base: Some(Base {
                hook: Hook::Prerouting,
                priority: -300,
                accepts: true,
            }),
            rules: vec![rule],
        };
        let rules = Ruleset {
            chains: vec![chain],
            ..Ruleset::default()
        };
        let written = iptables::write(&rules, Family::Ipv4, &[]);
        assert_eq!(written.is_ok(), can_be_said);
    }
}

fn outcomes(rules: &Ruleset, case: &Case) -> [Outcome; 3] {
    let late = [Hook::Forward, Hook::Input].map(|hook| case.at(rules, hook));
    let [forward, input] = late;
    [forward, input, case.early(rules)]
}

fn families() -> [(Family, bool); 2] {
    [(Family::Ipv4, false), (Family::Ipv6, true)]
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    #[test]
    fn what_is_written_reads_as_it_was_meant(
        rules in ruleset(),
        cases in prop::collection::vec(case(), 40),
    ) {
        for (family, ipv6) in families() {
            let text = iptables::write(&rules, family, &[]).unwrap();
            let again = super::understood(&text);
            for case in cases.iter().filter(|case| (case.datagram[0] >> 4 == 6) == ipv6) {
                prop_assert_eq!(outcomes(&rules, case), outcomes(&again, case), "{}", text);
            }
        }
    }

    /// Once taken apart, rules stay as they are.
    #[test]
    fn what_is_read_is_written_as_it_stood(rules in ruleset()) {
        for (family, _) in families() {
            let text = iptables::write(&rules, family, &[]).unwrap();
            let again = super::understood(&text);
            if !text.contains("! --icmp-type 1/") && !text.contains("! --icmp-type 3/") {
                prop_assert_eq!(iptables::write(&again, family, &[]).unwrap(), text);
            }
        }
    }
}

/// iptables and the kernel have the last word.
#[test]
fn iptables_takes_what_is_written_and_shows_the_same() {
    if !has_iptables() {
        return;
    }
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(48)
    };
    let cases = prop::collection::vec(case(), 60);
    proptest!(config, |(rules in ruleset(), cases in cases)| {
        for (family, ipv6) in families() {
            let text = iptables::write(&rules, family, &[]).unwrap();
            let shown = restore::load(&text, ipv6);
            let again = super::understood(&shown);
            for case in cases.iter().filter(|case| (case.datagram[0] >> 4 == 6) == ipv6) {
                prop_assert_eq!(outcomes(&rules, case), outcomes(&again, case), "{}\n{}", text, shown);
            }
        }
    });
}
