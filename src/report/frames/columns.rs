//! The columns of every table, each with its unit and what it means.

use std::collections::BTreeMap;

use polars::prelude::*;

use super::SCHEMA_VERSION;
use crate::compare::Deviation;
use crate::conntrack::State;
use crate::expectation::{Origin, network};
use crate::exposure::{ClosedExpectation, EndedConntrack, Totals};
use crate::report::Analysis;
use crate::rules::{Match, Rule, nftables};
use crate::time::Timestamp;
use crate::tuple::Direction;

/// A column with what it means.
pub struct Described {
    pub column: Column,
    unit: &'static str,
    meaning: &'static str,
}

impl Described {
    pub fn empty(&self) -> Self {
        Self {
            column: self.column.clear(),
            unit: self.unit,
            meaning: self.meaning,
        }
    }

    fn new<T, P: ?Sized>(name: &str, unit: &'static str, meaning: &'static str, values: T) -> Self
    where
        Series: NamedFrom<T, P>,
    {
        Self {
            column: Series::new(name.into(), values).into(),
            unit,
            meaning,
        }
    }

    /// Instants, as nanoseconds since 1970.
    fn time(name: &str, meaning: &'static str, values: Vec<Option<i64>>) -> Self {
        let series = Int64Chunked::new(name.into(), values)
            .into_datetime(TimeUnit::Nanoseconds, None)
            .into_series();
        Self {
            column: series.into(),
            unit: "UTC",
            meaning,
        }
    }
}

fn nanos(at: Timestamp) -> Option<i64> {
    Some(at.nanos())
}

