//! Every expectation, with the origin of each of its fields.

use super::{Described, each, instant, length, tunnels};
use crate::expectation::{Origin, network};
use crate::exposure::ClosedExpectation;
use crate::time::Timestamp;

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
    let mut columns = vec![
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
            each(rows, |row| instant(row.record.at)),
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
            each(rows, |row| length(row.open)),
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
            "continues",
            "",
            "whether it took the place of one that was the same",
            each(rows, |row| row.continues),
        ),
        Described::new(
            "renewed",
            "",
            "how often its helper gave it more time",
            each(rows, |row| row.renewed),
        ),
        Described::new(
            "visitor",
            "",
            "the first who came for it; empty: nobody",
            each(rows, |row| {
                row.visitor.map(|visitor| visitor.src.to_string())
            }),
        ),
        Described::new(
            "visitor_port",
            "",
            "from which port",
            each(rows, |row| row.visitor.map(|visitor| visitor.sport)),
        ),
        Described::new(
            "visited_after",
            "ns",
            "how long after it was made",
            each(rows, |row| {
                let after = |at: Timestamp| length(at.since(row.record.at));
                row.visitor.map(|visitor| after(visitor.at))
            }),
        ),
        Described::new(
            "possible_src_bits",
            "bits",
            "a forger could have chosen among so many source addresses, as a power of two",
            each(rows, |row| row.possible.src_addr),
        ),
        Described::new(
            "possible_sport_bits",
            "bits",
            "the same of source ports",
            each(rows, |row| row.possible.src_port),
        ),
        Described::new(
            "possible_dst_bits",
            "bits",
            "the same of destination addresses",
            each(rows, |row| row.possible.dst_addr),
        ),
        Described::new(
            "possible_dport_bits",
            "bits",
            "the same of destination ports",
            each(rows, |row| row.possible.dst_port),
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
            "server of the master",
            each(rows, |row| row.record.master.dst.to_string()),
        ),
        Described::new(
            "master_dport",
            "",
            "its port",
            each(rows, |row| row.record.master.dport),
        ),
    ];
    columns.extend(tunnels(rows, |row| row.record.tunnel));
    columns
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
