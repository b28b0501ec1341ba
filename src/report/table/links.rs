//! What the frames were in: link types, and the rules that logged them.

use std::io::{self, Write};

use super::{finish, heading, table};
use crate::exposure::{LoggedBy, Totals};
use crate::packet::link::{self, ETHERNET, NoIp, nflog};

/// Frames by link type; nothing where all is Ethernet that says what it carries, as nearly always.
pub fn types(out: &mut dyn Write, totals: &Totals, width: u16) -> io::Result<()> {
    let is_usual = totals.links.iter().all(|(&link, seen)| {
        link == ETHERNET
            && seen
                .without_ip
                .keys()
                .all(|&why| why == NoIp::OtherProtocol)
    });
    if is_usual {
        return Ok(());
    }
    heading(out, "Links", "what the frames were in")?;
    let headers = ["link type", "number", "frames", "with IP", "left out"];
    let mut table = table(width, &headers, &[1, 2, 3]);
    for (&link, seen) in &totals.links {
        let reasons = seen.without_ip.iter();
        let reasons = reasons.map(|(why, frames)| format!("{frames} {}", why.name()));
        let duplicates =
            (seen.duplicates > 0).then(|| format!("{} captured before", seen.duplicates));
        let reasons: Vec<String> = duplicates.into_iter().chain(reasons).collect();
        table.add_row([
            link::name(link).unwrap_or("unassigned").to_owned(),
            link.to_string(),
            seen.frames.to_string(),
            seen.with_ip().to_string(),
            reasons.join(", "),
        ]);
    }
    finish(out, table)
}

/// What the rules say that logged an NFLOG capture's packets.
pub fn logged(out: &mut dyn Write, logged: &LoggedBy, width: u16) -> io::Result<()> {
    if logged.rules().is_empty() {
        return Ok(());
    }
    heading(out, "NFLOG", "which rules logged the packets")?;
    let headers = ["hook", "prefix", "mark", "packets", "first frame"];
    let mut table = table(width, &headers, &[3, 4]);
    for rule in logged.rules() {
        table.add_row([
            rule.hook.map_or_else(String::new, nflog::hook),
            rule.text(),
            rule.mark
                .map_or_else(String::new, |mark| format!("{mark:#x}")),
            rule.seen.times.to_string(),
            rule.seen.first.to_string(),
        ]);
    }
    finish(out, table)?;
    if logged.others > 0 {
        writeln!(out, "and {} packets of other rules\n", logged.others)?;
    }
    Ok(())
}
