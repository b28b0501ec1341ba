//! What the frames were in: link types, and the rules that logged them.

use crate::exposure::{LoggedBy, Totals};
use crate::packet::link::{self, ETHERNET, NoIp, nflog};
use crate::report::page::{Page, Table};

/// Frames by link type; nothing where all is Ethernet that says what it carries, as nearly always.
pub fn types(page: &mut Page, totals: &Totals) {
    let is_usual = totals.links.iter().all(|(&link, seen)| {
        link == ETHERNET
            && seen
                .without_ip
                .keys()
                .all(|&why| why == NoIp::OtherProtocol)
    });
    if is_usual {
        return;
    }
    page.heading("Links", "what the frames were in");
    let headers = ["link type", "number", "frames", "with IP", "left out"];
    let mut table = Table::new(&headers, &[1, 2, 3]);
    for (&link, seen) in &totals.links {
        let reasons = seen.without_ip.iter();
        let reasons = reasons.map(|(why, frames)| format!("{frames} {}", why.name()));
        let duplicates =
            (seen.duplicates > 0).then(|| format!("{} captured before", seen.duplicates));
        let reasons: Vec<String> = duplicates.into_iter().chain(reasons).collect();
        table.row([
            link::name(link).unwrap_or("unassigned").to_owned(),
            link.to_string(),
            seen.frames.to_string(),
            seen.with_ip().to_string(),
            reasons.join(", "),
        ]);
    }
    page.table(table);
}

/// What the rules say that logged an NFLOG capture's packets.
pub fn logged(page: &mut Page, logged: &LoggedBy) {
    if logged.rules().is_empty() {
        return;
    }
    page.heading("NFLOG", "which rules logged the packets");
    let headers = ["hook", "prefix", "mark", "packets", "first frame"];
    let mut table = Table::new(&headers, &[3, 4]);
    for rule in logged.rules() {
        table.row([
            rule.hook.map_or_else(String::new, nflog::hook),
            rule.text(),
            rule.mark
                .map_or_else(String::new, |mark| format!("{mark:#x}")),
            rule.seen.times.to_string(),
            rule.seen.first.to_string(),
        ]);
    }
    page.table(table);
    if logged.others > 0 {
        page.text(format!("and {} packets of other rules", logged.others));
    }
}
