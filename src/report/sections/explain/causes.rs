//! What time did before the packet, what the packet caused, and what became of that.

use std::time::Duration;

use super::{status, tuple};
use crate::conntrack::Late;
use crate::conntrack::event::{Closed, ConntrackRecord, Ended, Event, ExpectationRecord};
use crate::expectation::network;
use crate::explain::{End, ExpectationFate, Explanation, FlowFate, Frame};
use crate::report::page::{Page, Table};
use crate::report::sections::{clock, endpoint, seconds};
use crate::time::Timestamp;
use crate::verdict::counted;

/// What time did since the packet before.
pub fn late(page: &mut Page, frame: &Frame) {
    if frame.late.is_empty() {
        return;
    }
    let count = frame.late.len();
    page.heading("Since the packet before", counted(count as u64, "event"));
    let mut table = Table::new(&["when", "what", "which", "how"], &[]);
    for Late { at, event } in frame.late.iter().take(MOST) {
        let [what, which, how] = row(event);
        table.row([clock(*at), what, which, how]);
    }
    page.table(table);
    more(page, count);
}

/// What the packet did.
pub fn caused(page: &mut Page, frame: &Frame) {
    let count = frame.events.len();
    let remark = match count {
        0 => "nothing that conntrack tells anybody".to_owned(),
        _ => counted(count as u64, "event"),
    };
    page.heading("Caused", remark);
    let mut table = Table::new(&["what", "which", "how"], &[]);
    for event in frame.events.iter().take(MOST) {
        table.row(row(event));
    }
    page.table(table);
    more(page, count);
}

fn more(page: &mut Page, count: usize) {
    if count > MOST {
        page.text(format!("and {} more", count - MOST));
    }
}

fn row(event: &Event) -> [String; 3] {
    match event {
        Event::ConntrackNew(record) => [
            format!("conntrack {} new", record.id.0),
            tuple(&record.original),
            told(record),
        ],
        Event::ConntrackUpdate(record) => [
            format!("conntrack {} changed", record.id.0),
            tuple(&record.original),
            told(record),
        ],
        Event::ConntrackDestroy(record, why) => [
            format!("conntrack {} gone", record.id.0),
            tuple(&record.original),
            format!("{}, after {}", why.name(), traffic(record)),
        ],
        Event::ExpectationNew(record) => [
            format!("expectation {} new", record.id.0),
            hole(record),
            format!("by {}, for {}", record.helper, seconds(record.timeout)),
        ],
        Event::ExpectationRenewed {
            expectation,
            timeout,
        } => [
            format!("expectation {} renewed", expectation.id.0),
            hole(expectation),
            format!("by {}, for {}", expectation.helper, seconds(*timeout)),
        ],
        Event::ExpectationDestroy {
            expectation,
            why,
            open,
            ..
        } => [
            format!("expectation {} gone", expectation.id.0),
            hole(expectation),
            format!(
                "{}; made at {}, open for {}",
                match why {
                    Closed::Matched { .. } => "used",
                    Closed::Refreshed => "made again",
                    _ => why.name(),
                },
                expectation.packet,
                micros(*open)
            ),
        ],
        Event::Declined {
            root,
            reason,
            bytes,
        } => [
            "command declined".to_owned(),
            match bytes.is_empty() {
                true => String::new(),
                false => format!("bytes {}-{}", bytes.start, bytes.end - 1),
            },
            format!("by {}: {reason}", root.helper),
        ],
        Event::Refused { root, reason } => [
            "packet dropped".to_owned(),
            String::new(),
            format!("by {}: {reason}", root.helper),
        ],
    }
}

fn told(record: &ConntrackRecord) -> String {
    let state = record.state.map(|state| format!("{state}, "));
    let state = state.unwrap_or_default();
    let (status, timeout) = (status(record), seconds(record.timeout));
    format!("{state}{status}, times out in {timeout}")
}

fn traffic(record: &ConntrackRecord) -> String {
    let life = &record.life;
    let packets: u64 = life.packets.iter().sum();
    let bytes: u64 = life.bytes.iter().sum();
    format!("{} of {bytes} bytes", counted(packets, "packet"))
}

/// Whom an expectation lets in, and where to.
fn hole(record: &ExpectationRecord) -> String {
    let expectation = &record.expectation;
    let from = expectation.src_addr.as_ref();
    let from = from.map_or_else(|| "anybody".to_owned(), |src| network(src.value));
    let port = expectation.src_port.as_ref();
    let port = port.map_or_else(String::new, |port| format!(" port {}", port.value));
    let to = endpoint(expectation.dst_addr.value, expectation.dst_port.value);
    format!("{} {from}{port} to {to}", expectation.protocol)
}

