//! H.323: what speaks Q.931 that is no telephone, where calls lead, whose word of a gatekeeper nobody asked for, and
//! what kernels could not read.

use super::place::{is_of_a_service, opened, third_host};
use super::{Entry, Evidence, Matcher, Severity};
use crate::conntrack::event::ExpectationRecord;
use crate::content::Content;
use crate::dialogue::Dialogue;
use crate::tuple::{Direction, Protocol};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "h323-slipstream",
        title: "Call signalling within a web page's connection",
        severity: Severity::High,
        helpers: &["Q.931"],
        wire: "a connection to port 1720 that its client began with HTTP or STUN, and a later segment of the client's \
               that begins with a TPKT and a Q.931 message in it",
        alike: "HTTP or STUN at port 1720 without a segment that begins so; what looks like it within a segment is not \
                read by the helper",
        references: &["https://samy.pl/slipstream/", "CVE-2021-23961"],
        matcher: Matcher::Message(|dialogue, heard| {
            let began_with = browser(dialogue)?;
            let signals = heard.direction == Direction::Original
                && matches!(tpkts(heard.payload).next(), Some([Q931, 0..=2, ..]));
            let first = dialogue.sides[Direction::Original.index()].first_message;
            if !signals || first == heard.packet {
                return None;
            }
            Evidence::with(format!("the client began with {began_with}"), [first])
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
        helpers: &["RAS", "Q.931", "H.245"],
        wire: "an address for signalling, media or data with a port below 1024, or over TCP that of a well-known service",
        alike: "UDP ports above 1023, of which programs use whole ranges for media",
        references: &[],
        matcher: Matcher::Expected(|_, _, record| {
            let port = record.expectation.dst_port.value;
            let over_tcp = record.expectation.protocol == Protocol::TCP;
            let is_service = port < 1024 || over_tcp && is_of_a_service(port);
            is_service.then(|| Evidence::of(opened(record))).flatten()
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
        wire: "a Q.931 message whose user-user element says that it is 0 octets long: the kernel subtracts one of them",
        alike: "a message without the element; an element of one octet",
        references: &["CVE-2026-23455"],
        matcher: Matcher::Message(|_, heard| {
            let mut elements = tpkts(heard.payload).filter_map(user_user);
            elements.find(|element| element.is_empty())?;
            Evidence::of("a user-user element of 0 octets")
        }),
    },
    Entry {
        id: "h323-short-open-type",
        title: "Call signalling that ends where a length must stand",
        severity: Severity::High,
        helpers: &["Q.931"],
        wire: "a user-user element with two octets of PER, the first of which chooses an alternative that has its length \
               in front",
        alike: "an element of two octets that chooses another alternative, which is malformed as well",
        references: &["CVE-2026-43233"],
        matcher: Matcher::Message(|_, heard| {
            let mut elements = tpkts(heard.payload).filter_map(user_user);
            // Four bits of two SEQUENCEs, then the one that says that the CHOICE is of the extension.
            elements.find(|element| matches!(element, [_, first, _] if first & 0x08 != 0))?;
            Evidence::of("a user-user element with 2 octets of PER")
        }),
    },
    Entry {
        id: "ras-long-bitmap",
        title: "A gatekeeper's message with more extensions than there are",
        severity: Severity::High,
        helpers: &["RAS"],
        wire: "the confirmation of a gatekeeper or a registration with a map of extensions of more than 32 bits",
        alike: "a later version of the standard: none has so many. Looked for where neither non-standard data nor \
                aliases stand in front of the map",
        references: &["CVE-2024-26851"],
        matcher: Matcher::Message(|_, heard| {
            let number = extensions(heard.payload).filter(|&number| number > 32)?;
            Evidence::of(format!("a map of {number} bits"))
        }),
    },
];

/// What a browser can be made to begin a connection with, if the client did.
fn browser(dialogue: &Dialogue) -> Option<&'static str> {
    let client = &dialogue.sides[Direction::Original.index()];
    // RFC 8489, 5: two bits of 0, type, length, cookie.
    match client.opening[..] {
        [0..=0x3f, _, _, _, 0x21, 0x12, 0xa4, 0x42] => Some("STUN"),
        _ => (client.opened_with == Some(Content::Http)).then_some("HTTP"),
    }
}

/// A way to a host that the payload names and that is neither end.
fn forwarded(record: &ExpectationRecord) -> Option<Evidence> {
    third_host(record)?;
    Evidence::of(opened(record))
}

/// The messages of a segment that begins with one, as far as they are whole (RFC 1006, 6).
fn tpkts(payload: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        let &[3, 0, high, low, ..] = rest else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let (tpkt, after) = rest.split_at_checked(length)?;
        rest = after;
        tpkt.get(4..)
    })
}

