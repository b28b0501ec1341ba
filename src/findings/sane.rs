//! SANE: which port a picture is offered at.

use super::place::{opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity};

pub const ENTRIES: &[Entry] = &[Entry {
    id: "sane-service-port",
    title: "A picture to be fetched from a service's port",
    severity: Severity::Medium,
    helpers: &["sane"],
    wire: "an answer to SANE_NET_START that names a port below 1024, or one that a service is known by",
    alike: "port 0: the scanner asks for a password first",
    references: &["SANE network protocol, SANE_NET_START"],
    matcher: Matcher::Expected(|_, _, record| {
        opened_service(record)?;
        Evidence::of(opened(record))
    }),
}];
