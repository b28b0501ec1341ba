//! What an analysis has to say, section by section; and what there is to say of a packet.
//!
//! Every cell is a number, an address or a word of ours. The prefixes of NFLOG rules are somebody else's words, and escaped.
//! Of payloads nothing is shown, but to who asks for one: see `explain::bytes`.

mod advice;
mod audit;
mod captures;
mod explain;
mod limits;
mod links;
mod proof;

pub use audit::listed_verdicts;
pub use explain::explanation;
pub use proof::{RuleFile, pairs, proof, verdict};

use std::time::Duration;

use super::page::{Page, Table};
use crate::analysis::{Analysis, Compared};
use crate::conntrack::State;
use crate::expectation::{Origin, network};
use crate::exposure::{ClosedExpectation, EndedConntrack, Exposure, Totals};
use crate::time::Timestamp;

/// All of it.
pub fn all(analysis: &Analysis) -> Page {
    let mut all = Page::default();
    let page = &mut all;
    let exposure = &analysis.exposure;
    captures::captures(page, analysis);
    packets(page, &exposure.totals);
    links::types(page, &exposure.totals);
    links::logged(page, &exposure.totals.logged);
    conntracks(page, &exposure.totals);
    tunnels(page, &exposure.totals);
    audit::verdicts(page, analysis);
    audit::findings(page, analysis);
    audit::exposure(page, exposure);
    audit::hours(page, exposure);
    audit::refusals(page, exposure);
    audit::discovery(page, analysis);
    audit::carried(page, analysis);
    audit::what_if(page, analysis);
    expectations(page, analysis);
    related(page, analysis);
    icmp(page, exposure);
    if let Some(compared) = &analysis.compared {
        self::compared(page, compared);
    }
    advice::rules(page, &analysis.proposal, analysis.proof.as_ref().ok());
    if let Ok(proof) = &analysis.proof {
        proof::outcome(page, proof);
    }
    advice::set_up(page, &analysis.conntrackd);
    advice::statements(page, analysis);
    advice::steps(page, analysis);
    advice::defects(page, analysis);
    limits::limits(page, analysis);
    all
}

fn packets(page: &mut Page, totals: &Totals) {
    let span = match (totals.first, totals.last) {
        (Some(first), Some(last)) => format!(
            "{} to {}, {}",
            clock(first),
            clock(last),
            seconds(totals.duration())
        ),
        _ => "no frames".to_owned(),
    };
    page.heading("Packets", format!("{} frames, {span}", totals.frames));
    let mut table = Table::new(&["ct state", "packets", "bytes", "share"], &[1, 2, 3]);
    let all: u64 = State::ALL
        .iter()
        .map(|&state| totals.state(state).packets)
        .sum();
    for state in State::ALL {
        let count = totals.state(state);
        if count.packets > 0 {
            let share = format!("{:.1} %", count.packets as f64 * 100.0 / all as f64);
            table.row([
                state.name().to_owned(),
                count.packets.to_string(),
                count.bytes.to_string(),
                share,
            ]);
        }
    }
    page.table(table);
    if !totals.reasons.is_empty() {
        let mut table = Table::new(&["why not simply part of a flow", "packets"], &[1]);
        for (reason, packets) in &totals.reasons {
            table.row([reason.name().to_owned(), packets.to_string()]);
        }
        page.table(table);
    }
}

fn conntracks(page: &mut Page, totals: &Totals) {
    let all: u64 = totals.conntracks.values().map(|flows| flows.all).sum();
    page.heading("Conntracks", format!("{all} in the table over time"));
    let mut table = Table::new(
        &["protocol", "conntracks", "unreplied", "assured"],
        &[1, 2, 3],
    );
    for (protocol, flows) in &totals.conntracks {
        table.row([
            protocol.to_string(),
            flows.all.to_string(),
            flows.unreplied.to_string(),
            flows.assured.to_string(),
        ]);
    }
    page.table(table);
}

/// What was looked into.
fn tunnels(page: &mut Page, totals: &Totals) {
    if totals.tunnels.is_empty() {
        return;
    }
    page.heading(
        "Tunnels",
        "what packets were taken out of, the innermost; of ids and ends the first 1000 are counted",
    );
    let headers = ["tunnel", "packets", "ids", "pairs of ends"];
    let mut table = Table::new(&headers, &[1, 2, 3]);
    for (kind, tunnels) in &totals.tunnels {
        table.row([
            kind.name().to_owned(),
            tunnels.packets.to_string(),
            tunnels.ids.len().to_string(),
            tunnels.ends.len().to_string(),
        ]);
    }
    page.table(table);
}

fn expectations(page: &mut Page, analysis: &Analysis) {
    let listed = &analysis.expectations;
    let remark = match listed.rows.is_empty() {
        false => "what stood open, on whose word",
        true => "none: no helper opened anything",
    };
    page.heading("Expectations", remark);
    let headers = [
        "frame",
        "helper",
        "said in",
        "from",
        "to",
        "port from",
        "open for",
        "outcome",
    ];
    let mut table = Table::new(&headers, &[0, 6]);
    let mut rows: Vec<&ClosedExpectation> = listed.rows.iter().collect();
    rows.sort_by_key(|closed| (closed.record.packet, closed.record.id));
    for closed in rows {
        table.row(expectation_row(closed));
    }
    table.omitted = listed.omitted;
    page.table(table);
}

