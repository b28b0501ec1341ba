//! H.323: what speaks Q.931 that is no telephone, where calls lead, whose word of a gatekeeper nobody asked for, and
//! what kernels could not read.

use super::browser::slipped_in;
use super::place::{opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity};
use crate::conntrack::event::ExpectationRecord;
use crate::dialogue::Heard;
use crate::helper::reasons::{CHOICE_AT_THE_END, EMPTY_ELEMENT, LONG_BITMAP, MISSING_INTEGER};
use crate::tuple::{Direction, Protocol};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "h323-slipstream",
        title: "Call signalling within a web page's connection",
        severity: Severity::High,
        helpers: &["Q.931"],
        wire: "a client that begins with HTTP or STUN, and a segment of its own that begins with a TPKT and a Q.931 \
               message in it",
        alike: "HTTP or STUN at port 1720 without a segment that begins so; what looks like it within a segment is not \
                read by the helper",
        references: &["https://samy.pl/slipstream/", "CVE-2021-23961"],
        matcher: Matcher::Message(|dialogue, heard| {
            let signals = matches!(tpkt(heard.payload), Some([Q931, 0..=2, ..]));
            let is_clients = heard.direction == Direction::Original;
            (signals && is_clients)
                .then(|| slipped_in(dialogue, "a message begins this segment"))?
        }),
    },
    Entry {
        id: "h323-third-host",
        title: "A caller that forwards its own call to a third host",
        severity: Severity::Medium,
        helpers: &["Q.931"],
        wire: "a message with the reason callForwarded from the end that opened the connection, with the address of \
               neither end: who was called may then connect to a host behind the caller's firewall",
        alike: "a call forwarded by the end that was called, and one forwarded to another port of the speaker's own; a \
                call in progress that its caller hands over to somebody, as few programs can",
        references: &["https://samy.pl/slipstream/"],
        matcher: Matcher::Expected(|_, heard, record| {
            forwarded(record).filter(|_| heard.direction == Direction::Original)
        }),
    },
    Entry {
        id: "h323-forwarded",
        title: "A call that was forwarded to a third host",
        severity: Severity::Note,
        helpers: &["Q.931"],
        wire: "a message with the reason callForwarded from the end that was called, with the address of neither end",
        alike: "a gatekeeper that wants the call for itself: another reason, which opens nothing",
        references: &["ITU-T H.225.0, Facility-UUIE"],
        matcher: Matcher::Expected(|_, heard, record| {
            forwarded(record).filter(|_| heard.direction == Direction::Reply)
        }),
    },
    Entry {
        id: "h323-service-port",
        title: "A call that opens the port of a service",
        severity: Severity::Medium,
        helpers: H323,
        wire: "an address for signalling, media or data with a port below 1024, or over TCP that of a well-known service",
        alike: "UDP ports above 1023, of which programs use whole ranges for media",
        references: &[],
        matcher: Matcher::Expected(|_, _, record| {
            let over_tcp = record.expectation.protocol == Protocol::TCP;
            opened_service(record).filter(|&port| over_tcp || port < 1024)?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "ras-unasked",
        title: "A gatekeeper's confirmation that nobody asked for",
        severity: Severity::Medium,
        helpers: &["RAS"],
        wire: "a confirmation of a gatekeeper or an admission that opens a way, with a requestSeqNum that no such \
               request of the other end had",
        alike: "a confirmation that comes twice; a request before the capture began or that it does not hold; a \
                gatekeeper that was asked for by multicast; the confirmation of a location, which may come from whom \
                the request was handed on to",
        references: &["ITU-T H.225.0, requestSeqNum"],
        matcher: Matcher::Expected(|dialogue, heard, record| {
            let number = dialogue.ras()?.unasked(heard.direction, heard.payload)?;
            Evidence::of(format!("number {number}: {}", opened(record)))
        }),
    },
    Entry {
        id: "ras-foreign-signalling",
        title: "A gatekeeper that names a third host",
        severity: Severity::Note,
        helpers: &["RAS"],
        wire: "the confirmation of a gatekeeper, an admission or a location with the address of neither end",
        alike: "a gatekeeper through which all calls go: it names itself",
        references: &["ITU-T H.225.0, AdmissionConfirm and LocationConfirm"],
        matcher: Matcher::Expected(|_, _, record| forwarded(record)),
    },
    Entry {
        id: "h323-empty-user-user",
        title: "Call signalling with an empty user-user element",
        severity: Severity::High,
        helpers: &["Q.931"],
        wire: "a Q.931 message whose user-user element says that it is 0 octets long: kernels subtracted one of them",
        alike: "a message without the element; an element of one octet",
        references: &["CVE-2026-23455"],
        matcher: Matcher::Declined(|_, heard, reason, _| malformed(heard, reason, EMPTY_ELEMENT)),
    },
    Entry {
        id: "h323-short-open-type",
        title: "Signalling that ends where a length must stand",
        severity: Severity::High,
        helpers: H323,
        wire: "a message that ends with the choice of an alternative that has its length in front: kernels read that \
               behind the end",
        alike: "a message that ends anywhere else too early, which is malformed as well",
        references: &["CVE-2026-43233"],
        matcher: Matcher::Declined(|_, heard, reason, _| {
            malformed(heard, reason, CHOICE_AT_THE_END)
        }),
    },
    Entry {
        id: "h323-long-bitmap",
        title: "A message with more extensions than there are",
        severity: Severity::High,
        helpers: H323,
        wire: "a map of extensions of more than 32 bits, as a gatekeeper's confirmation may have one",
        alike: "a later version of the standard: none has so many",
        references: &["CVE-2024-26851"],
        matcher: Matcher::Declined(|_, heard, reason, _| malformed(heard, reason, LONG_BITMAP)),
    },
    Entry {
        id: "ras-short-integer",
        title: "A registration that ends within the time that it is to last",
        severity: Severity::High,
        helpers: &["RAS"],
        wire: "a timeToLive that says how many octets it has, and not all of them are there: kernels read what was \
               behind the message",
        alike: "a message that ends anywhere else too early, which is malformed as well",
        references: &["CVE-2026-23456"],
        matcher: Matcher::Declined(|_, heard, reason, _| malformed(heard, reason, MISSING_INTEGER)),
    },
];

/// A way to a host that the payload names and that is neither end.
fn forwarded(record: &ExpectationRecord) -> Option<Evidence> {
    record.third_host()?;
    Evidence::of(opened(record))
}

/// What stands in the TPKT that a segment begins with, if that is whole (RFC 1006, 6).
fn tpkt(payload: &[u8]) -> Option<&[u8]> {
    let &[3, 0, high, low, ..] = payload else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    payload.get(4..length)
}

/// A message that the helper gives up for this reason, not for the zeros where the snap length cut it.
fn malformed(heard: &Heard<'_>, reason: &'static str, known: &str) -> Option<Evidence> {
    let is_captured = heard.captured.len() == heard.payload.len();
    (is_captured && reason == known).then(|| Evidence::of(reason))?
}

/// The helpers of a call, which read all that they read with one decoder.
const H323: &[&str] = &["RAS", "Q.931", "H.245"];
/// Protocol discriminator.
const Q931: u8 = 8;
