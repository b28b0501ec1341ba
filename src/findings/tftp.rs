//! TFTP: from which port somebody asks, for that is what the answer may come to.

use super::place::{opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity};

pub const ENTRIES: &[Entry] = &[Entry {
    id: "tftp-service-port",
    title: "A request whose answers may come to the port of a service",
    severity: Severity::Medium,
    helpers: &["tftp"],
    wire: "a read or write request from a port below 1024 or one that a service is known by, as a forged sender has it",
    alike: "a client that asks from port 69 itself; one that counts its ports up and has come to that one",
    references: &[
        "RFC 1350, 4",
        "net/netfilter/nf_conntrack_tftp.c tftp_help()",
    ],
    matcher: Matcher::Expected(|dialogue, _, record| {
        opened_service(record).filter(|&port| port != dialogue.original.dport)?;
        Evidence::of(opened(record))
    }),
}];
