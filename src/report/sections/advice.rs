//! What an analysis comes to: the rules, and what they need.

use std::time::Duration;

use crate::analysis::Analysis;
use crate::proof::Proof;
use crate::proposal::{Proposal, What, conntrackd};
use crate::report::listed;
use crate::report::page::{Block, Item, Page, Table};
use crate::verdict::counted;

/// Which rules, and what in the capture each stands on.
pub fn rules(page: &mut Page, proposal: &Proposal, proof: Option<&Proof>) {
    page.heading(
        "Recommended rules",
        "what keeps the above working, and nothing else",
    );
    let lost = proof.map(|proof| proof.lost_without(proposal).collect::<Vec<u64>>());
    let headers = [
        "#",
        "rule",
        "needed by",
        "seen in frames",
        "lost without it",
    ];
    let headers = match lost {
        Some(_) => &headers[..],
        None => &headers[..4],
    };
    let mut table = Table::new(headers, &[0]);
    for (index, rule) in proposal.rules.iter().enumerate() {
        let unit = match rule.what {
            What::IcmpError { .. } => "packet",
            _ => "flow",
        };
        let mut row = vec![
            (index + 1).to_string(),
            rule.what.to_string(),
            counted(rule.needed_by, unit),
            listed(&rule.evidence),
        ];
        if let Some(lost) = lost.as_ref().and_then(|lost| lost.get(index)) {
            row.push(counted(*lost, "packet"));
        }
        table.row(row);
    }
    page.table(table);
}

/// What conntrackd's helpers need before the rules can be loaded.
pub fn set_up(page: &mut Page, instances: &[conntrackd::Instance]) {
    if instances.is_empty() {
        return;
    }
    page.heading(
        "Set-up of conntrackd",
        "before any rule names its helpers, in a root shell",
    );
    page.add(Block::Code(conntrackd::script(instances)));
}

/// The rules in the language of nft(8).
pub fn statements(page: &mut Page, analysis: &Analysis) {
    if analysis.proposal.rules.is_empty() {
        return;
    }
    page.heading(
        "Rules for nft -f",
        "beside the firewall's own; ctaudit rules prints this alone, and the same for iptables",
    );
    page.add(Block::Code(analysis.nft.clone()));
}

/// What belongs with the rules.
pub fn steps(page: &mut Page, analysis: &Analysis) {
    if analysis.proposal.rules.is_empty() {
        return;
    }
    page.heading("What belongs with the rules", "on the firewall");
    let items = analysis.set_up.iter().map(|step| Item {
        text: step.what.clone(),
        commands: step.commands.clone(),
    });
    page.add(Block::List(items.collect()));
}

/// Where a helper that was at work falls short.
pub fn defects(page: &mut Page, analysis: &Analysis) {
    let mut defects = analysis.defects().peekable();
    if defects.peek().is_none() {
        return;
    }
    page.heading("Known defects", "of helpers that had something to read");
    page.list(defects.map(|(helper, defect)| format!("{helper}: {defect}")));
}

/// Hours, or less than one in seconds.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 3600.0 {
        format!("{seconds:.3} s")
    } else {
        format!("{:.2} hours", seconds / 3600.0)
    }
}
