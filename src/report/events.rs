//! `ctaudit events`: a line an event, in the form of `conntrack -E -o timestamp` and `conntrack -E expect`.
//!
//! One stream holds both, in the order in which things happened. The timestamp is the capture's.

use std::io::{self, Write};
use std::time::Duration;

use super::Expected;
use crate::conntrack::Step;
use crate::conntrack::event::{ConntrackRecord, Event, ExpectationRecord, Status};
use crate::time::Timestamp;
use crate::tuple::{Protocol, Tuple};

/// Writes what a step has to tell.
pub fn write(out: &mut dyn Write, at: Timestamp, step: &Step<'_>) -> io::Result<()> {
    for late in step.late {
        line(out, late.at, &late.event)?;
    }
    step.events
        .iter()
        .try_for_each(|event| line(out, at, event))
}

fn line(out: &mut dyn Write, at: Timestamp, event: &Event) -> io::Result<()> {
    match event {
        Event::ConntrackNew(record) => conntrack(out, at, "    [NEW]", record),
        Event::ConntrackUpdate(record) => conntrack(out, at, " [UPDATE]", record),
        Event::ConntrackDestroy(record, _) => conntrack(out, at, "[DESTROY]", record),
        Event::ExpectationNew(record) => expectation(out, at, "    [NEW]", record, record.timeout),
        Event::ExpectationDestroy {
            expectation: record,
            left,
            ..
        } => expectation(out, at, "[DESTROY]", record, *left),
        // The kernel tells nobody.
        Event::ExpectationRenewed { .. } | Event::Declined { .. } | Event::Refused { .. } => Ok(()),
    }
}

/// Seconds since 1970, to the microsecond.
fn stamp(out: &mut dyn Write, at: Timestamp) -> io::Result<()> {
    let micros = at.nanos().div_euclid(1000);
    write!(
        out,
        "[{}.{:06}]\t",
        micros.div_euclid(1_000_000),
        micros.rem_euclid(1_000_000)
    )
}

/// libnetfilter_conntrack's default output.
fn conntrack(
    out: &mut dyn Write,
    at: Timestamp,
    kind: &str,
    record: &ConntrackRecord,
) -> io::Result<()> {
    stamp(out, at)?;
    let protocol = record.original.protocol;
    // IGMP and ESP have names in our records, but none in that library.
    let name = if has_tracker(protocol) {
        protocol.name()
    } else {
        None
    };
    write!(
        out,
        "{kind} {:<8} {} ",
        name.unwrap_or("unknown"),
        protocol.0
    )?;
    if kind != "[DESTROY]" {
        write!(out, "{} ", record.timeout.as_secs())?;
    }
    if let Some(state) = record.state {
        write!(out, "{state} ")?;
    }
    tuple(out, &record.original)?;
    if !record.status.has(Status::SEEN_REPLY) {
        write!(out, "[UNREPLIED] ")?;
    }
    tuple(out, &record.reply)?;
    if record.status.has(Status::ASSURED) {
        write!(out, "[ASSURED] ")?;
    }
    match record.helper {
        Some(helper) if kind != "[DESTROY]" => writeln!(out, "helper={helper}"),
        _ => writeln!(out),
    }
}

fn has_tracker(protocol: Protocol) -> bool {
    !matches!(protocol.name(), None | Some("igmp" | "esp"))
}

fn tuple(out: &mut dyn Write, tuple: &Tuple) -> io::Result<()> {
    write!(out, "src={} dst={} ", tuple.src, tuple.dst)?;
    match (tuple.protocol, tuple.icmp()) {
        (_, Some([kind, code])) => write!(out, "type={kind} code={code} id={} ", tuple.sport),
        (Protocol::GRE, _) => write!(out, "srckey={:#x} dstkey={:#x} ", tuple.sport, tuple.dport),
        _ if has_tracker(tuple.protocol) => {
            write!(out, "sport={} dport={} ", tuple.sport, tuple.dport)
        }
        _ => Ok(()),
    }
}

fn expectation(
    out: &mut dyn Write,
    at: Timestamp,
    kind: &str,
    record: &ExpectationRecord,
    timeout: Duration,
) -> io::Result<()> {
    stamp(out, at)?;
    let expectation = &record.expectation;
    let expected = Expected::of(expectation);
    writeln!(
        out,
        "{kind} {} proto={} src={} dst={} sport={} dport={} mask-src={} mask-dst={} sport={} dport=65535 \
         master-src={} master-dst={} sport={} dport={} {}class={} helper={}",
        timeout.as_secs(),
        expectation.protocol.0,
        expected.tuple.src,
        expected.tuple.dst,
        expected.tuple.sport,
        expected.tuple.dport,
        expected.mask_src,
        expected.mask_dst,
        expected.mask_sport,
        record.master.src,
        record.master.dst,
        record.master.sport,
        record.master.dport,
        match (expectation.flags.permanent, expectation.flags.inactive) {
            (true, true) => "PERMANENT,INACTIVE ",
            (true, false) => "PERMANENT ",
            (false, true) => "INACTIVE ",
            (false, false) => "",
        },
        expectation.class,
        record.helper,
    )
}
