//! The audit: verdicts, what stood open hour by hour, refusals, findings, what was found elsewhere, and what if.

use std::time::Duration;

use super::{Described, each, instant, length, tunnels};
use crate::analysis::Analysis;
use crate::exposure::{Exposure, Hour, Refusal, Refusals, Use};
use crate::findings::{Finding, Sum};
use crate::proposal;
use crate::ruleset::nftables;
use crate::service::Service;
use crate::time::Timestamp;
use crate::verdict::Worth;

/// The columns that name a service.
fn services<R>(rows: &[R], of: impl Fn(&R) -> Option<Service>) -> Vec<Described> {
    vec![
        Described::new(
            "helper",
            "",
            "name that rules use",
            each(rows, |row| of(row).map(|service| service.helper)),
        ),
        Described::new(
            "protocol",
            "",
            "of the control connections",
            each(rows, |row| {
                of(row).map(|service| service.protocol.to_string())
            }),
        ),
        Described::new(
            "server",
            "",
            "their destination",
            each(rows, |row| {
                of(row).map(|service| service.server.to_string())
            }),
        ),
        Described::new(
            "port",
            "",
            "its port",
            each(rows, |row| of(row).map(|service| service.port)),
        ),
    ]
}

/// The verdict on each service's helper, with what it stands on.
pub fn verdicts(analysis: &Analysis) -> Vec<Described> {
    let rows = analysis.verdicts();
    let usage = |value: fn(&Use) -> u64| each(&rows, |row| value(row.usage));
    let seconds = |value: fn(&Use) -> Duration| each(&rows, |row| length(value(row.usage)));
    let refusals = |value: fn(&Refusals) -> u64| {
        each(&rows, |row| {
            row.usage.refusals.values().map(value).sum::<u64>()
        })
    };
    let mut columns = services(&rows, |row| Some(row.service));
    columns.extend([
        Described::new(
            "verdict",
            "",
            "needed: flows came for its expectations; inert: none did; cannot help: none could have",
            each(&rows, |row| row.worth.name()),
        ),
        Described::new(
            "because",
            "",
            "what the verdict stands on",
            each(&rows, |row| row.because()),
        ),
        Described::new(
            "dangers",
            "",
            "where what it opened was wider than what the two ends could use, and what the catalogue found",
            each(&rows, |row| {
                let dangers = row.dangers.iter().map(|danger| danger.text());
                dangers.collect::<Vec<_>>().join("; ")
            }),
        ),
        Described::new(
            "instead",
            "",
            "where it cannot help: the setting that would do instead",
            each(&rows, |row| match &row.worth {
                Worth::CannotHelp(obstacle) => Some(obstacle.instead()),
                _ => None,
            }),
        ),
        Described::new(
            "frames",
            "",
            "frames that show it, the first few",
            each(&rows, |row| frames(&row.frames())),
        ),
        Described::new(
            "lacks",
            "",
            "what of the control connections the capture lacks; empty: nothing",
            each(&rows, |row| row.lacks()),
        ),
        Described::new(
            "covered",
            "ns",
            "how long the whole capture is",
            each(&rows, |_| length(analysis.exposure.totals.duration())),
        ),
        Described::new(
            "carries",
            "",
            "other protocols that control connections began with, with their number",
            each(&rows, |row| {
                let carried = row.talked.map(|talked| talked.carried.iter());
                let carried = carried.into_iter().flatten();
                let carried: Vec<String> = carried
                    .map(|(content, seen)| format!("{} {}", content.name(), seen.times))
                    .collect();
                carried.join(", ")
            }),
        ),
        Described::new(
            "could_change",
            "",
            "what a longer capture could still change",
            each(&rows, |row| row.worth.could_change()),
        ),
        Described::new(
            "clients",
            "",
            "addresses that opened control connections; 1000 where there were more",
            usage(|usage| usage.clients.len() as u64),
        ),
        Described::new(
            "control_conntracks",
            "",
            "control connections",
            usage(|usage| usage.controls),
        ),
        Described::new(
            "picked_up",
            "",
            "those that had begun before the capture",
            usage(|usage| usage.picked_up),
        ),
        Described::new(
            "begun_before",
            "",
            "flows that came for its expectations and had begun before the capture; they count for nothing",
            usage(|usage| usage.begun_before.times),
        ),
        Described::new(
            "unanswered",
            "",
            "those without a reply from the address and port that was asked",
            usage(|usage| usage.unanswered),
        ),
        Described::new(
            "first_frame",
            "",
            "the frame that opened the first of them",
            usage(|usage| usage.first_packet),
        ),
        Described::new(
            "expectations",
            "",
            "made; one that takes the place of the same one is not counted",
            usage(|usage| usage.expected),
        ),
        Described::new(
            "refreshed",
            "",
            "times that one was made again or given more time",
            usage(|usage| usage.refreshed),
        ),
        Described::new(
            "used",
            "",
            "expectations that a flow came for",
            usage(|usage| usage.used),
        ),
        Described::new(
            "burned",
            "",
            "those that a packet matched of which no flow came: INVALID, or dropped",
            usage(|usage| usage.burned),
        ),
        Described::new(
            "evicted",
            "",
            "those that gave way to a newer one",
            usage(|usage| usage.evicted),
        ),
        Described::new(
            "to_third_hosts",
            "",
            "those that led to a host that is no end of their master",
            usage(|usage| usage.to_third_hosts),
        ),
        Described::new(
            "declined",
            "",
            "commands that made none",
            refusals(|refusals| refusals.seen.times),
        ),
        Described::new(
            "dropped",
            "packets",
            "of these, the ones in packets that the helper dropped",
            refusals(|refusals| refusals.dropped),
        ),
        Described::new(
            "related_flows",
            "",
            "flows that came for its expectations",
            each(&rows, |row| row.usage.related_flows()),
        ),
        Described::new(
            "open",
            "ns",
            "how long its expectations stood open, all together",
            seconds(|usage| usage.open),
        ),
        Described::new(
            "open_for_nobody",
            "ns",
            "the part of it in which nobody ever came",
            seconds(|usage| usage.open_for_nothing),
        ),
        Described::new(
            "open_to_anybody",
            "ns",
            "the part of it that let in anybody",
            seconds(|usage| usage.open_to_anybody),
        ),
    ]);
    columns
}

