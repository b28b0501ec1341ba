//! The tables of `ctaudit analyse` on a terminal.
//!
//! Every cell is a number, an address or a word of ours: nothing from a payload is printed. The prefixes of NFLOG rules are
//! somebody else's words, and escaped.

mod advice;
mod audit;
mod captures;
mod limits;
mod links;
mod proof;

pub use proof::{RuleFile, proof};

use std::io::{self, Write};
use std::time::Duration;

use super::layout::{finish, heading, more, table};
use crate::analysis::{Analysis, Compared};
use crate::conntrack::State;
use crate::expectation::{Origin, network};
use crate::exposure::{ClosedExpectation, EndedConntrack, Exposure, Totals};
use crate::time::Timestamp;

/// Everything that an analysis has to say, section by section.
pub fn write(out: &mut dyn Write, analysis: &Analysis, width: u16) -> io::Result<()> {
    let exposure = &analysis.exposure;
    captures::captures(out, analysis, width)?;
    packets(out, &exposure.totals, width)?;
    links::types(out, &exposure.totals, width)?;
    links::logged(out, &exposure.totals.logged, width)?;
    conntracks(out, &exposure.totals, width)?;
    tunnels(out, &exposure.totals, width)?;
    audit::verdicts(out, analysis, width)?;
    audit::findings(out, analysis, width)?;
    audit::exposure(out, exposure, width)?;
    audit::hours(out, exposure, width)?;
    audit::refusals(out, exposure, width)?;
    audit::discovery(out, analysis, width)?;
    audit::carried(out, analysis, width)?;
    audit::what_if(out, analysis, width)?;
    expectations(out, analysis, width)?;
    related(out, analysis, width)?;
    icmp(out, exposure, width)?;
    if let Some(compared) = &analysis.compared {
        self::compared(out, compared, width)?;
    }
    advice::rules(out, &analysis.proposal, analysis.proof.as_ref().ok(), width)?;
    if let Ok(proof) = &analysis.proof {
        proof::outcome(out, proof, width)?;
    }
    advice::set_up(out, &analysis.conntrackd)?;
    advice::statements(out, analysis)?;
    advice::steps(out, analysis, width)?;
    advice::defects(out, analysis)?;
    limits::limits(out, analysis)
}

fn packets(out: &mut dyn Write, totals: &Totals, width: u16) -> io::Result<()> {
    let span = match (totals.first, totals.last) {
        (Some(first), Some(last)) => format!(
            "{} to {}, {}",
            clock(first),
            clock(last),
            seconds(totals.duration())
        ),
        _ => "no frames".to_owned(),
    };
    heading(out, "Packets", &format!("{} frames, {span}", totals.frames))?;
    let mut table = table(
        width,
        &["ct state", "packets", "bytes", "share"],
        &[1, 2, 3],
    );
    let all: u64 = State::ALL
        .iter()
        .map(|&state| totals.state(state).packets)
        .sum();
    for state in State::ALL {
        let count = totals.state(state);
        if count.packets > 0 {
            let share = format!("{:.1} %", count.packets as f64 * 100.0 / all as f64);
            table.add_row([
                state.name().to_owned(),
                count.packets.to_string(),
                count.bytes.to_string(),
                share,
            ]);
        }
    }
    finish(out, table)?;
    if !totals.reasons.is_empty() {
        let mut table = self::table(width, &["why not simply part of a flow", "packets"], &[1]);
        for (reason, packets) in &totals.reasons {
            table.add_row([reason.name().to_owned(), packets.to_string()]);
        }
        finish(out, table)?;
    }
    Ok(())
}

fn conntracks(out: &mut dyn Write, totals: &Totals, width: u16) -> io::Result<()> {
    let all: u64 = totals.conntracks.values().map(|flows| flows.all).sum();
    heading(out, "Conntracks", &format!("{all} in the table over time"))?;
    let mut table = table(
        width,
        &["protocol", "conntracks", "unreplied", "assured"],
        &[1, 2, 3],
    );
    for (protocol, flows) in &totals.conntracks {
        table.add_row([
            protocol.to_string(),
            flows.all.to_string(),
            flows.unreplied.to_string(),
            flows.assured.to_string(),
        ]);
    }
    finish(out, table)
}

