//! What an analysis comes to: the rules, what they need, and what they cannot promise.

use std::io::{self, Write};
use std::time::Duration;

use super::endpoint;
use crate::analysis::{Analysis, Unproved};
use crate::conntrack::Reason;
use crate::exposure::Hour;
use crate::packet::link::{self, NoIp};
use crate::packet::tunnel;
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

/// What the capture could not show.
pub fn limits(out: &mut dyn Write, analysis: &Analysis) -> io::Result<()> {
    let totals = &analysis.exposure.totals;
    let mut lines = Vec::new();
    if !analysis.cannot_fire.is_empty() {
        let names: Vec<&str> = analysis.cannot_fire.iter().copied().collect();
        lines.push(format!(
            "{} help only what the firewall itself sends to a broadcast address, never what it forwards; \
             --local ADDRESS/PREFIX says which addresses are its own",
            names.join(" and ")
        ));
    }
    if let Err(why) = &analysis.proof {
        lines.push(format!(
            "the rules are not proved, because {}",
            match why {
                Unproved::NotKept =>
                    "what came through a pipe could not be kept for a second replay: save it and run ctaudit prove",
                Unproved::Gone => "a capture was gone before its second replay: run ctaudit prove",
                Unproved::Interrupted => "the second replay was interrupted: run ctaudit prove",
            }
        ));
    }
    let covered = span(totals.duration());
    for (kind, change) in analysis.could_change() {
        lines.push(format!(
            "more than these {covered} may yet show, of what is called {kind}: {change}"
        ));
    }
    if totals.picked_up > 0 {
        lines.push(format!(
            "{} began before the capture: what they had negotiated is unknown",
            counted(totals.picked_up, "TCP connection")
        ));
    }
    let reversed = analysis.discovery.reversed.iter();
    for (of, seen) in reversed.filter(|(of, _)| !analysis.exposure.services.contains_key(of)) {
        lines.push(format!(
            "{} at {} {} was picked up at a packet of the server's, so that no rule attached the helper (frame {})",
            of.helper,
            of.protocol,
            endpoint(of.server, of.port),
            seen.first
        ));
    }
    lines.extend(left_out(analysis));
    if !totals.unopened.is_empty() {
        let packets = totals.unopened.values().sum();
        let kinds = totals.unopened.keys().map(|kind| kind.name());
        lines.push(format!(
            "{} with another inside, of which conntrack was shown the outer one: --decapsulate {} looks inside, {} deep",
            counted(packets, "packet"),
            kinds.collect::<Vec<_>>().join(","),
            tunnel::MOST_NESTED
        ));
    }
    if analysis.account.lost > 0 {
        lines.push(format!(
            "{} lost in capturing, as the capture says itself",
            counted(analysis.account.lost, "packet")
        ));
    }
    if totals.cut > 0 {
        lines.push(format!(
            "{} cut by the snap length; what is missing counts as zeros",
            counted(totals.cut, "packet")
        ));
    }
    if totals.late > 0 {
        lines.push(format!(
            "{} older than one before; the clock stood still meanwhile",
            counted(totals.late, "frame")
        ));
    }
    if totals.set_back > 0 {
        lines.push(format!(
            "the capture's clock was set back {}: from there on, time-outs count from where it stood",
            counted(totals.set_back, "time")
        ));
    }
    if totals.leaps > 0 {
        lines.push(format!(
            "the capture's clock leaps by more than a day {}: what was open before that had timed out",
            counted(totals.leaps, "time")
        ));
    }
    let mut others = 0;
    for (link, seen) in &totals.links {
        for (why, frames) in &seen.without_ip {
            match why {
                NoIp::UnreadLink => lines.push(format!(
                    "{} of {}, in which IP is not looked for",
                    counted(*frames, "frame"),
                    link::described(*link)
                )),
                _ => others += frames,
            }
        }
    }
    if others > 0 {
        lines.push(format!("{} without an IP packet", counted(others, "frame")));
    }
    if totals.early_drops > 0 {
        lines.push(format!(
            "{} conntracks gave way because the table was full (nf_conntrack_max)",
            totals.early_drops
        ));
    }
    let discarded = totals.reasons.get(&Reason::Martian).copied().unwrap_or(0);
    if discarded > 0 {
        lines.push(format!(
            "{} no router forwards: they stay on their link, or are addressed to nobody",
            counted(discarded, "packet")
        ));
    }
    let dropped = totals.dropped.saturating_sub(discarded);
    if dropped > 0 {
        lines.push(format!(
            "{} dropped by conntrack or a helper",
            counted(dropped, "packet")
        ));
    }
    if lines.is_empty() {
        return Ok(());
    }
    heading(out, "What the capture could not show", "")?;
    lines.iter().try_for_each(|line| writeln!(out, "- {line}"))
}

/// What found no room in the tables of sums (`room`).
fn left_out(analysis: &Analysis) -> Vec<String> {
    let rooms = &analysis.exposure.rooms;
    let counts = [
        (
            rooms.services.omitted,
            "control connection",
            "to more services than are listed: only those of them are for which a flow came, from then on",
        ),
        (
            rooms.flows_omitted(),
            "related flow",
            "between more hosts than are told apart: the rules lack what these need",
        ),
        (
            rooms.senders.omitted,
            "flow",
            "from or to more hosts than are known by their interface: rules for these name none",
        ),
        (
            analysis.discovery.omitted(),
            "message",
            "of control protocols at more services than are listed",
        ),
        (
            analysis.found.omitted,
            "finding",
            "at more services than are told apart: they are summed without one",
        ),
    ];
    let counts = counts.into_iter().filter(|(times, ..)| *times > 0);
    let mut lines: Vec<String> = counts
        .map(|(times, noun, where_to)| format!("{} {where_to}", counted(times, noun)))
        .collect();
    let mut services = analysis.exposure.services.values();
    if services.any(|usage| usage.hours.beyond != Hour::default()) {
        lines.push(String::from(
            "what stood open in more hours than are listed counts in the sums alone",
        ));
    }
    lines
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