/// What stood open, by service and hour.
pub fn exposure(exposure: &Exposure) -> Vec<Described> {
    let rows: Vec<(Service, Option<Timestamp>, Hour)> = exposure
        .services
        .iter()
        .flat_map(|(service, usage)| {
            let hours = usage.hours.iter();
            let listed = hours.map(|(begin, hour)| (*service, Some(begin), *hour));
            let beyond = usage.hours.beyond;
            let beyond = (beyond != Hour::default()).then_some((*service, None, beyond));
            listed.chain(beyond)
        })
        .collect();
    let mut columns = services(&rows, |row| Some(row.0));
    columns.extend([
        Described::time(
            "hour",
            "when the hour begins; empty: hours too far apart to be listed",
            each(&rows, |row| row.1.and_then(instant)),
        ),
        Described::new(
            "expectations",
            "",
            "made in it",
            each(&rows, |row| row.2.made),
        ),
        Described::new(
            "used",
            "",
            "expectations that a flow came for in it",
            each(&rows, |row| row.2.used),
        ),
        Described::new(
            "open",
            "ns",
            "how long expectations stood open in it, all together",
            each(&rows, |row| length(row.2.open)),
        ),
        Described::new(
            "open_to_anybody",
            "ns",
            "the part of it that let in anybody",
            each(&rows, |row| length(row.2.to_anybody)),
        ),
    ]);
    columns
}

/// Commands that made no expectation.
pub fn refusals(rows: &[Refusal]) -> Vec<Described> {
    let mut columns = vec![
        Described::new(
            "frame",
            "",
            "where it was said",
            each(rows, |row| row.frame),
        ),
        Described::time("at", "when", each(rows, |row| instant(row.at))),
    ];
    columns.extend(services(rows, |row| Some(row.service)));
    columns.extend([
        Described::new(
            "client",
            "",
            "who opened the control connection",
            each(rows, |row| row.client.to_string()),
        ),
        Described::new(
            "reason",
            "",
            "why it made no expectation",
            each(rows, |row| row.reason),
        ),
        Described::new(
            "packet",
            "",
            "passed, or dropped by the helper",
            each(rows, |row| if row.dropped { "dropped" } else { "passed" }),
        ),
        Described::new(
            "payload_start",
            "bytes",
            "where it stands in the payload; empty: it is said of the whole packet",
            each(rows, |row| {
                row.bytes.as_ref().map(|bytes| bytes.start as u64)
            }),
        ),
        Described::new(
            "payload_end",
            "bytes",
            "the byte behind it",
            each(rows, |row| row.bytes.as_ref().map(|bytes| bytes.end as u64)),
        ),
    ]);
    columns.extend(tunnels(rows, |row| row.tunnel));
    columns
}

