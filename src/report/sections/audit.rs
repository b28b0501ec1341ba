//! The audit: verdicts, findings, what was opened and what was not, and what would be otherwise.

use std::collections::BTreeMap;
use std::time::Duration;

use super::advice::span;
use super::{clock, endpoint};
use crate::analysis::{Analysis, Listed, MOST_LISTED};
use crate::exposure::{Exposure, Hour, Refusals, Use};
use crate::proposal;
use crate::report::listed;
use crate::report::page::{Page, Table};
use crate::ruleset::nftables;
use crate::service::Service;
use crate::time::Timestamp;
use crate::verdict::{Verdict, Worth};

/// Which helpers are needed, why, and what of the capture that stands on.
pub fn verdicts(page: &mut Page, analysis: &Analysis) {
    let covered = span(analysis.exposure.totals.duration());
    page.heading(
        "Helpers",
        format!("which of them the traffic needs, by service, as {covered} of capture show"),
    );
    let headers = [
        "helper", "service", "verdict", "because", "frames", "capture",
    ];
    let mut table = Table::new(&headers, &[]);
    table.keep_whole(1);
    table.judge(2);
    let (verdicts, omitted) = listed_verdicts(analysis);
    for verdict in &verdicts {
        let dangers: Vec<String> = verdict.dangers.iter().map(|danger| danger.text()).collect();
        let mut because = vec![verdict.because()];
        because.extend(dangers.iter().cloned());
        let name = verdict.worth.name();
        let lacks = verdict.lacks();
        table.row([
            verdict.service.helper.to_owned(),
            service(&verdict.service),
            if dangers.is_empty() {
                name.to_owned()
            } else {
                format!("{name}, dangerous")
            },
            because.join("; "),
            listed(&verdict.frames()),
            if lacks.is_empty() {
                WHOLE.to_owned()
            } else {
                lacks
            },
        ]);
    }
    table.omitted = omitted;
    page.table(table);
    for verdict in &verdicts {
        if let Worth::CannotHelp(obstacle) = &verdict.worth {
            page.text(format!(
                "Instead of {} for {}: {}",
                verdict.service.helper,
                service(&verdict.service),
                obstacle.instead()
            ));
        }
    }
    let not_seen: Vec<&str> = analysis.not_seen().collect();
    if !not_seen.is_empty() {
        page.text(format!("Attached, and not seen: {}", not_seen.join(", ")));
    }
}

/// The verdicts that are shown, and how many more there are: needed helpers come first where not all are.
pub fn listed_verdicts(analysis: &Analysis) -> (Vec<Verdict<'_>>, u64) {
    let mut verdicts = analysis.verdicts();
    let omitted = verdicts.len().saturating_sub(MOST_LISTED);
    if omitted > 0 {
        verdicts.sort_by_key(|verdict| !verdict.usage.is_needed());
        verdicts.truncate(MOST_LISTED);
    }
    (verdicts, omitted as u64)
}

/// What of the catalogue was found.
pub fn findings(page: &mut Page, analysis: &Analysis) {
    let mut sums = analysis.found.sums().peekable();
    if sums.peek().is_none() {
        return;
    }
    page.heading(
        "Findings",
        "what is known to go wrong, the worst first; ctaudit findings tells of each",
    );
    let headers = ["severity", "finding", "service", "what", "frames", "times"];
    let mut table = Table::new(&headers, &[5]);
    table.judge(0);
    let mut omitted = 0;
    for sum in sums {
        if table.rows.len() == MOST_LISTED {
            omitted += 1;
            continue;
        }
        table.row([
            sum.entry.severity.name().to_owned(),
            sum.entry.id.to_owned(),
            sum.service
                .as_ref()
                .map_or_else(String::new, |of| format!("{} {}", of.helper, service(of))),
            format!("{}: {}", sum.entry.title, sum.detail),
            listed(&sum.frames),
            sum.times.to_string(),
        ]);
    }
    table.omitted = omitted;
    page.table(table);
}

