//! The proposal of every sample, against that sample.

use std::collections::BTreeMap;

use ctaudit::conntrack::State;
use ctaudit::conntrack::event::{ConntrackId, Event};
use ctaudit::forgery::Kind;
use ctaudit::proof::Proof;
use ctaudit::replay::{Arrival, Clock, Replay};
use ctaudit::ruleset::{RuleId, Ruleset};
use ctaudit::tuple::{Protocol, Tuple};
use hashbrown::HashSet;

use super::{Case, cases, together};
use crate::support::{capture, exposure};

/// The numbers of a proof that do not depend on the language of its rules.
fn numbers(proof: &Proof) -> [u64; 4] {
    let Proof {
        accepted,
        lost,
        others,
        dropped,
        ..
    } = proof;
    [*accepted, lost.times, others.times, dropped.times]
}

#[test]
fn a_proposal_is_proved_in_every_language() {
    let mut accepted = 0;
    for case in cases() {
        let proofs = case.written().map(|files| case.proof(together(&files)));
        for proof in &proofs {
            let unread = &proof.rules().unread;
            let numbers = numbers(proof);
            assert!(proof.holds(), "{}: {numbers:?} {unread:?}", case.name);
            assert_eq!(numbers, self::numbers(&proofs[0]), "{}", case.name);
        }
        accepted += proofs[0].accepted;
    }
    assert!(accepted > 500, "only {accepted} packets were needed");
}

/// What the rules are for does not change with their language. One of the proposal may be several in it.
#[test]
fn a_rule_is_for_the_same_packets_in_every_language() {
    for case in cases() {
        let needs = case.written().map(|files| {
            let proof = case.proof(together(&files));
            let mut needs: BTreeMap<String, u64> = BTreeMap::new();
            for (id, times) in &proof.needs {
                // The ways into the chains differ: a jump, or a rule that passes all other states by.
                let comment = proof.rules().rule(*id).unwrap().comment.clone();
                if let Some(comment) = comment.filter(|comment| comment != "judged elsewhere") {
                    *needs.entry(comment).or_default() += times;
                }
            }
            needs
        });
        for others in &needs[1..] {
            assert_eq!(needs[0], *others, "{}", case.name);
        }
    }
}

/// The rules that stand on packets.
fn grounded(case: &Case, rules: &Ruleset) -> Vec<RuleId> {
    let proposed = &case.proposal.rules;
    let stands = |line: usize| line > 0 && proposed[line - 1].needed_by > 0;
    let rules = rules.rules();
    rules
        .filter(|(_, rule)| stands(rule.place.line))
        .map(|(id, _)| id)
        .collect()
}

/// Without any one of them needed packets are lost: as many as the proof says, and perhaps ICMP errors about flows that were
/// expected. Without its rule such a flow is NEW, which the proposal lets in, and so are errors about it RELATED; but not
/// where it has one packet alone, or where its expectation is permanent.
#[test]
fn no_rule_can_be_left_out() {
    let mut tried = 0;
    for case in cases() {
        let errors = errors_about_expected_flows(&case);
        for rules in case.sets() {
            let needs = case.proof(rules.clone()).needs;
            for id in grounded(&case, &rules) {
                let mut fewer = rules.clone();
                let rule = fewer.chains[id.chain].rules.remove(id.rule);
                let lost = case.proof(fewer).lost.times;
                let said = needs.get(&id).copied().unwrap_or(0);
                let name = &case.name;
                assert!(lost > 0, "{name}: nothing is lost without {rule:?}");
                let range = said..=said + errors;
                assert!(range.contains(&lost), "{name}: {lost}, {said}: {rule:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "only {tried} rules");
}

fn errors_about_expected_flows(case: &Case) -> u64 {
    let mut errors = 0;
    let mut expected: HashSet<ConntrackId> = HashSet::new();
    let capture = capture(case.bytes.clone());
    let mut replay = Replay::new(capture, case.config.clone(), Clock::Capture);
    while let Some(passage) = replay.advance().unwrap() {
        let Arrival::Packet(packet, step) = passage.arrival else {
            continue;
        };
        for event in step.events {
            if let Event::ConntrackNew(record) = event
                && record.expectation.is_some()
            {
                expected.insert(record.id);
            }
        }
        let icmp = [Protocol::ICMP, Protocol::ICMPV6];
        let is_icmp = packet.transport.is_some_and(|(of, _)| icmp.contains(&of));
        let about = step.verdict.conntrack;
        let is_expected = about.is_some_and(|flow| expected.contains(&flow));
        errors += u64::from(is_icmp && is_expected && step.verdict.state == State::Related);
    }
    errors
}

/// What administrators have: helpers by port, and all that is RELATED.
#[test]
fn a_bare_accept_of_what_is_related_loses_nothing() {
    for case in cases() {
        let proof = case.proof(bare(&case));
        assert_eq!(proof.rules().unread, [], "{}", case.name);
        assert_eq!(proof.lost.times, 0, "{}", case.name);
        let proposed = case.proof(together(&case.written()[0]));
        assert_eq!(proof.accepted, proposed.accepted, "{}", case.name);
    }
}

fn bare(case: &Case) -> Ruleset {
    let mut text = String::from("table inet bare {\n");
    let mut rules = String::new();
    for (number, assigned) in case.config.assignments.iter().enumerate() {
        let (name, protocol) = (assigned.helper.name, assigned.protocol);
        text += &format!("ct helper h{number} {{ type \"{name}\" protocol {protocol}; }}\n");
        let port = assigned.port;
        rules += &format!("ct state new {protocol} dport {port} ct helper set \"h{number}\"\n");
    }
    for hook in ["prerouting", "output"] {
        text += &format!(
            "chain {hook} {{ type filter hook {hook} priority -190; policy accept;\n{rules}}}\n"
        );
    }
    for hook in ["input", "forward"] {
        text += &format!(
            "chain {hook} {{ type filter hook {hook} priority 0; policy drop;\n\
             ct state {{ new, established, related, untracked }} accept\n}}\n"
        );
    }
    Ruleset::read(&format!("{text}}}\n"), 0)
}

/// What a flow came for still gets through, where its forgeries may not. (For what was announced and not used, nothing is
/// proposed.)
#[test]
fn the_genuine_dialogues_pass_the_proposal() {
    let (mut genuine, mut stopped) = (0, 0);
    for case in cases() {
        let used = exposure(case.bytes.clone(), &case.config).services;
        let is_used = |probe: &Tuple| {
            let mut related = used.values().flat_map(|usage| &usage.related);
            related.any(|(ends, flows)| {
                (ends.src, ends.dst, ends.protocol) == (probe.src, probe.dst, probe.protocol)
                    && (probe.protocol == Protocol::GRE || flows.ports.seen.contains(&probe.dport))
            })
        };
        let proof = case.proof(together(&case.written()[0]));
        for forged in proof.forged() {
            let (kind, frame) = (forged.variant.kind, forged.variant.frame);
            if kind == Kind::Genuine && is_used(&forged.variant.probe) {
                assert!(forged.through_bare, "{} frame {frame}", case.name);
                assert!(forged.through_rules, "{} frame {frame}", case.name);
                genuine += 1;
            }
            // Rules attach no helper where none was, and let in no more.
            let more = forged.through_rules && !forged.through_bare;
            assert!(!more, "{} frame {frame} {kind:?}", case.name);
            stopped += u64::from(forged.through_bare && !forged.through_rules);
        }
    }
    assert!(genuine > 60, "only {genuine} genuine variants");
    assert!(stopped > 60, "only {stopped} forgeries were stopped");
}