/// The content of a Q.931 message's user-user element, found as the kernel finds it (`DecodeQ931`).
fn user_user(message: &[u8]) -> Option<&[u8]> {
    let &[Q931, reference, ref after @ ..] = message else {
        return None;
    };
    let after = after.get(usize::from(reference)..)?;
    // Of a message type of two octets, the second has its highest bit set.
    let &[_message_type, next, ..] = after else {
        return None;
    };
    let mut rest = after.get(if next & 0x80 == 0 { 1 } else { 2 }..)?;
    loop {
        match *rest {
            [USER_USER, high, low, ref element @ ..] => {
                return element.get(..usize::from(u16::from_be_bytes([high, low])));
            }
            [USER_USER, ..] => return None,
            [_, length, ref element @ ..] => rest = element.get(usize::from(length)..)?,
            _ => return None,
        }
    }
}

/// How many bits the map of extensions of a GatekeeperConfirm or RegistrationConfirm has.
fn extensions(payload: &[u8]) -> Option<u8> {
    let (&[kind, more, _, _], rest) = payload.split_first_chunk()?;
    // A bit and five for the alternative, one for extensions, then one for each optional component.
    let is_registration = match (kind >> 2, kind & 0x03) {
        (GATEKEEPER_CONFIRM, EXTENDED) => false,
        (REGISTRATION_CONFIRM, EXTENDED) => true,
        _ => return None,
    };
    let (has_aliases, is_named) = match is_registration {
        true => (more & 0x80 != 0, more & 0x40 != 0),
        false => (false, more & 0x80 != 0),
    };
    if has_aliases {
        return None;
    }
    let mut octets = Octets(rest);
    let version = octets.next()?;
    octets.skip(version.into())?;
    let addresses = if is_registration { octets.next()? } else { 1 };
    if is_registration {
        (0..addresses).try_for_each(|_| octets.skip_address())?;
    }
    if is_named {
        octets.skip_identifier()?;
    }
    if is_registration {
        octets.skip_identifier()?;
    } else {
        octets.skip_address()?;
    }
    // Seven bits, less one.
    Some((octets.next()? >> 1) + 1)
}

/// Components of H.225.0 of which each begins at an octet.
struct Octets<'p>(&'p [u8]);

impl Octets<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn skip(&mut self, number: usize) -> Option<()> {
        self.0 = self.0.get(number..)?;
        Some(())
    }

    /// A TransportAddress of IPv4, or of IPv6 without extensions, and its port.
    fn skip_address(&mut self) -> Option<()> {
        match self.next()? & 0xf8 {
            0x00 | 0x08 => self.skip(4 + 2),
            0x30 => self.skip(16 + 2),
            _ => None,
        }
    }

    /// Up to 128 characters of two octets, with seven bits for their number less one.
    fn skip_identifier(&mut self) -> Option<()> {
        let characters = usize::from(self.next()? >> 1) + 1;
        self.skip(2 * characters)
    }
}

/// Protocol discriminator.
const Q931: u8 = 8;
const USER_USER: u8 = 0x7e;
// Of RasMessage.
const GATEKEEPER_CONFIRM: u8 = 1;
const REGISTRATION_CONFIRM: u8 = 4;
/// Has extensions, and no non-standard data.
const EXTENDED: u8 = 0x02;