/// How much stood open, for how long, by service and by helper.
pub fn exposure(page: &mut Page, exposure: &Exposure) {
    let opens = |usage: &Use| usage.expected > 0;
    if !exposure.services.values().any(opens) {
        return;
    }
    page.heading("Exposure",
        "expectations, and the socket-seconds that they stood open: in all, for nobody, and to anybody",
    );
    let headers = [
        "helper",
        "service",
        "masters",
        "expected",
        "refreshed",
        "used",
        "open",
        "nobody",
        "anybody",
    ];
    let mut table = Table::new(&headers, &[2, 3, 4, 5, 6, 7, 8]);
    table.keep_whole(1);
    let mut listed = Listed::default();
    let mut sums: BTreeMap<&str, (u64, Sum)> = BTreeMap::new();
    for (key, usage) in exposure.services.iter().filter(|(_, usage)| opens(usage)) {
        let sum = Sum::of(usage);
        listed.push(sum.row(key.helper, service(key)));
        let (services, of_helper) = sums.entry(key.helper).or_default();
        *services += 1;
        of_helper.add(&sum);
    }
    listed.rows.into_iter().for_each(|row| table.row(row));
    for (helper, (services, sum)) in sums {
        if services > 1 {
            table.row(sum.row(helper, format!("all {services}")));
        }
    }
    table.omitted = listed.omitted;
    page.table(table);
}

/// The same hour by hour, where there is more than one.
pub fn hours(page: &mut Page, exposure: &Exposure) {
    let mut hours: BTreeMap<Timestamp, Hour> = BTreeMap::new();
    for (begin, hour) in exposure
        .services
        .values()
        .flat_map(|usage| usage.hours.iter())
    {
        hours.entry(begin).or_default().add(hour);
    }
    if hours.len() < 2 {
        return;
    }
    let headers = ["hour", "expected", "used", "open", "to anybody"];
    let mut table = Table::new(&headers, &[1, 2, 3, 4]);
    for (begin, hour) in hours.iter().take(MOST_LISTED) {
        table.row([
            clock(*begin),
            hour.made.to_string(),
            hour.used.to_string(),
            bare(hour.open),
            bare(hour.to_anybody),
        ]);
    }
    table.omitted = hours.len().saturating_sub(MOST_LISTED) as u64;
    page.table(table);
}

#[derive(Clone, Copy, Default)]
struct Sum {
    masters: u64,
    expected: u64,
    refreshed: u64,
    used: u64,
    open: Duration,
    for_nobody: Duration,
    to_anybody: Duration,
}

impl Sum {
    fn of(usage: &Use) -> Self {
        Self {
            masters: usage.controls,
            expected: usage.expected,
            refreshed: usage.refreshed,
            used: usage.used,
            open: usage.open,
            for_nobody: usage.open_for_nothing,
            to_anybody: usage.open_to_anybody,
        }
    }

    fn add(&mut self, other: &Self) {
        self.masters += other.masters;
        self.expected += other.expected;
        self.refreshed += other.refreshed;
        self.used += other.used;
        self.open += other.open;
        self.for_nobody += other.for_nobody;
        self.to_anybody += other.to_anybody;
    }

    fn row(&self, helper: &str, service: String) -> [String; 9] {
        [
            helper.to_owned(),
            service,
            self.masters.to_string(),
            self.expected.to_string(),
            self.refreshed.to_string(),
            self.used.to_string(),
            bare(self.open),
            bare(self.for_nobody),
            bare(self.to_anybody),
        ]
    }
}

