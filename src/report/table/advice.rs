//! What an analysis comes to: the rules, and what they need.

use std::io::{self, Write};
use std::time::Duration;

use crate::analysis::Analysis;
use crate::proof::Proof;
use crate::proposal::{Proposal, What, conntrackd};
use crate::report::layout::{self, finish, heading, wrapped};
use crate::verdict::counted;

/// Which rules, and what in the capture each stands on.
pub fn rules(
    out: &mut dyn Write,
    proposal: &Proposal,
    proof: Option<&Proof>,
    width: u16,
) -> io::Result<()> {
    heading(
        out,
        "Recommended rules",
        "what keeps the above working, and nothing else",
    )?;
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
    let mut table = layout::table(width, headers, &[0]);
    for (index, rule) in proposal.rules.iter().enumerate() {
        let unit = match rule.what {
            What::IcmpError { .. } => "packet",
            _ => "flow",
        };
        let frames: Vec<String> = rule.evidence.iter().map(u64::to_string).collect();
        let mut row = vec![
            (index + 1).to_string(),
            rule.what.to_string(),
            counted(rule.needed_by, unit),
            frames.join(", "),
        ];
        if let Some(lost) = lost.as_ref().and_then(|lost| lost.get(index)) {
            row.push(counted(*lost, "packet"));
        }
        table.add_row(row);
    }
    finish(out, table)
}

/// What conntrackd's helpers need before the rules can be loaded.
pub fn set_up(out: &mut dyn Write, instances: &[conntrackd::Instance]) -> io::Result<()> {
    if instances.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "Before any rule names them, helpers that conntrackd runs have to be set up, in a root shell:"
    )?;
    conntrackd::script(out, instances)?;
    writeln!(out)
}

/// The rules in the language of nft(8).
pub fn statements(out: &mut dyn Write, analysis: &Analysis) -> io::Result<()> {
    if analysis.proposal.rules.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "For nft -f, beside the firewall's own rules (ctaudit rules prints this alone, and the same for iptables):"
    )?;
    writeln!(out, "{}", analysis.nft)
}

/// What belongs with the rules.
pub fn steps(out: &mut dyn Write, analysis: &Analysis, width: u16) -> io::Result<()> {
    if analysis.proposal.rules.is_empty() {
        return Ok(());
    }
    heading(out, "What belongs with the rules", "on the firewall")?;
    for step in &analysis.set_up {
        wrapped(out, &step.what, width)?;
        for line in &step.commands {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}

/// Where a helper that was at work falls short.
pub fn defects(out: &mut dyn Write, analysis: &Analysis) -> io::Result<()> {
    let mut defects = analysis.defects().peekable();
    if defects.peek().is_none() {
        return Ok(());
    }
    heading(
        out,
        "Known defects",
        "of helpers that had something to read",
    )?;
    for (helper, defect) in defects {
        writeln!(out, "- {helper}: {defect}")?;
    }
    writeln!(out)
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
