//! Amanda: which ports an answer names.

use super::place::{opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity, written};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "amanda-service-port",
        title: "A backup to be fetched from a service's port",
        severity: Severity::Medium,
        helpers: &["amanda"],
        wire: "an answer with a CONNECT line that names a port below 512, or one that a service is known by",
        alike: "a port from 512 to 1023: what an Amanda client that may, takes for a stream",
        references: &[],
        matcher: Matcher::Expected(|_, _, record| {
            opened_service(record).filter(|port| !(512..1024).contains(port))?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "amanda-port-wrap",
        title: "A backup to be fetched from a port that does not exist",
        severity: Severity::High,
        helpers: &["amanda"],
        wire: "an answer with a CONNECT line that names a port whose first five digits, which are what the helper \
               reads, are above 65535: it takes the lower 16 bits",
        alike: "the number of a stream on one connection for all: six digits, from 500000 downwards",
        references: &[],
        matcher: Matcher::Expected(|_, heard, record| written::wrapped_port(heard, record)),
    },
    Entry {
        id: "amanda-stream-number",
        title: "The number of a stream that was taken for a port",
        severity: Severity::Note,
        helpers: &["amanda"],
        wire: "an answer with a CONNECT line that names a number of more than five digits, of which the helper takes \
               the first five for a port: so it is where one connection carries all streams",
        alike: "a port of five digits",
        references: &["amanda-auth(7)"],
        matcher: Matcher::Expected(|_, heard, record| {
            let (read, named) = written::port(heard, record)?;
            let is_cut = read != named && read <= u64::from(u16::MAX);
            is_cut.then(|| Evidence::of(format!("stream {named} is named, port {read} opened")))?
        }),
    },
];
