//! What a capture comes to: packets, rules, and what another kernel would do.

use super::{Described, each};
use crate::compare::Deviation;
use crate::conntrack::State;
use crate::exposure::Totals;
use crate::proposal::{Match, Rule, nftables};

pub fn packets(totals: &Totals) -> Vec<Described> {
    vec![
        Described::new(
            "ct_state",
            "",
            "what a rule's ct state matches; none: never came to the rules",
            each(&State::ALL, |state| state.name()),
        ),
        Described::new(
            "packets",
            "packets",
            "packets that carry IP",
            each(&State::ALL, |state| totals.state(*state).packets),
        ),
        Described::new(
            "bytes",
            "bytes",
            "their length by the IP header",
            each(&State::ALL, |state| totals.state(*state).bytes),
        ),
    ]
}

pub fn rules(rules: &[Rule]) -> Vec<Described> {
    let kind = |rule: &Rule| match &rule.matches {
        Match::Assign { .. } => "assign",
        Match::Related { .. } => "related",
        Match::IcmpError(_) => "icmp",
    };
    let helper = |rule: &Rule| match &rule.matches {
        Match::Assign { service, .. } => Some(service.helper),
        Match::Related { helper, .. } => Some(*helper),
        Match::IcmpError(_) => None,
    };
    let frames = |rule: &Rule| {
        rule.evidence
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    vec![
        Described::new(
            "kind",
            "",
            "assign a helper, accept what it expects, accept an ICMP error",
            each(rules, kind),
        ),
        Described::new("helper", "", "name of the helper", each(rules, helper)),
        Described::new(
            "nft",
            "",
            "the rule in the language of nft",
            each(rules, nftables::rule),
        ),
        Described::new(
            "needed_by",
            "",
            "flows that need it; for ICMP, packets",
            each(rules, |rule| rule.needed_by),
        ),
        Described::new(
            "frames",
            "",
            "frames that show it, the first few",
            each(rules, frames),
        ),
    ]
}

/// Where two kernels disagree.
pub fn deviations(rows: &[Deviation]) -> Vec<Described> {
    vec![
        Described::new(
            "frame",
            "",
            "the frame at which it showed",
            each(rows, |row| row.frame),
        ),
        Described::new(
            "what",
            "",
            "which part of the verdict, or an expectation, or how one ended",
            each(rows, |row| row.aspect.name()),
        ),
        Described::new(
            "kernel",
            "",
            "in the kernel series of --kernel; -: nothing",
            each(rows, |row| row.here.clone()),
        ),
        Described::new(
            "compare_kernel",
            "",
            "in that of --compare-kernel; -: nothing",
            each(rows, |row| row.there.clone()),
        ),
    ]
}