/// What became of what it caused, and of its flow.
pub fn fates(page: &mut Page, explanation: &Explanation, frame: &Frame) {
    let Explanation {
        expectations,
        flows,
        omitted,
        ..
    } = explanation;
    if expectations.is_empty() && flows.is_empty() {
        return;
    }
    page.heading("What became of it", "");
    let headers = ["expectation", "lets in", "open for", "fate"];
    let mut table = Table::new(&headers, &[2]);
    for (index, fate) in expectations.iter().enumerate() {
        let visitors = flows.iter().filter(|flow| flow.came_for == Some(index));
        let visitors: Vec<&FlowFate> = visitors.collect();
        table.row([
            fate.record.id.0.to_string(),
            hole(&fate.record),
            micros(fate.open),
            fate_of(fate, &visitors, frame.clock),
        ]);
    }
    page.table(table);
    let headers = ["conntrack", "which", "packets", "bytes", "lasted", "fate"];
    let mut table = Table::new(&headers, &[2, 3, 4]);
    for flow in flows {
        table.row(flow_row(flow, explanation, frame));
    }
    page.table(table);
    if *omitted > 0 {
        page.text(format!("and {omitted} more, which were not followed"));
    }
}

fn fate_of(fate: &ExpectationFate, visitors: &[&FlowFate], from: Timestamp) -> String {
    let mut parts = Vec::new();
    if !fate.again.is_empty() {
        parts.push(format!("made again at {}", frames(&fate.again)));
    }
    if !fate.renewed.is_empty() {
        parts.push(format!("given more time at {}", frames(&fate.renewed)));
    }
    let came: Vec<u64> = visitors
        .iter()
        .filter_map(|flow| Some(flow.record.as_ref()?.life.first_packet))
        .collect();
    let used = format!("used at {}", frames(&came));
    match fate.end {
        Some(End {
            why: Closed::Matched { packet },
            at,
            ..
        }) => {
            let how = match came.is_empty() {
                true => format!("used up at {packet} by a packet that opened no flow"),
                false => used,
            };
            parts.push(format!("{how}, {}", after(at, from)));
        }
        end => {
            if !came.is_empty() {
                parts.push(used);
            }
            parts.extend(end.map(|end| match end.why {
                Closed::StillOpen => STILL_OPEN.to_owned(),
                why => ended(why.name(), end.frame, end.at, from),
            }));
        }
    }
    parts.join("; ")
}

fn flow_row(flow: &FlowFate, explanation: &Explanation, frame: &Frame) -> [String; 6] {
    let id = flow.id.0.to_string();
    let Some(record) = &flow.record else {
        let mut row: [String; 6] = Default::default();
        row[0] = id;
        row[5] = "it never enters the table".to_owned();
        return row;
    };
    let life = &record.life;
    let came_for = flow
        .came_for
        .and_then(|index| explanation.expectations.get(index));
    let came_for = came_for.map(|fate| {
        let expectation = fate.record.id.0;
        format!(
            "came for expectation {expectation} at {}; ",
            life.first_packet
        )
    });
    let end = flow.end.map(|end| match end.why {
        Ended::StillOpen => STILL_OPEN.to_owned(),
        why => ended(why.name(), end.frame, end.at, frame.clock),
    });
    let end = end.unwrap_or_default();
    let state = record.state.map(|state| format!(", {state}"));
    let state = state.unwrap_or_default();
    [
        id,
        tuple(&record.original),
        life.packets.iter().sum::<u64>().to_string(),
        life.bytes.iter().sum::<u64>().to_string(),
        micros(life.last_at.since(life.first_at)),
        format!("{}{end}{state}", came_for.unwrap_or_default()),
    ]
}

/// How, at which frame, and how long after the one that is explained.
fn ended(why: &str, frame: Option<u64>, at: Timestamp, from: Timestamp) -> String {
    let frame = frame.map_or_else(String::new, |frame| format!(" at {frame}"));
    format!("{why}{frame}, {}", after(at, from))
}

fn after(at: Timestamp, from: Timestamp) -> String {
    format!("{} later", micros(at.since(from)))
}

/// Much of what is asked of one packet happens within a millisecond.
fn micros(duration: Duration) -> String {
    format!("{:.6} s", duration.as_secs_f64())
}

/// The first few of them, and how many more.
fn frames(numbers: &[u64]) -> String {
    let first: Vec<String> = numbers.iter().take(FEW).map(u64::to_string).collect();
    let more = match numbers.len().checked_sub(FEW) {
        Some(more @ 1..) => format!(" and {more} more"),
        _ => String::new(),
    };
    format!("{}{more}", first.join(", "))
}

const STILL_OPEN: &str = "still open at the end of the capture";
/// Events that are shown, and frames.
const MOST: usize = 40;
const FEW: usize = 5;
