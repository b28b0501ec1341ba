//! nft itself, in a network namespace of its own: it takes what is written, and lists what means the same.

use ctaudit::ruleset::{Condition, Family, Match, Ruleset, nftables};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::listed::{ROUTER, ZONES};
use super::without_places;
use super::written::rulesets;
use crate::namespace::{has_nft, must_run};

/// nft sorts what it lists, and leaves out a protocol or family that something else in the rule asks for.
fn sorted(ruleset: Ruleset) -> Ruleset {
    let mut ruleset = without_places(ruleset);
    for rule in ruleset.chains.iter_mut().flat_map(|chain| &mut chain.rules) {
        rule.conditions.iter_mut().for_each(sort);
        let asks_for_family = rule.conditions.iter().any(has_family);
        rule.conditions
            .retain(|condition| !asks_for_family || !matches!(condition.matches, Match::Family(_)));
        rule.conditions
            .sort_by_key(|condition| format!("{condition:?}"));
        rule.conditions.dedup();
    }
    ruleset
}

fn has_family(condition: &Condition) -> bool {
    match &condition.matches {
        Match::Address(..) | Match::IcmpType(..) | Match::IcmpCode(..) => true,
        Match::Any(ways) => ways.iter().flatten().any(has_family),
        _ => false,
    }
}

fn sort(condition: &mut Condition) {
    match &mut condition.matches {
        Match::State(states) => states.sort(),
        Match::Interface(_, names) => names.sort_by_key(|name| name.text.clone()),
        Match::Address(end, ranges) => {
            let mut ranges = ranges.to_vec();
            ranges.sort_by_key(|range| *range.start());
            condition.matches = Match::addresses(*end, ranges);
        }
        Match::Any(ways) => ways.sort_by_key(|way| format!("{way:?}")),
        _ => {}
    }
}

/// The same sixty each time.
#[test]
fn nft_takes_what_is_written_and_lists_the_same() {
    if !has_nft() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    for family in [Family::Inet, Family::Ipv4, Family::Ipv6] {
        for _ in 0..20 {
            check(&rulesets(family).new_tree(&mut runner).unwrap().current());
        }
    }
}

fn check(ruleset: &Ruleset) {
    let expected = sorted(ruleset.clone());
    let text = nftables::write(ruleset).unwrap();
    // Loaded twice, it is there once.
    let twice = format!("{text}{text}");
    let listed = must_run("nft -f - && nft list ruleset", &twice);
    assert_eq!(
        sorted(nftables::read(&listed, 0)),
        expected,
        "{text}\n{listed}"
    );
    let listed = must_run("nft -f - && nft -j list ruleset", &text);
    assert_eq!(
        sorted(nftables::read_json(&listed, 0)),
        expected,
        "{text}\n{listed}"
    );
    let json = nftables::write_json(ruleset).unwrap();
    let listed = must_run("nft -j -f - && nft list ruleset", &json);
    assert_eq!(
        sorted(nftables::read(&listed, 0)),
        expected,
        "{json}\n{listed}"
    );
}

/// What a file says is what nft says it has understood.
#[test]
fn nft_lists_what_was_read() {
    if !has_nft() {
        return;
    }
    for text in [ROUTER, ZONES] {
        let counted = |ruleset: Ruleset| {
            assert_eq!(ruleset.unread, []);
            let chains = ruleset.chains.into_iter();
            chains
                .map(|chain| (chain.name, chain.base, chain.rules.len()))
                .collect::<Vec<_>>()
        };
        let expected = counted(nftables::read(text, 0));
        let listed = must_run("nft -f - && nft list ruleset", text);
        assert_eq!(counted(nftables::read(&listed, 0)), expected);
        let listed = must_run("nft -f - && nft -j list ruleset", text);
        assert_eq!(counted(nftables::read_json(&listed, 0)), expected);
    }
}
