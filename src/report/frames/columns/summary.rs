//! What a capture comes to: packets, rules, and what another kernel would do.

use super::{Described, each};
use crate::compare::Deviation;
use crate::conntrack::State;
use crate::exposure::Totals;
use crate::proposal::{Proposal, Proposed, What};

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

pub fn rules(proposal: &Proposal) -> Vec<Described> {
    let rules = &proposal.rules[..];
    let kind = |rule: &Proposed| match &rule.what {
        What::Attach(_) => "attach",
        What::Accept(_) => "accept",
        What::IcmpError { .. } => "icmp",
    };
    let helper = |rule: &Proposed| match &rule.what {
        What::Attach(attach) => Some(attach.helper),
        What::Accept(accept) => Some(accept.helper),
        What::IcmpError { .. } => None,
    };
    let frames = |rule: &Proposed| {
        rule.evidence
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let statements = proposal.statements();
    vec![
        Described::new(
            "kind",
            "",
            "attach a helper, accept what it expects, accept an ICMP error",
            each(rules, kind),
        ),
        Described::new("helper", "", "name of the helper", each(rules, helper)),
        Described::new(
            "nft",
            "",
            "the rule in the language of nft",
            each(&statements, Option::clone),
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
