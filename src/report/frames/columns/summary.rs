//! What a capture comes to: packets, helpers, rules, and what another kernel would do.

use std::collections::BTreeMap;

use super::{Described, each, length};
use crate::compare::Deviation;
use crate::conntrack::State;
use crate::exposure::Totals;
use crate::report::Analysis;
use crate::rules::{Match, Rule, nftables};

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

pub fn helpers(analysis: &Analysis) -> Vec<Described> {
    let rows: Vec<_> = analysis.exposure.services.iter().collect();
    let sum = |counts: &BTreeMap<&str, u64>| counts.values().sum::<u64>();
    vec![
        Described::new(
            "helper",
            "",
            "name that rules use",
            each(&rows, |(key, _)| key.helper),
        ),
        Described::new(
            "protocol",
            "",
            "of the control connections",
            each(&rows, |(key, _)| key.protocol.to_string()),
        ),
        Described::new(
            "server",
            "",
            "their destination",
            each(&rows, |(key, _)| key.server.to_string()),
        ),
        Described::new("port", "", "its port", each(&rows, |(key, _)| key.port)),
        Described::new(
            "verdict",
            "",
            "needed: flows came for its expectations; inert: none did",
            each(&rows, |(_, service)| service.verdict().name()),
        ),
        Described::new(
            "clients",
            "",
            "addresses that opened control connections; 1000 where there were more",
            each(&rows, |(_, service)| service.clients.len() as u64),
        ),
        Described::new(
            "control_conntracks",
            "",
            "control connections",
            each(&rows, |(_, service)| service.controls),
        ),
        Described::new(
            "first_frame",
            "",
            "the frame that opened the first of them",
            each(&rows, |(_, service)| service.first_packet),
        ),
        Described::new(
            "expectations",
            "",
            "made",
            each(&rows, |(_, service)| service.expectations),
        ),
        Described::new(
            "used",
            "",
            "those that a flow came for",
            each(&rows, |(_, service)| service.used),
        ),
        Described::new(
            "burned",
            "",
            "those that a packet matched of which no flow came: INVALID, or dropped",
            each(&rows, |(_, service)| service.burned),
        ),
        Described::new(
            "declined",
            "",
            "commands that made none",
            each(&rows, |(_, service)| sum(&service.declined)),
        ),
        Described::new(
            "dropped",
            "packets",
            "packets that the helper dropped",
            each(&rows, |(_, service)| sum(&service.dropped)),
        ),
        Described::new(
            "related_flows",
            "",
            "flows that came for its expectations",
            each(&rows, |(_, service)| service.related_flows()),
        ),
        Described::new(
            "open",
            "ns",
            "how long its expectations stood open, all together",
            each(&rows, |(_, service)| length(service.open)),
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
