//! The packet's flow before and after it, and the window that it was held against.

use super::{status, tuple};
use crate::conntrack::event::ConntrackRecord;
use crate::conntrack::tcp::{Bound, Held, Judged, Side, Tcp};
use crate::conntrack::{Examined, Flow};
use crate::explain::Packet;
use crate::report::page::{Page, Table};
use crate::report::sections::seconds;
use crate::tuple::{Direction, Protocol};

pub fn before_and_after(page: &mut Page, examined: &Examined) {
    let (before, after) = (examined.before.as_ref(), examined.after.as_ref());
    let remark = match (before, after) {
        (None, None) => "it belongs to no conntrack of the table, and opens none".to_owned(),
        (None, Some(after)) => format!("conntrack {}, which this packet opens", after.record.id.0),
        (Some(before), None) => format!("conntrack {}, which is gone", before.record.id.0),
        (Some(before), Some(after)) if before.record.id != after.record.id => format!(
            "conntrack {} in place of {}",
            after.record.id.0, before.record.id.0
        ),
        (Some(before), Some(_)) => format!("conntrack {}", before.record.id.0),
    };
    page.heading("Flow", remark);
    let mut table = Table::new(&["", "before", "after"], &[]);
    let mut row = |name: &str, value: &dyn Fn(&Flow) -> Option<String>| {
        let cell = |flow: Option<&Flow>| flow.and_then(value).unwrap_or_default();
        let (before, after) = (cell(before), cell(after));
        if !before.is_empty() || !after.is_empty() {
            table.row([name.to_owned(), before, after]);
        }
    };
    let of_record =
        |value: fn(&ConntrackRecord) -> Option<String>| move |flow: &Flow| value(&flow.record);
    row(
        "original",
        &of_record(|record| Some(tuple(&record.original))),
    );
    row("reply", &of_record(|record| Some(tuple(&record.reply))));
    row(
        "state",
        &of_record(|record| record.state.map(str::to_owned)),
    );
    row("status", &of_record(|record| Some(status(record))));
    row(
        "times out in",
        &of_record(|record| Some(seconds(record.timeout))),
    );
    for direction in DIRECTIONS {
        row(&format!("{} packets", direction.name()), &|flow| {
            let Flow { record, .. } = flow;
            let (packets, bytes) = (record.life.packets, record.life.bytes);
            let index = direction.index();
            Some(format!("{}, {} bytes", packets[index], bytes[index]))
        });
    }
    row(
        "helper",
        &of_record(|record| record.helper.map(str::to_owned)),
    );
    row(
        "master",
        &of_record(|record| record.master.as_ref().map(tuple)),
    );
    row(
        "came for",
        &of_record(|record| {
            let expectation = record.expectation?;
            Some(format!("expectation {}", expectation.0))
        }),
    );
    for direction in DIRECTIONS {
        row(&format!("{} window", direction.name()), &|flow| {
            Some(side(flow.tcp.as_ref()?, direction))
        });
    }
    page.table(table);
}

/// What an end has shown, in the kernel's words (`struct ip_ct_tcp_state`).
fn side(tcp: &Tcp, direction: Direction) -> String {
    let &Side {
        end,
        max_end,
        max_window,
        scale,
        ..
    } = tcp.side(direction);
    match max_window {
        0 => "not seen yet".to_owned(),
        _ => format!("end {end}, maxend {max_end}, maxwin {max_window}, scale {scale}"),
    }
}

/// Of a TCP segment.
pub fn window(page: &mut Page, packet: &Packet, examined: &Examined) {
    let is_tcp = packet
        .transport
        .is_some_and(|(protocol, _)| protocol == Protocol::TCP);
    if !is_tcp {
        return;
    }
    let held = match examined.judged {
        Some(Judged::Held(held)) => held,
        other => {
            page.heading("Window", not_held(other));
            return;
        }
    };
    page.heading("Window", outcome(&held));
    let [sender, receiver] = [held.direction, !held.direction].map(Direction::name);
    let headers = ["bound", "segment", "must be", "which is", "holds"];
    let mut table = Table::new(&headers, &[]);
    for bound in [Bound::I, Bound::II, Bound::III, Bound::IV] {
        let (segment, limit, why) = match bound {
            Bound::I => (
                format!("seq {}", held.seq),
                format!("before {}", held.seq_before),
                format!("{sender} maxend + 1"),
            ),
            Bound::II => (
                format!("end {}", held.end),
                held.end_after
                    .map_or_else(String::new, |floor| format!("after {floor}")),
                format!("{sender} end - {receiver} maxwin - 1"),
            ),
            Bound::III => (
                format!("ack {}", held.sack),
                format!("before {}", held.ack_before),
                format!("{receiver} end + 1"),
            ),
            Bound::IV => (
                format!("ack {}", held.sack),
                format!("after {}", held.ack_after),
                format!("{receiver} end - max({sender} maxwin, 66000) - 1"),
            ),
        };
        let holds = holds(&held, bound);
        table.row([name(bound).to_owned(), segment, limit, why, holds]);
    }
    page.table(table);
}

/// And by how much.
fn holds(held: &Held, bound: Bound) -> String {
    let keeps = held.keeps(bound);
    let beyond = match bound {
        Bound::I => held.seq.wrapping_sub(held.seq_before).wrapping_add(1),
        Bound::II => match held.end_after {
            Some(floor) => floor.wrapping_add(1).wrapping_sub(held.end),
            None => return "the receiver has shown no window yet".to_owned(),
        },
        Bound::III => held.sack.wrapping_sub(held.ack_before).wrapping_add(1),
        Bound::IV => held.ack_after.wrapping_add(1).wrapping_sub(held.sack),
    };
    match keeps {
        true => format!("yes, with {} to spare", beyond.wrapping_neg()),
        false => format!("no, by {beyond}"),
    }
}

fn outcome(held: &Held) -> String {
    let Some(bound) = held.missed() else {
        return "the segment lies within it".to_owned();
    };
    let name = name(bound);
    let (what, sequel) = match bound {
        _ if held.is_liberal => (
            "is let through all the same",
            ": the connection was picked up in its middle, or nf_conntrack_tcp_be_liberal is on",
        ),
        Bound::I if held.is_near() => (
            "is ignored",
            ": it is let through and changes little, as it ends less than a window too late",
        ),
        Bound::I | Bound::III => ("is INVALID", ""),
        Bound::II | Bound::IV => (
            "is ignored",
            ": it is let through and changes nothing, being old",
        ),
    };
    format!("the segment misses bound {name}, and {what}{sequel}")
}

fn not_held(judged: Option<Judged>) -> &'static str {
    match judged {
        Some(Judged::Begun) => {
            "the segment is not held against it: it tells where its sender's numbers begin"
        }
        Some(Judged::Unchecked) => {
            "the segment is not held against it: by the connection's state alone, the RST is believed"
        }
        Some(Judged::Ignored) => {
            "the segment is not held against it: by the connection's state alone it is ignored, which lets it through and \
             changes nothing, as it may belong to a connection that only the two ends know"
        }
        Some(Judged::Held(_)) | None => "the segment does not come so far",
    }
}

fn name(bound: Bound) -> &'static str {
    match bound {
        Bound::I => "I",
        Bound::II => "II",
        Bound::III => "III",
        Bound::IV => "IV",
    }
}

const DIRECTIONS: [Direction; 2] = [Direction::Original, Direction::Reply];