/// Seconds without their unit.
fn bare(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// Commands that made no expectation.
pub fn refusals(page: &mut Page, exposure: &Exposure) {
    let headers = [
        "helper",
        "service",
        "command that made no expectation",
        "packet",
        "first frame",
        "times",
    ];
    let mut table = Table::new(&headers, &[4, 5]);
    let mut listed = Listed::default();
    for (key, usage) in &exposure.services {
        for (reason, Refusals { seen, dropped }) in &usage.refusals {
            listed.push([
                key.helper.to_owned(),
                service(key),
                (*reason).to_owned(),
                match *dropped {
                    0 => "passed".to_owned(),
                    all if all == seen.times => "dropped".to_owned(),
                    some => format!("{some} dropped"),
                },
                seen.first.to_string(),
                seen.times.to_string(),
            ]);
        }
    }
    if !listed.rows.is_empty() {
        page.heading("Refusals", "what looked like a command, and opened nothing");
    }
    listed.rows.into_iter().for_each(|row| table.row(row));
    table.omitted = listed.omitted;
    page.table(table);
}

/// Control protocols where no helper reads them.
pub fn discovery(page: &mut Page, analysis: &Analysis) {
    let services = &analysis.discovery.services;
    if services.is_empty() {
        return;
    }
    page.heading(
        "Control protocols without a helper",
        "found by what they say; --add-assign shows what the helper would do",
    );
    let headers = [
        "helper",
        "service",
        "messages",
        "first frame",
        "flows",
        "rule that attaches it",
    ];
    let mut table = Table::new(&headers, &[2, 3]);
    for (key, seen) in services.iter().take(MOST_LISTED) {
        table.row([
            key.helper.to_owned(),
            service(key),
            seen.messages.times.to_string(),
            seen.messages.first.to_string(),
            if seen.both_ways {
                "both ways"
            } else {
                "one way"
            }
            .to_owned(),
            nftables::write_rule(&proposal::attaching(key)).unwrap_or_default(),
        ]);
    }
    table.omitted = services.len().saturating_sub(MOST_LISTED) as u64;
    page.table(table);
}

/// The reverse: something else where a helper reads.
pub fn carried(page: &mut Page, analysis: &Analysis) {
    let headers = ["helper", "service", "carries", "connections", "first frame"];
    let mut table = Table::new(&headers, &[3, 4]);
    let mut listed = Listed::default();
    for (key, talked) in &analysis.watch.summaries.services {
        for (content, seen) in &talked.carried {
            listed.push([
                key.helper.to_owned(),
                service(key),
                content.name().to_owned(),
                seen.times.to_string(),
                seen.first.to_string(),
            ]);
        }
    }
    if !listed.rows.is_empty() {
        page.heading(
            "Something else on a helper's port",
            "what began with another protocol than the helper reads",
        );
    }
    listed.rows.into_iter().for_each(|row| table.row(row));
    table.omitted = listed.omitted;
    page.table(table);
}

/// What another set-up would have opened and let in.
pub fn what_if(page: &mut Page, analysis: &Analysis) {
    if analysis.what_if.is_empty() {
        return;
    }
    page.heading(
        "What if",
        "expectations, related flows, and how long it stood open (of that, to anybody)",
    );
    let mut headers = vec!["helper", "service", "as it is"];
    headers.extend(analysis.what_if.iter().map(|other| other.name.as_str()));
    let mut table = Table::new(&headers, &[]);
    let firewalls = || {
        let others = analysis.what_if.iter().map(|other| &other.exposure);
        [&analysis.exposure].into_iter().chain(others)
    };
    let mut services: Vec<&Service> = firewalls().flat_map(|one| one.services.keys()).collect();
    services.sort_unstable();
    services.dedup();
    let omitted = services.len().saturating_sub(MOST_LISTED);
    for key in services.into_iter().take(MOST_LISTED) {
        let mut row = vec![key.helper.to_owned(), service(key)];
        let cells: Vec<String> = firewalls()
            .map(|one| one.services.get(key).map_or_else(|| "-".to_owned(), opened))
            .collect();
        let [today, others @ ..] = &cells[..] else {
            continue;
        };
        row.push(today.clone());
        row.extend(others.iter().map(|other| match other == today {
            true => "the same".to_owned(),
            false => other.clone(),
        }));
        table.row(row);
    }
    table.omitted = omitted as u64;
    page.table(table);
}

/// Expectations, related flows, and how long it stood open.
fn opened(usage: &Use) -> String {
    format!(
        "{}, {}, {} s ({} s)",
        usage.expected,
        usage.related_flows(),
        bare(usage.open),
        bare(usage.open_to_anybody)
    )
}

fn service(service: &Service) -> String {
    format!(
        "{} {}",
        service.protocol,
        endpoint(service.server, service.port)
    )
}

/// The capture holds all of the control connections.
const WHOLE: &str = "whole";
