//! SANE: which port a picture is offered at, and who asks for it.

use super::place::{opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity};
use crate::content::Content;
use crate::tuple::Direction;

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "sane-service-port",
        title: "A picture to be fetched from a service's port",
        severity: Severity::Medium,
        helpers: &["sane"],
        wire: "an answer to SANE_NET_START that names a port below 1024, or one that a service is known by",
        alike: "port 0: the scanner asks for a password first",
        references: &["https://sane-project.gitlab.io/standard/net.html"],
        matcher: Matcher::Expected(|_, _, record| {
            opened_service(record)?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "sane-from-browser",
        title: "A picture asked for by what speaks HTTP",
        severity: Severity::High,
        helpers: &["sane"],
        wire: "the client's first message is an HTTP request, and a later segment is read as SANE_NET_START and opens \
               a port",
        alike: "a browser or scanner that asks a SANE port for a page",
        references: &["https://samy.pl/slipstream/"],
        matcher: Matcher::Expected(|dialogue, _, record| {
            let side = dialogue.sides.get(Direction::Original.index())?;
            let is_http = side.opened_with == Some(Content::Http);
            let opened = record.expectation.dst_port.value;
            let detail = format!("the client began with HTTP; port {opened} is opened");
            is_http.then(|| Evidence::with(detail, [side.first_message]))?
        }),
    },
];
