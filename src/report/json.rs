//! `ctaudit events --json`: a line for each packet that carries IP.
//!
//! Names and spelling are those of ctnetlink as its tools show it, so that the record can be held against a kernel's
//! line by line. `late` are events that time caused since the packet before, `events` those of this packet. Two of them
//! are ours alone: `exp_update`, where a helper activated an expectation or gave it more time, and `declined`, where it
//! saw what looks like a command and expects nothing. `tunnel` stands in the record of a packet that was taken out of one.

use std::io::{self, Write};
use std::net::IpAddr;

use serde::Serialize;

use super::Expected;
use crate::conntrack::event::{ConntrackRecord, Event, ExpectationRecord};
use crate::conntrack::{Step, Verdict, has_ports};
use crate::kernel::Kernel;
use crate::packet::tunnel::Tunnel;
use crate::tuple::{Protocol, Tuple};

/// Writes the record of one packet, and of what it was taken out of.
pub fn write(
    out: &mut dyn Write,
    number: u64,
    tunnel: Option<Tunnel>,
    step: &Step<'_>,
    kernel: &Kernel,
) -> io::Result<()> {
    let Verdict {
        state,
        direction,
        helper,
        dropped,
        reason,
        ..
    } = step.verdict;
    let line = Line {
        n: number,
        tunnel: tunnel.map(|tunnel| TunnelLine {
            kind: tunnel.kind.name(),
            id: tunnel.id,
            src: tunnel.src,
            dst: tunnel.dst,
        }),
        state: state.name(),
        dir: direction.map(|direction| direction.name()),
        helper,
        dropped,
        reason: reason.map(|reason| reason.name()),
        late: step
            .late
            .iter()
            .filter_map(|late| line(&late.event, kernel))
            .collect(),
        events: step
            .events
            .iter()
            .filter_map(|event| line(event, kernel))
            .collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
struct Line {
    n: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    tunnel: Option<TunnelLine>,
    state: &'static str,
    dir: Option<&'static str>,
    helper: Option<&'static str>,
    dropped: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    late: Vec<EventLine>,
    events: Vec<EventLine>,
}

#[derive(Serialize)]
struct TunnelLine {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    src: IpAddr,
    dst: IpAddr,
}

#[derive(Serialize)]
#[serde(untagged)]
enum EventLine {
    Conntrack(Box<ConntrackLine>),
    Expectation(Box<ExpectationLine>),
    Declined(DeclinedLine),
}

#[derive(Serialize)]
struct DeclinedLine {
    ev: &'static str,
    helper: &'static str,
    reason: &'static str,
    /// Of the payload, from and up to.
    bytes: [usize; 2],
}

#[derive(Serialize)]
struct ConntrackLine {
    ev: &'static str,
    orig: TupleLine,
    reply: TupleLine,
    status: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tcp_state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    master: Option<TupleLine>,
}

#[derive(Serialize)]
struct ExpectationLine {
    ev: &'static str,
    #[serde(flatten)]
    tuple: TupleLine,
    mask: Mask,
    helper: &'static str,
    class: u8,
    flags: u32,
    timeout: u64,
    master: TupleLine,
}

#[derive(Serialize)]
struct TupleLine {
    proto: String,
    src: IpAddr,
    dst: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    sport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u8>,
}

#[derive(Serialize)]
struct Mask {
    src: IpAddr,
    dst: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    sport: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dport: Option<u16>,
}

fn line(event: &Event, kernel: &Kernel) -> Option<EventLine> {
    let conntrack = |line| Some(EventLine::Conntrack(Box::new(line)));
    match event {
        Event::ConntrackNew(record) => conntrack(ConntrackLine::new("ct_new", record, kernel)),
        Event::ConntrackUpdate(record) => {
            conntrack(ConntrackLine::new("ct_update", record, kernel))
        }
        // ctnetlink tells neither time-out nor helper nor master of an entry that is gone.
        Event::ConntrackDestroy(record, _) => conntrack(ConntrackLine {
            timeout: None,
            helper: None,
            master: None,
            ..ConntrackLine::new("ct_destroy", record, kernel)
        }),
        Event::ExpectationNew(record) => {
            let line = ExpectationLine::new("exp_new", record, record.timeout.as_secs(), kernel);
            Some(EventLine::Expectation(Box::new(line)))
        }
        Event::ExpectationDestroy {
            expectation, left, ..
        } => {
            let line = ExpectationLine::new("exp_destroy", expectation, left.as_secs(), kernel);
            Some(EventLine::Expectation(Box::new(line)))
        }
        Event::ExpectationRenewed {
            expectation,
            timeout,
        } => {
            let line = ExpectationLine::new("exp_update", expectation, timeout.as_secs(), kernel);
            Some(EventLine::Expectation(Box::new(line)))
        }
        Event::Declined {
            root,
            reason,
            bytes,
        } => Some(EventLine::Declined(DeclinedLine {
            ev: "declined",
            helper: root.helper,
            reason,
            bytes: [bytes.start, bytes.end],
        })),
        // The line's `reason` says it.
        Event::Refused { .. } => None,
    }
}

impl ConntrackLine {
    fn new(ev: &'static str, record: &ConntrackRecord, kernel: &Kernel) -> Self {
        Self {
            ev,
            orig: TupleLine::new(&record.original, kernel),
            reply: TupleLine::new(&record.reply, kernel),
            status: record.status.names().collect(),
            timeout: Some(record.timeout.as_secs()),
            tcp_state: record
                .state
                .filter(|_| record.original.protocol == Protocol::TCP),
            helper: record.helper,
            master: record
                .master
                .as_ref()
                .map(|master| TupleLine::new(master, kernel)),
        }
    }
}

impl ExpectationLine {
    fn new(ev: &'static str, record: &ExpectationRecord, timeout: u64, kernel: &Kernel) -> Self {
        let expectation = &record.expectation;
        let expected = Expected::of(expectation);
        let tuple = TupleLine::new(&expected.tuple, kernel);
        Self {
            ev,
            mask: Mask {
                src: expected.mask_src,
                dst: expected.mask_dst,
                sport: tuple.sport.and(Some(expected.mask_sport)),
                dport: tuple.dport.and(Some(u16::MAX)),
            },
            tuple,
            helper: record.helper,
            class: expectation.class,
            flags: expectation.flags.bits(),
            timeout,
            master: TupleLine::new(&record.master, kernel),
        }
    }
}

impl TupleLine {
    fn new(tuple: &Tuple, kernel: &Kernel) -> Self {
        let has_ports = tuple.protocol == Protocol::GRE || has_ports(tuple.protocol, kernel);
        let icmp = tuple.icmp();
        Self {
            proto: tuple.protocol.to_string(),
            src: tuple.src,
            dst: tuple.dst,
            sport: has_ports.then_some(tuple.sport),
            dport: has_ports.then_some(tuple.dport),
            id: icmp.map(|_| tuple.sport),
            r#type: icmp.map(|[kind, _]| kind),
            code: icmp.map(|[_, code]| code),
        }
    }
}
