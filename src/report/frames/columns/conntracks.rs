//! Every conntrack, and those that an expectation let in once more.

use super::{Described, each, instant, tunnels};
use crate::exposure::EndedConntrack;
use crate::tuple::Direction;

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
            "server of the control connection that a rule attaches the helper to",
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

/// What any conntrack has.
fn flow(rows: &[&EndedConntrack]) -> Vec<Described> {
    let icmp = |row: &&EndedConntrack| row.record.original.icmp();
    let port =
        |row: &&EndedConntrack, port: u16| row.record.original.icmp().is_none().then_some(port);
    let original = Direction::Original.index();
    let reply = Direction::Reply.index();
    let mut columns = vec![
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
            each(rows, |row| instant(row.record.life.first_at)),
        ),
        Described::time(
            "last",
            "when its last packet came",
            each(rows, |row| instant(row.record.life.last_at)),
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
    ];
    columns.extend(tunnels(rows, |row| row.record.tunnel));
    columns
}
