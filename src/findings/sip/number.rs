//! Numbers and lists of a message that one reader takes otherwise than another, or that a helper has stumbled over.

use super::text::{CONTACT, CONTENT_LENGTH, Message, lines};
use crate::dialogue::{Dialogue, Heard};
use crate::findings::{Entry, Evidence, Matcher, Severity, written};
use crate::tuple::Protocol;

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "sip-content-length",
        title: "A SIP message longer than any",
        severity: Severity::High,
        helpers: &["sip"],
        wire: "a Content-Length below 0, or of 2147483648 and above: of 4294967296 and above a helper of 32 bits keeps \
               the rest alone, and reads what follows as a second message",
        alike: "a length beyond the segment, because the rest comes later",
        references: &["CVE-2026-23457"],
        matcher: Matcher::Message(content_length),
    },
    Entry {
        id: "sip-port-digits",
        title: "A SIP address whose port is read in two ways",
        severity: Severity::Medium,
        helpers: &["sip"],
        wire: "behind a numeric address in the first line, From, To, Contact or Via a port of more than five digits or \
               above 65535, or one whose digits are the last of the datagram",
        alike: "a port of four digits behind a zero; digits that end a segment of TCP, because the rest comes later",
        references: &["CVE-2026-52986"],
        matcher: Matcher::Message(port_digits),
    },
    Entry {
        id: "sip-many-contacts",
        title: "A SIP message with dozens of contacts",
        severity: Severity::Low,
        helpers: &["sip"],
        wire: "a message over TCP that lists two dozen addresses or more in its Contact headers",
        alike: "a registrar that lists the few phones of one user",
        references: &["CVE-2026-74569"],
        matcher: Matcher::Message(many_contacts),
    },
    Entry {
        id: "sip-media-none",
        title: "A session description without a medium that a helper knows",
        severity: Severity::Note,
        helpers: &["sip"],
        wire: "a description with no m= line for sound, pictures or a fax, or with port 0 in each",
        alike: "a description with a medium in use",
        references: &["CVE-2026-31427"],
        matcher: Matcher::Message(media_none),
    },
];

fn content_length(_: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let lengths = Message::all(heard.payload).flat_map(|message| message.headers(CONTENT_LENGTH));
    let mut odd = lengths.filter_map(|value| {
        if value.starts_with(b"-") {
            return Evidence::of("the length is negative");
        }
        let length = written::number(value).filter(|&length| length >= TOO_LONG)?;
        Evidence::of(format!("the length is {length}"))
    });
    odd.next()
}

fn port_digits(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let is_datagram = dialogue.original.protocol == Protocol::UDP;
    Message::all(heard.payload).find_map(|message| {
        let may_be_cut = is_datagram && message.body.is_none();
        message.hosts().find_map(|host| {
            let is_last = may_be_cut && host.ends_the_text() && heard.payload.ends_with(host.port?);
            misread(host.port?, is_last)
        })
    })
}

/// What is odd about the digits of a port.
fn misread(digits: &[u8], end_the_datagram: bool) -> Option<Evidence> {
    let (port, count) = (written::number(digits)?, digits.len());
    if port > u64::from(u16::MAX) {
        return Evidence::of(format!("port {port}"));
    }
    if count > 5 {
        return Evidence::of(format!("port {port} in {count} digits"));
    }
    end_the_datagram.then(|| Evidence::of(format!("the digits of port {port} end the datagram")))?
}

fn many_contacts(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    if dialogue.original.protocol != Protocol::TCP {
        return None;
    }
    let addresses = |value: &[u8]| {
        let places = value.windows(SCHEME.len());
        places
            .filter(|place| place.eq_ignore_ascii_case(SCHEME))
            .count()
    };
    let most = Message::all(heard.payload)
        .map(|message| message.headers(CONTACT).map(addresses).sum::<usize>())
        .max()?;
    (most >= DOZENS).then(|| Evidence::of(format!("{most} contacts")))?
}

fn media_none(_: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    if heard.captured.len() < heard.payload.len() {
        return None;
    }
    let is_unused = |body: &[u8]| {
        let mut media = lines(body).filter_map(|line| line.strip_prefix(b"m="));
        body.starts_with(b"v=0") && !media.any(is_in_use)
    };
    let mut bodies = Message::all(heard.payload).filter_map(|message| message.body);
    let is_found = bodies.any(is_unused);
    is_found.then(|| Evidence::of("no medium is in use"))?
}

/// `audio 49170`: of a kind that the helper expects, and at a port.
fn is_in_use(medium: &[u8]) -> bool {
    let kinds: [&[u8]; 3] = [b"audio ", b"video ", b"image "];
    let port = kinds.iter().find_map(|kind| medium.strip_prefix(*kind));
    port.and_then(written::number).is_some_and(|port| port > 0)
}

/// What does not fit 31 bits.
const TOO_LONG: u64 = 1 << 31;
const DOZENS: usize = 24;
const SCHEME: &[u8] = b"sip:";
