//! The proposed rules, and what their proof shows.

use super::{Described, each};
use crate::analysis::Analysis;
use crate::forgery::Kind;
use crate::proof::Forged;
use crate::proposal::{Proposed, What};

pub fn rules(analysis: &Analysis) -> Vec<Described> {
    let rules = &analysis.proposal.rules[..];
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
    let proof = analysis.proof.as_ref().ok();
    let lost: Vec<Option<u64>> = match proof {
        Some(proof) => proof.lost_without(&analysis.proposal).map(Some).collect(),
        None => vec![None; rules.len()],
    };
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
            each(&analysis.proposal.statements(), Option::clone),
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
        Described::new(
            "lost_without",
            "packets",
            "needed RELATED packets that would not pass without the rule; empty where nothing was proved",
            each(&lost, |lost| *lost),
        ),
    ]
}

/// What a forger could open, by helper.
pub fn reach(analysis: &Analysis) -> Vec<Described> {
    let proof = analysis.proof.iter();
    let rows: Vec<_> = proof.flat_map(|proof| proof.reach()).collect();
    vec![
        Described::new(
            "helper",
            "",
            "name that rules use",
            each(&rows, |(helper, _)| **helper),
        ),
        Described::new(
            "bare",
            "pairs",
            "addresses and ports that a forger of the control connections seen could open where all RELATED is accepted",
            each(&rows, |(_, (bare, _))| *bare as f64),
        ),
        Described::new(
            "rules",
            "pairs",
            "the same with the proposed rules",
            each(&rows, |(_, (_, rules))| *rules as f64),
        ),
    ]
}

/// Forged variants of the capture's control traffic.
pub fn forged(analysis: &Analysis) -> Vec<Described> {
    let proof = analysis.proof.iter();
    let forged = proof.flat_map(|proof| proof.forged());
    let rows: Vec<&Forged> = forged
        .filter(|row| row.variant.kind != Kind::Genuine)
        .collect();
    vec![
        Described::new(
            "frame",
            "",
            "the frame whose message was forged",
            each(&rows, |row| row.variant.frame),
        ),
        Described::new(
            "helper",
            "",
            "what ct helper matches on the packet that tries the hole",
            each(&rows, |row| row.variant.helper),
        ),
        Described::new(
            "server",
            "",
            "destination of the control connection",
            each(&rows, |row| row.variant.service.server.to_string()),
        ),
        Described::new(
            "kind",
            "",
            "what was forged",
            each(&rows, |row| row.variant.kind.name()),
        ),
        Described::new(
            "protocol",
            "",
            "of the packet that tries the hole",
            each(&rows, |row| row.variant.probe.protocol.to_string()),
        ),
        Described::new(
            "dst",
            "",
            "its destination",
            each(&rows, |row| row.variant.probe.dst.to_string()),
        ),
        Described::new(
            "dport",
            "",
            "its destination port; of GRE the key",
            each(&rows, |row| row.variant.probe.dport),
        ),
        Described::new(
            "through_bare",
            "",
            "whether it gets through where all RELATED is accepted",
            each(&rows, |row| row.through_bare),
        ),
        Described::new(
            "through_rules",
            "",
            "whether it gets through the proposed rules",
            each(&rows, |row| row.through_rules),
        ),
    ]
}