/// Entries of the catalogue, wherever they were found.
pub fn findings(rows: &[Finding]) -> Vec<Described> {
    let mut columns = vec![
        Described::new(
            "severity",
            "",
            "note, low, medium, high",
            each(rows, |row| row.entry.severity.name()),
        ),
        Described::new(
            "finding",
            "",
            "the entry of the catalogue: see ctaudit findings",
            each(rows, |row| row.entry.id),
        ),
        Described::new("frame", "", "where it showed", each(rows, |row| row.frame)),
        Described::time("at", "when", each(rows, |row| instant(row.at))),
    ];
    columns.extend(services(rows, |row| row.service));
    columns.extend([
        Described::new(
            "client",
            "",
            "who opened the connection that it was found on",
            each(rows, |row| row.flow.map(|flow| flow.src.to_string())),
        ),
        Described::new(
            "client_port",
            "",
            "from which port",
            each(rows, |row| row.flow.map(|flow| flow.sport)),
        ),
        Described::new(
            "detail",
            "",
            "the numbers and addresses that show it",
            each(rows, |row| row.evidence.detail.clone()),
        ),
        Described::new(
            "other_frames",
            "",
            "other frames that belong to it",
            each(rows, |row| frames(&row.evidence.frames)),
        ),
    ]);
    columns
}

/// Findings, summed by what they are and at which service.
pub fn found(analysis: &Analysis) -> Vec<Described> {
    let sums: Vec<&Sum> = analysis.found.sums().collect();
    let mut columns = vec![
        Described::new(
            "severity",
            "",
            "note, low, medium, high",
            each(&sums, |sum| sum.entry.severity.name()),
        ),
        Described::new(
            "finding",
            "",
            "the entry of the catalogue: see ctaudit findings",
            each(&sums, |sum| sum.entry.id),
        ),
        Described::new(
            "title",
            "",
            "what it is",
            each(&sums, |sum| sum.entry.title),
        ),
    ];
    columns.extend(services(&sums, |sum| sum.service));
    columns.extend([
        Described::new(
            "detail",
            "",
            "the numbers and addresses that show the first",
            each(&sums, |sum| sum.detail.clone()),
        ),
        Described::new(
            "frames",
            "",
            "frames that show it, the first few",
            each(&sums, |sum| frames(&sum.frames)),
        ),
        Described::new(
            "times",
            "",
            "how often it was found",
            each(&sums, |sum| sum.times),
        ),
    ]);
    columns
}

/// Control protocols on ports that no helper is attached to.
pub fn control_protocols(analysis: &Analysis) -> Vec<Described> {
    let rows: Vec<_> = analysis.discovery.services.iter().collect();
    let mut columns = services(&rows, |row| Some(*row.0));
    columns.extend([
        Described::new(
            "messages",
            "packets",
            "messages that told, among the first 16 of each direction of each flow",
            each(&rows, |row| row.1.messages.times),
        ),
        Described::new(
            "first_frame",
            "",
            "the first of them",
            each(&rows, |row| row.1.messages.first),
        ),
        Described::new(
            "both_ways",
            "",
            "whether some were on flows that went both ways",
            each(&rows, |row| row.1.both_ways),
        ),
        Described::new(
            "nft",
            "",
            "the rule that attaches the helper, in the language of nft",
            each(&rows, |row| {
                nftables::write_rule(&proposal::attaching(row.0))
            }),
        ),
    ]);
    columns
}

/// What firewalls that are set up otherwise would have opened, by service.
pub fn what_if(analysis: &Analysis) -> Vec<Described> {
    let rows: Vec<(&str, &Service, &Use)> = analysis
        .what_if
        .iter()
        .flat_map(|other| {
            let services = other.exposure.services.iter();
            services.map(|(service, usage)| (other.name.as_str(), service, usage))
        })
        .collect();
    let mut columns = vec![Described::new(
        "what_if",
        "",
        "as it was asked for",
        each(&rows, |row| row.0),
    )];
    columns.extend(services(&rows, |row| Some(*row.1)));
    columns.extend([
        Described::new(
            "expectations",
            "",
            "made; one that takes the place of the same one is not counted",
            each(&rows, |row| row.2.expected),
        ),
        Described::new(
            "used",
            "",
            "expectations that a flow came for",
            each(&rows, |row| row.2.used),
        ),
        Described::new(
            "related_flows",
            "",
            "flows that came for its expectations",
            each(&rows, |row| row.2.related_flows()),
        ),
        Described::new(
            "open",
            "ns",
            "how long its expectations stood open, all together",
            each(&rows, |row| length(row.2.open)),
        ),
        Described::new(
            "open_to_anybody",
            "ns",
            "the part of it that let in anybody",
            each(&rows, |row| length(row.2.open_to_anybody)),
        ),
    ]);
    columns
}

fn frames(frames: &[u64]) -> String {
    let frames: Vec<String> = frames.iter().map(u64::to_string).collect();
    frames.join(" ")
}