/// One value a row.
fn each<R, T>(rows: &[R], value: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

pub fn packets(totals: &Totals) -> Vec<Described> {
    vec![
        Described::new(
            "ct_state",
            "",
            "what a rule's ct state matches; none: never came to the rules",
            each(&State::ALL, |state| state.name()),
        ),
        Described::new(
            "packets",
            "packets",
            "packets that carry IP",
            each(&State::ALL, |state| totals.state(*state).packets),
        ),
        Described::new(
            "bytes",
            "bytes",
            "their length by the IP header",
            each(&State::ALL, |state| totals.state(*state).bytes),
        ),
    ]
}

pub fn expectations(rows: &[ClosedExpectation]) -> Vec<Described> {
    let src = |row: &ClosedExpectation| {
        row.record
            .expectation
            .src_addr
            .as_ref()
            .map(|src| network(src.value))
    };
    let sport = |row: &ClosedExpectation| {
        row.record
            .expectation
            .src_port
            .as_ref()
            .map(|port| port.value)
    };
    vec![
        Described::new(
            "expectation",
            "",
            "number of the expectation, in order of creation",
            each(rows, |row| row.record.id.0),
        ),
        Described::new(
            "helper",
            "",
            "the helper that made it",
            each(rows, |row| row.record.helper),
        ),
        Described::new(
            "frame",
            "",
            "the frame at which it was made",
            each(rows, |row| row.record.packet),
        ),
        Described::time(
            "made",
            "when it was made",
            each(rows, |row| nanos(row.record.at)),
        ),
        Described::new(
            "direction",
            "",
            "direction of that frame: original is the client's",
            each(rows, |row| row.record.direction.name()),
        ),
        Described::new(
            "protocol",
            "",
            "of the expected flow",
            each(rows, |row| row.record.expectation.protocol.to_string()),
        ),
        Described::new(
            "src",
            "",
            "who may open the flow; empty: anybody",
            each(rows, src),
        ),
        Described::new(
            "sport",
            "",
            "from which port; empty: any",
            each(rows, sport),
        ),
        Described::new(
            "dst",
            "",
            "to which address",
            each(rows, |row| {
                row.record.expectation.dst_addr.value.to_string()
            }),
        ),
        Described::new(
            "dport",
            "",
            "to which port",
            each(rows, |row| row.record.expectation.dst_port.value),
        ),
        Described::new(
            "src_origin",
            "",
            "where src comes from",
            each(rows, |row| {
                row.record
                    .expectation
                    .src_addr
                    .as_ref()
                    .map_or_else(|| "any".to_owned(), |field| origin(&field.origin))
            }),
        ),
        Described::new(
            "sport_origin",
            "",
            "where sport comes from",
            each(rows, |row| {
                row.record
                    .expectation
                    .src_port
                    .as_ref()
                    .map_or_else(|| "any".to_owned(), |field| origin(&field.origin))
            }),
        ),
        Described::new(
            "dst_origin",
            "",
            "where dst comes from",
            each(rows, |row| origin(&row.record.expectation.dst_addr.origin)),
        ),
        Described::new(
            "dport_origin",
            "",
            "where dport comes from",
            each(rows, |row| origin(&row.record.expectation.dst_port.origin)),
        ),
        Described::new(
            "class",
            "",
            "class of the helper's policy",
            each(rows, |row| row.record.expectation.class),
        ),
        Described::new(
            "flags",
            "",
            "1 permanent, 2 inactive",
            each(rows, |row| row.record.expectation.flags.bits()),
        ),
        Described::new(
            "timeout",
            "s",
            "how long it could have stood open",
            each(rows, |row| row.record.timeout.as_secs()),
        ),
        Described::new(
            "open",
            "ns",
            "how long it stood open",
            each(rows, |row| {
                u64::try_from(row.open.as_nanos()).unwrap_or(u64::MAX)
            }),
        ),
        Described::new(
            "outcome",
            "",
            "what became of it",
            each(rows, |row| row.outcome.name()),
        ),
        Described::new(
            "closed_frame",
            "",
            "the frame that closed it; empty: time did",
            each(rows, |row| row.packet),
        ),
        Described::new(
            "master_conntrack",
            "",
            "number of the master's conntrack",
            each(rows, |row| row.record.master_id.0),
        ),
        Described::new(
            "master_src",
            "",
            "client of the master",
            each(rows, |row| row.record.master.src.to_string()),
        ),
        Described::new(
            "master_sport",
            "",
            "its port",
            each(rows, |row| row.record.master.sport),
        ),
        Described::new(
            "master_dst",
            "",
            "server of the control connection that a rule attaches the helper to",
            each(rows, |row| row.record.master.dst.to_string()),
        ),
        Described::new(
            "master_dport",
            "",
            "its port",
            each(rows, |row| row.record.master.dport),
        ),
    ]
}

pub fn related(rows: &[EndedConntrack]) -> Vec<Described> {
    let rows: Vec<&EndedConntrack> = rows
        .iter()
        .filter(|row| row.expected_by.is_some())
        .collect();
    let service = |row: &&EndedConntrack| row.expected_by;
    let mut columns = vec![
        Described::new(
            "helper",
            "",
            "the helper that expected it",
            each(&rows, |row| row.record.master_helper),
        ),
        Described::new(
            "server",
            "",
            "server of the master",
            each(&rows, |row| {
                service(row).map(|service| service.server.to_string())
            }),
        ),
        Described::new(
            "port",
            "",
            "its port",
            each(&rows, |row| service(row).map(|service| service.port)),
        ),
        Described::new(
            "expectation",
            "",
            "number of the expectation that let it in",
            each(&rows, |row| row.record.expectation.map(|id| id.0)),
        ),
    ];
    columns.extend(flow(&rows));
    columns
}

pub fn conntracks(rows: &[EndedConntrack]) -> Vec<Described> {
    let rows: Vec<&EndedConntrack> = rows.iter().collect();
    let mut columns = flow(&rows);
    columns.extend([
        Described::new(
            "helper",
            "",
            "the helper that read it",
            each(&rows, |row| row.record.helper),
        ),
        Described::new(
            "expectation",
            "",
            "number of the expectation that let it in, if one did",
            each(&rows, |row| row.record.expectation.map(|id| id.0)),
        ),
    ]);
    columns
}

/// Where two kernels disagree.
pub fn deviations(rows: &[Deviation]) -> Vec<Described> {
    vec![
        Described::new(
            "frame",
            "",
            "the frame at which it showed",
            each(rows, |row| row.frame),
        ),
        Described::new(
            "what",
            "",
            "which part of the verdict, or an expectation, or how one ended",
            each(rows, |row| row.aspect.name()),
        ),
        Described::new(
            "kernel",
            "",
            "in the kernel series of --kernel; -: nothing",
            each(rows, |row| row.here.clone()),
        ),
        Described::new(
            "compare_kernel",
            "",
            "in that of --compare-kernel; -: nothing",
            each(rows, |row| row.there.clone()),
        ),
    ]
}

/// What any conntrack has.
fn flow(rows: &[&EndedConntrack]) -> Vec<Described> {
    let icmp = |row: &&EndedConntrack| row.record.original.icmp();
    let port =
        |row: &&EndedConntrack, port: u16| row.record.original.icmp().is_none().then_some(port);
    let original = Direction::Original.index();
    let reply = Direction::Reply.index();
    vec![
        Described::new(
            "conntrack",
            "",
            "number of the conntrack, in order of creation",
            each(rows, |row| row.record.id.0),
        ),
        Described::new(
            "protocol",
            "",
            "name, or number where it has none",
            each(rows, |row| row.record.original.protocol.to_string()),
        ),
        Described::new(
            "src",
            "",
            "who opened it",
            each(rows, |row| row.record.original.src.to_string()),
        ),
        Described::new(
            "sport",
            "",
            "source port or key; empty for ICMP",
            each(rows, |row| port(row, row.record.original.sport)),
        ),
        Described::new(
            "dst",
            "",
            "to whom",
            each(rows, |row| row.record.original.dst.to_string()),
        ),
        Described::new(
            "dport",
            "",
            "destination port or key; empty for ICMP",
            each(rows, |row| port(row, row.record.original.dport)),
        ),
        Described::new(
            "icmp_type",
            "",
            "of the query",
            each(rows, |row| icmp(row).map(|[kind, _]| kind)),
        ),
        Described::new(
            "icmp_code",
            "",
            "of the query",
            each(rows, |row| icmp(row).map(|[_, code]| code)),
        ),
        Described::new(
            "icmp_id",
            "",
            "of the query",
            each(rows, |row| icmp(row).map(|_| row.record.original.sport)),
        ),
        Described::new(
            "first_frame",
            "",
            "the frame that opened it",
            each(rows, |row| row.record.life.first_packet),
        ),
        Described::time(
            "first",
            "when that was",
            each(rows, |row| nanos(row.record.life.first_at)),
        ),
        Described::time(
            "last",
            "when its last packet came",
            each(rows, |row| nanos(row.record.life.last_at)),
        ),
        Described::new(
            "packets_original",
            "packets",
            "in the direction of the one that opened it",
            each(rows, |row| row.record.life.packets[original]),
        ),
        Described::new(
            "bytes_original",
            "bytes",
            "IP bytes of these",
            each(rows, |row| row.record.life.bytes[original]),
        ),
        Described::new(
            "packets_reply",
            "packets",
            "against it",
            each(rows, |row| row.record.life.packets[reply]),
        ),
        Described::new(
            "bytes_reply",
            "bytes",
            "IP bytes of these",
            each(rows, |row| row.record.life.bytes[reply]),
        ),
        Described::new(
            "status",
            "",
            "status bits by name",
            each(rows, |row| {
                row.record.status.names().collect::<Vec<_>>().join(" ")
            }),
        ),
        Described::new(
            "state",
            "",
            "last state of TCP, SCTP or DCCP",
            each(rows, |row| row.record.state),
        ),
        Described::new(
            "ended",
            "",
            "why it left the table",
            each(rows, |row| row.ended.name()),
        ),
    ]
}

pub fn helpers(analysis: &Analysis) -> Vec<Described> {
    let rows: Vec<_> = analysis.exposure.services.iter().collect();
    let sum = |counts: &BTreeMap<&str, u64>| counts.values().sum::<u64>();
    vec![
        Described::new(
            "helper",
            "",
            "name that rules use",
            each(&rows, |(key, _)| key.helper),
        ),
        Described::new(
            "protocol",
            "",
            "of the control connections",
            each(&rows, |(key, _)| key.protocol.to_string()),
        ),
        Described::new(
            "server",
            "",
            "their destination",
            each(&rows, |(key, _)| key.server.to_string()),
        ),
        Described::new("port", "", "its port", each(&rows, |(key, _)| key.port)),
        Described::new(
            "verdict",
            "",
            "needed: flows came for its expectations; inert: none did",
            each(&rows, |(_, service)| service.verdict().name()),
        ),
        Described::new(
            "clients",
            "",
            "addresses that opened control connections; 1000 where there were more",
            each(&rows, |(_, service)| service.clients.len() as u64),
        ),
        Described::new(
            "control_conntracks",
            "",
            "control connections",
            each(&rows, |(_, service)| service.controls),
        ),
        Described::new(
            "first_frame",
            "",
            "the frame that opened the first of them",
            each(&rows, |(_, service)| service.first_packet),
        ),
        Described::new(
            "expectations",
            "",
            "made",
            each(&rows, |(_, service)| service.expectations),
        ),
        Described::new(
            "used",
            "",
            "those that a flow came for",
            each(&rows, |(_, service)| service.used),
        ),
        Described::new(
            "burned",
            "",
            "those that a packet matched of which no flow came: INVALID, or dropped",
            each(&rows, |(_, service)| service.burned),
        ),
        Described::new(
            "declined",
            "",
            "commands that made none",
            each(&rows, |(_, service)| sum(&service.declined)),
        ),
        Described::new(
            "dropped",
            "packets",
            "packets that the helper dropped",
            each(&rows, |(_, service)| sum(&service.dropped)),
        ),
        Described::new(
            "related_flows",
            "",
            "flows that came for its expectations",
            each(&rows, |(_, service)| service.related_flows()),
        ),
        Described::new(
            "open",
            "ns",
            "how long its expectations stood open, all together",
            each(&rows, |(_, service)| {
                u64::try_from(service.open.as_nanos()).unwrap_or(u64::MAX)
            }),
        ),
    ]
}

pub fn rules(rules: &[Rule]) -> Vec<Described> {
    let kind = |rule: &Rule| match &rule.matches {
        Match::Assign { .. } => "assign",
        Match::Related { .. } => "related",
        Match::IcmpError(_) => "icmp",
    };
    let helper = |rule: &Rule| match &rule.matches {
        Match::Assign { service, .. } => Some(service.helper),
        Match::Related { helper, .. } => Some(*helper),
        Match::IcmpError(_) => None,
    };
    let frames = |rule: &Rule| {
        rule.evidence
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    vec![
        Described::new(
            "kind",
            "",
            "assign a helper, accept what it expects, accept an ICMP error",
            each(rules, kind),
        ),
        Described::new("helper", "", "name of the helper", each(rules, helper)),
        Described::new(
            "nft",
            "",
            "the rule in the language of nft",
            each(rules, nftables::rule),
        ),
        Described::new(
            "needed_by",
            "",
            "flows that need it; for ICMP, packets",
            each(rules, |rule| rule.needed_by),
        ),
        Described::new(
            "frames",
            "",
            "frames that show it, the first few",
            each(rules, frames),
        ),
    ]
}

/// A field's origin in one word, with the bytes where it was read.
fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Conntrack(direction) => format!("conntrack {}", direction.name()),
        Origin::Command { packet, bytes } => {
            format!("frame {packet} payload {}..{}", bytes.start, bytes.end)
        }
        Origin::Helper => "helper".to_owned(),
        Origin::Config => "configuration".to_owned(),
    }
}

/// Name, type, unit and meaning of each column.
pub type Documented = (String, String, &'static str, &'static str);

pub fn described(columns: &[Described]) -> Vec<Documented> {
    let document = |one: &Described| {
        (
            one.column.name().to_string(),
            one.column.dtype().to_string(),
            one.unit,
            one.meaning,
        )
    };
    columns.iter().map(document).collect()
}

pub fn schema_columns(schema: &[(&'static str, Vec<Documented>)]) -> Vec<Described> {
    let rows: Vec<(&str, &Documented)> = schema
        .iter()
        .flat_map(|(table, columns)| columns.iter().map(move |column| (*table, column)))
        .collect();
    vec![
        Described::new("schema_version", "", "", each(&rows, |_| SCHEMA_VERSION)),
        Described::new("table", "", "", each(&rows, |(table, _)| *table)),
        Described::new(
            "column",
            "",
            "",
            each(&rows, |(_, column)| column.0.as_str()),
        ),
        Described::new("type", "", "", each(&rows, |(_, column)| column.1.as_str())),
        Described::new("unit", "", "", each(&rows, |(_, column)| column.2)),
        Described::new("meaning", "", "", each(&rows, |(_, column)| column.3)),
    ]
}