/// What was looked into.
fn tunnels(out: &mut dyn Write, totals: &Totals, width: u16) -> io::Result<()> {
    if totals.tunnels.is_empty() {
        return Ok(());
    }
    heading(
        out,
        "Tunnels",
        "what packets were taken out of, the innermost; of ids and ends the first 1000 are counted",
    )?;
    let headers = ["tunnel", "packets", "ids", "pairs of ends"];
    let mut table = table(width, &headers, &[1, 2, 3]);
    for (kind, tunnels) in &totals.tunnels {
        table.add_row([
            kind.name().to_owned(),
            tunnels.packets.to_string(),
            tunnels.ids.len().to_string(),
            tunnels.ends.len().to_string(),
        ]);
    }
    finish(out, table)
}

fn expectations(out: &mut dyn Write, analysis: &Analysis, width: u16) -> io::Result<()> {
    let listed = &analysis.expectations;
    heading(out, "Expectations", "what stood open, on whose word")?;
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
    let mut table = table(width, &headers, &[0, 6]);
    let mut rows: Vec<&ClosedExpectation> = listed.rows.iter().collect();
    rows.sort_by_key(|closed| closed.record.id);
    for closed in rows {
        table.add_row(expectation_row(closed));
    }
    finish(out, table)?;
    more(out, listed.omitted)
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

fn related(out: &mut dyn Write, analysis: &Analysis, width: u16) -> io::Result<()> {
    let listed = &analysis.related;
    heading(out, "Related flows", "who came for an expectation")?;
    let headers = [
        "frame", "helper", "from", "to", "packets", "bytes", "lasted",
    ];
    let mut table = table(width, &headers, &[0, 4, 5, 6]);
    let mut rows: Vec<&EndedConntrack> = listed.rows.iter().collect();
    rows.sort_by_key(|ended| ended.record.id);
    for row in rows.into_iter().filter_map(related_row) {
        table.add_row(row);
    }
    finish(out, table)?;
    more(out, listed.omitted)
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
fn compared(out: &mut dyn Write, compared: &Compared, width: u16) -> io::Result<()> {
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
    heading(out, &title, &remark)?;
    let mut table = table(width, &["frame", "what", here, there], &[0]);
    for deviation in &compared.deviations.rows {
        table.add_row([
            deviation.frame.to_string(),
            deviation.aspect.name().to_owned(),
            deviation.here.clone(),
            deviation.there.clone(),
        ]);
    }
    if table.row_count() == 0 {
        return writeln!(out);
    }
    finish(out, table)?;
    more(out, compared.deviations.omitted)
}

fn icmp(out: &mut dyn Write, exposure: &Exposure, width: u16) -> io::Result<()> {
    if exposure.icmp_errors.is_empty() {
        return Ok(());
    }
    heading(out, "ICMP errors", "RELATED without a helper")?;
    let mut table = table(
        width,
        &["protocol", "type", "packets", "first frame"],
        &[1, 2, 3],
    );
    for (error, errors) in &exposure.icmp_errors {
        table.add_row([
            error.protocol.to_string(),
            error.kind.to_string(),
            errors.seen.packets.to_string(),
            errors.seen.first.to_string(),
        ]);
    }
    finish(out, table)
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

fn endpoint(address: std::net::IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

fn seconds(duration: Duration) -> String {
    format!("{:.3} s", duration.as_secs_f64())
}

/// UTC, to the microsecond.
fn clock(at: Timestamp) -> String {
    match jiff::Timestamp::from_nanosecond(at.nanos().into()) {
        Ok(time) => format!("{time:.6}"),
        Err(_) => format!("{} ns", at.nanos()),
    }
}