fn expectation_row(closed: &ClosedExpectation) -> [String; 8] {
    let record = &closed.record;
    let expectation = &record.expectation;
    let mut from = expectation
        .src_addr
        .as_ref()
        .map_or_else(|| "anybody".to_owned(), |src| network(src.value));
    if let Some(port) = &expectation.src_port {
        from += &format!(" port {}", port.value);
    }
    let outcome = match closed.packet {
        Some(packet) => format!("{} at {packet}", closed.outcome.name()),
        None => closed.outcome.name().to_owned(),
    };
    [
        record.packet.to_string(),
        record.helper.to_owned(),
        record.direction.name().to_owned(),
        from,
        format!(
            "{} {}",
            expectation.protocol,
            endpoint(expectation.dst_addr.value, expectation.dst_port.value)
        ),
        origin(&expectation.dst_port.origin, record.packet),
        seconds(closed.open),
        outcome,
    ]
}

fn related(page: &mut Page, analysis: &Analysis) {
    let listed = &analysis.related;
    let remark = match listed.rows.is_empty() {
        false => "who came for an expectation",
        true => "none: nobody came for an expectation",
    };
    page.heading("Related flows", remark);
    let headers = [
        "frame", "helper", "from", "to", "packets", "bytes", "lasted",
    ];
    let mut table = Table::new(&headers, &[0, 4, 5, 6]);
    let mut rows: Vec<&EndedConntrack> = listed.rows.iter().collect();
    rows.sort_by_key(|ended| (ended.record.life.first_packet, ended.record.id));
    for row in rows.into_iter().filter_map(related_row) {
        table.row(row);
    }
    table.omitted = listed.omitted;
    page.table(table);
}

fn related_row(ended: &EndedConntrack) -> Option<[String; 7]> {
    let record = &ended.record;
    let helper = record.master_helper?;
    let life = &record.life;
    let tuple = &record.original;
    Some([
        life.first_packet.to_string(),
        helper.to_owned(),
        endpoint(tuple.src, tuple.sport),
        format!("{} {}", tuple.protocol, endpoint(tuple.dst, tuple.dport)),
        life.packets.iter().sum::<u64>().to_string(),
        life.bytes.iter().sum::<u64>().to_string(),
        seconds(life.last_at.since(life.first_at)),
    ])
}

/// What another kernel would do.
fn compared(page: &mut Page, compared: &Compared) {
    let (here, there) = (compared.here.series, compared.there.series);
    let counts = compared.comparison.counts.iter();
    let counts: Vec<String> = counts
        .map(|(aspect, count)| format!("{} {count}", aspect.name()))
        .collect();
    let remark = if counts.is_empty() {
        "every verdict and expectation is the same".to_owned()
    } else {
        counts.join(", ")
    };
    let title = format!("Differences between kernel {here} and {there}");
    page.heading(title, remark);
    let mut table = Table::new(&["frame", "what", here, there], &[0]);
    for deviation in &compared.deviations.rows {
        table.row([
            deviation.frame.to_string(),
            deviation.aspect.name().to_owned(),
            deviation.here.clone(),
            deviation.there.clone(),
        ]);
    }
    if table.rows.is_empty() {
        return;
    }
    table.omitted = compared.deviations.omitted;
    page.table(table);
}

fn icmp(page: &mut Page, exposure: &Exposure) {
    if exposure.icmp_errors.is_empty() {
        return;
    }
    page.heading("ICMP errors", "RELATED without a helper");
    let mut table = Table::new(&["protocol", "type", "packets", "first frame"], &[1, 2, 3]);
    for (error, errors) in &exposure.icmp_errors {
        table.row([
            error.protocol.to_string(),
            error.kind.to_string(),
            errors.seen.packets.to_string(),
            errors.seen.first.to_string(),
        ]);
    }
    page.table(table);
}

/// Where a field of the expectation comes from that this packet made.
fn origin(origin: &Origin, made_at: u64) -> String {
    match origin {
        Origin::Conntrack(direction) => format!("{} tuple", direction.name()),
        Origin::Command { packet, bytes } => {
            let last = bytes.end.saturating_sub(1);
            if *packet == made_at {
                format!("bytes {}-{last}", bytes.start)
            } else {
                format!("bytes {}-{last} of {packet}", bytes.start)
            }
        }
        Origin::Helper => "helper".to_owned(),
        Origin::Config => "configuration".to_owned(),
    }
}

/// `192.0.2.1:80`, `[2001:db8::1]:80`
pub fn endpoint(address: std::net::IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// With three decimals.
pub fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// UTC, to the microsecond.
fn clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(at.nanos().into()) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => format!("{} ns", at.nanos()),
    }
}
