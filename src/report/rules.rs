//! `ctaudit rules`: the proposal in the language of the tool that loads it.

use crate::exposure::Totals;
use crate::proposal::{Proposal, Target, spoofing};
use crate::ruleset::Family;
use crate::ruleset::iptables::{self, Unsayable};
use crate::ruleset::nftables::{self, Unwritable};
use crate::verdict::counted;

/// A script for `nft -f`.
pub fn nftables(proposal: &Proposal, totals: &Totals) -> Result<String, Unwritable> {
    let mut text = String::from("#!/usr/sbin/nft -f\n");
    for line in head(proposal, totals, "nft -f") {
        text += &format!("# {line}\n");
    }
    text += &nftables::write(&proposal.ruleset(Target::Nftables))?;
    if proposal.wishes.topology.is_none() {
        text += spoofing::NFTABLES;
    }
    Ok(text)
}

/// The same for `nft -j -f`.
pub fn nft_json(proposal: &Proposal) -> Result<String, Unwritable> {
    nftables::write_json(&proposal.ruleset(Target::Nftables))
}

/// A file for `iptables-restore --noflush` or `ip6tables-restore --noflush`.
pub fn iptables(proposal: &Proposal, totals: &Totals, target: Target) -> Result<String, Unsayable> {
    let (family, command, unknown) = match target {
        Target::Ip6tables => (
            Family::Ipv6,
            "ip6tables-restore --noflush",
            spoofing::IP6TABLES,
        ),
        _ => (
            Family::Ipv4,
            "iptables-restore --noflush",
            spoofing::IPTABLES,
        ),
    };
    let set = proposal.ruleset(target);
    let mut text = iptables::write(&set, family, &head(proposal, totals, command))?;
    if proposal.wishes.topology.is_none() {
        text += unknown;
    }
    Ok(text)
}

fn head(proposal: &Proposal, totals: &Totals, command: &str) -> Vec<String> {
    let seconds = totals.duration().as_secs_f64();
    let mut lines = vec![
        format!(
            "From {} of {seconds:.3} s, by ctaudit: what lets in the related flows that these needed, and no others.",
            counted(totals.frames, "frame"),
        ),
        format!(
            "{command} loads it beside the rules that are there. RELATED packets that no rule here accepts are"
        ),
        String::from(
            "dropped. Of everything else this says nothing, and an accept of related, established elsewhere",
        ),
        String::from("may stay where it is, as long as it comes behind."),
    ];
    if proposal.flows_omitted > 0 {
        lines.push(format!(
            "It lacks what {} needed: they went between more hosts than rules are made for.",
            counted(proposal.flows_omitted, "flow")
        ));
    }
    if proposal.needs_conntrackd {
        lines.push(String::from(
            "It names helpers that conntrackd runs: what ctaudit analyse prints to set them up comes first.",
        ));
    }
    lines
}
