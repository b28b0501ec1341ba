//! What an analysis cannot promise: what the capture could not show, and what was not looked at.

use super::advice::span;
use super::endpoint;
use crate::analysis::Analysis;
use crate::conntrack::Reason;
use crate::exposure::{Hour, Totals};
use crate::packet::link::{self, NoIp};
use crate::packet::tunnel;
use crate::report::page::Page;
use crate::verdict::counted;

pub fn limits(page: &mut Page, analysis: &Analysis) {
    let totals = &analysis.exposure.totals;
    let lines = [
        of_the_run(analysis),
        of_beginnings(analysis),
        left_out(analysis),
        of_tunnels(totals),
        of_packets(analysis),
        of_links(totals),
        of_the_firewall(totals),
    ]
    .concat();
    if lines.is_empty() {
        return;
    }
    page.heading("What the capture could not show", "");
    page.list(lines);
}

/// Lines for what there was any of: how often, of what, and what is to be said of it.
fn told(counts: &[(u64, &str, &str)]) -> Vec<String> {
    let counts = counts.iter().filter(|(times, ..)| *times > 0);
    counts
        .map(|(times, noun, what)| format!("{} {what}", counted(*times, noun)))
        .collect()
}

/// What the firewall was not told, what was not proved, and what a longer capture may change.
fn of_the_run(analysis: &Analysis) -> Vec<String> {
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
            "the rules are not proved, because {why}: run ctaudit prove"
        ));
    }
    let covered = span(totals.duration());
    for (kind, change) in analysis.could_change() {
        lines.push(format!(
            "more than these {covered} may yet show, of what is called {kind}: {change}"
        ));
    }
    lines
}

/// Connections of which the capture does not hold the beginning.
fn of_beginnings(analysis: &Analysis) -> Vec<String> {
    let mut lines = told(&[(
        analysis.exposure.totals.picked_up,
        "TCP connection",
        "began before the capture: what they had negotiated is unknown",
    )]);
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
    lines
}

/// What found no room in the tables of sums (`room`).
fn left_out(analysis: &Analysis) -> Vec<String> {
    let rooms = &analysis.exposure.rooms;
    let mut lines = told(&[
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
    ]);
    let mut services = analysis.exposure.services.values();
    if services.any(|usage| usage.hours.beyond != Hour::default()) {
        lines.push(String::from(
            "what stood open in more hours than are listed counts in the sums alone",
        ));
    }
    lines
}

fn of_tunnels(totals: &Totals) -> Vec<String> {
    let mut lines = Vec::new();
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
    lines
}

/// What was lost, cut, merged or shuffled before it was captured.
fn of_packets(analysis: &Analysis) -> Vec<String> {
    let totals = &analysis.exposure.totals;
    told(&[
        (
            analysis.account.lost,
            "packet",
            "lost in capturing, as the capture says itself",
        ),
        (
            totals.merged,
            "packet",
            "of TCP longer than 1500 bytes: jumbo frames, or what an offload merged before it was captured; a helper of \
             a firewall without that offload reads its segments one by one",
        ),
        (
            totals.cut,
            "packet",
            "cut by the snap length; what is missing counts as zeros",
        ),
        (
            totals.late,
            "frame",
            "older than one before; the clock stood still meanwhile",
        ),
        (
            totals.set_back,
            "time",
            "the capture's clock was set back: from there on, time-outs count from where it stood",
        ),
        (
            totals.leaps,
            "time",
            "the capture's clock leaps by more than a day: what was open before that had timed out",
        ),
    ])
}

/// Frames without a packet.
fn of_links(totals: &Totals) -> Vec<String> {
    let mut lines = Vec::new();
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
    lines
}

/// What the simulated firewall discarded.
fn of_the_firewall(totals: &Totals) -> Vec<String> {
    let discarded = totals.reasons.get(&Reason::Martian).copied().unwrap_or(0);
    told(&[
        (
            totals.early_drops,
            "conntrack",
            "gave way because the table was full (nf_conntrack_max)",
        ),
        (
            discarded,
            "packet",
            "no router forwards: they stay on their link, or are addressed to nobody",
        ),
        (
            totals.dropped.saturating_sub(discarded),
            "packet",
            "dropped by conntrack or a helper",
        ),
    ])
}
