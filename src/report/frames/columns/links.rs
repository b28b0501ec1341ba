//! What the frames were in: link types, and the rules that logged them.

use super::{Described, each, no_formula};
use crate::exposure::{LoggedBy, Rule, Totals};
use crate::packet::link::{self, nflog as log};

/// A row for each link type and what became of its frames.
pub fn links(totals: &Totals) -> Vec<Described> {
    let mut rows = Vec::new();
    for (&link, seen) in &totals.links {
        rows.push((link, "IP", seen.with_ip()));
        if seen.duplicates > 0 {
            rows.push((link, "captured before", seen.duplicates));
        }
        let reasons = seen.without_ip.iter();
        rows.extend(reasons.map(|(why, frames)| (link, why.name(), *frames)));
    }
    vec![
        Described::new(
            "link_type",
            "",
            "its LINKTYPE_ number",
            each(&rows, |(link, ..)| *link),
        ),
        Described::new(
            "name",
            "",
            "what that is; empty where nobody was given the number",
            each(&rows, |(link, ..)| link::name(*link)),
        ),
        Described::new(
            "found",
            "",
            "IP, or why there is none that counts",
            each(&rows, |(_, found, _)| *found),
        ),
        Described::new(
            "frames",
            "",
            "frames in which it was so",
            each(&rows, |(.., frames)| *frames),
        ),
    ]
}

/// The rules that logged an NFLOG capture's packets, and a row for those that found no room.
pub fn nflog(logged: &LoggedBy) -> Vec<Described> {
    let mut rows: Vec<(Option<&Rule>, u64)> = Vec::new();
    rows.extend(
        logged
            .rules()
            .iter()
            .map(|rule| (Some(rule), rule.seen.times)),
    );
    rows.extend((logged.others > 0).then_some((None, logged.others)));
    vec![
        Described::new(
            "hook",
            "",
            "of netfilter, by name or number",
            each(&rows, |(rule, _)| {
                rule.and_then(|rule| rule.hook).map(log::hook)
            }),
        ),
        Described::new(
            "prefix",
            "",
            "the rule's own words, escaped, and with an apostrophe before = + - @ at their beginning, so that no cell \
             becomes a formula; null: of rules beyond the first 256, together",
            each(&rows, |(rule, _)| rule.map(|rule| no_formula(rule.text()))),
        ),
        Described::new(
            "mark",
            "",
            "of the packet",
            each(&rows, |(rule, _)| rule.and_then(|rule| rule.mark)),
        ),
        Described::new(
            "packets",
            "packets",
            "logged so",
            each(&rows, |(_, packets)| *packets),
        ),
        Described::new(
            "first_frame",
            "",
            "the first of them",
            each(&rows, |(rule, _)| rule.map(|rule| rule.seen.first)),
        ),
    ]
}
