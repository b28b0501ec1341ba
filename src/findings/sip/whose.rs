//! Whom a message speaks for: the contact of a registration, the address of a description, and who asks.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use super::text::{CONTACT, EXPIRES, FROM, Host, Message, USER_AGENT, VIA, behind, lines};
use crate::conntrack::event::ExpectationRecord;
use crate::dialogue::{Dialogue, Heard};
use crate::findings::place::{ends, is_private, opened, opened_service};
use crate::findings::{Entry, Evidence, Matcher, Severity, written};
use crate::helper::reasons::NOT_THE_SPEAKER;
use crate::tuple::{Direction, Protocol};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "sip-foreign-contact",
        title: "A registration of another host",
        severity: Severity::Medium,
        helpers: &["sip"],
        wire: "a REGISTER that no proxy passed on, with a Contact that is neither where it comes from nor where its \
               Via says that it was sent, while both are private or both public; no hole is opened",
        alike: "a phone behind an address translation or a proxy, or one that takes its former address back \
                (expires=0)",
        references: &["https://samy.pl/slipstream/"],
        matcher: Matcher::Declined(|dialogue, heard, _, bytes| {
            let (message, contact) = registered_elsewhere(dialogue, heard, bytes)?;
            let (speaker, _) = ends(&dialogue.original, heard.direction);
            let is_alike = is_private(contact) == is_private(speaker);
            let is_third = is_alike && came_straight(&message) && sent_by(&message)? != contact;
            is_third.then(|| Evidence::of(format!("{speaker} registers {contact}")))?
        }),
    },
    Entry {
        id: "sip-translated-contact",
        title: "A registration with an address of the other side of an address translation",
        severity: Severity::Note,
        helpers: &["sip"],
        wire: "a REGISTER whose Contact is private where it comes from a public address, or the other way; no hole is \
               opened, and calls come in only as long as the connection is kept alive",
        alike: "a Contact with the phone's own address",
        references: &["RFC 5626"],
        matcher: Matcher::Declined(|dialogue, heard, _, bytes| {
            let (_, contact) = registered_elsewhere(dialogue, heard, bytes)?;
            let (speaker, _) = ends(&dialogue.original, heard.direction);
            let is_other_side = is_private(contact) != is_private(speaker);
            is_other_side.then(|| Evidence::of(format!("{speaker} registers {contact}")))?
        }),
    },
    Entry {
        id: "sip-service-port",
        title: "A call or a stream that is to come to a service's port",
        severity: Severity::Medium,
        helpers: &["sip"],
        wire: "a Contact or an m= line that names a port by which a service of that transport protocol is known",
        alike: "a stream over UDP to a port at which only TCP is served; RTCP, one above a port that nothing is known by",
        references: &["https://samy.pl/slipstream/"],
        matcher: Matcher::Expected(service_port),
    },
    Entry {
        id: "sip-foreign-media",
        title: "Media for another host than the one that describes them",
        severity: Severity::Note,
        helpers: &["sip"],
        wire: "a session description whose address is not the speaker's; no hole is opened as long as \
               sip_direct_media is 1",
        alike: "a description with the speaker's own address",
        references: &["RFC 5853"],
        matcher: Matcher::Declined(foreign_media),
    },
    Entry {
        id: "sip-via-port",
        title: "A phone that sends from one port and listens at another",
        severity: Severity::Note,
        helpers: &["sip"],
        wire: "a flow's first request over UDP names in its Via the address that it comes from, and another port; with \
               address translation the helper sends the answers there",
        alike: "a phone behind an address translation, whose Via names another address",
        references: &["CVE-2026-72251"],
        matcher: Matcher::Message(via_port),
    },
    Entry {
        id: "sip-scanner",
        title: "A scanner for SIP",
        severity: Severity::Note,
        helpers: &["sip"],
        wire: "a flow's first request gives itself, in User-Agent or From, the name of a program that looks for servers \
               and guesses passwords",
        alike: "a phone's request",
        references: &["https://github.com/EnableSecurity/sipvicious"],
        matcher: Matcher::Message(scanner),
    },
    Entry {
        id: "sip-long-registration",
        title: "A registration that keeps its hole open for hours",
        severity: Severity::Note,
        helpers: &["sip"],
        wire: "a registrar grants more than two hours, for which calls may come to the port that the phone named",
        alike: "the hour that is usual",
        references: &["RFC 3261, 10.2.1.1"],
        matcher: Matcher::Renewed(|_, _, record, timeout| {
            let port = record.expectation.dst_port.value;
            let detail = format!("port {port} stays open for {} seconds", timeout.as_secs());
            (timeout > LONG).then(|| Evidence::of(detail))?
        }),
    },
];

/// A REGISTER that no hole is opened for, and the address of its contact, which is of neither end: scanners name the
/// registrar itself.
fn registered_elsewhere<'p>(
    dialogue: &Dialogue,
    heard: &Heard<'p>,
    bytes: &Range<usize>,
) -> Option<(Message<'p>, IpAddr)> {
    let payload: &'p [u8] = heard.payload;
    let message = Message::read(payload.get(bytes.clone())?)?;
    let contact = message.headers(CONTACT).next()?;
    let address = Host::of_uri(contact)?.address;
    let ends = [dialogue.original.src, dialogue.original.dst];
    let is_elsewhere = message.method()? == b"REGISTER" && !ends.contains(&address);
    (is_elsewhere && !takes_back(&message, contact)).then_some((message, address))
}

/// The contact shall be forgotten (RFC 3261, 10.2.2).
fn takes_back(message: &Message<'_>, contact: &[u8]) -> bool {
    let own = behind(contact, b"expires=");
    let seconds = own.or_else(|| message.headers(EXPIRES).next());
    seconds.and_then(written::number) == Some(0)
}

/// One host has sent it so far.
fn came_straight(message: &Message<'_>) -> bool {
    let passed: usize = message
        .headers(VIA)
        .map(|via| via.split(|&byte| byte == b',').count())
        .sum();
    passed == 1
}

fn sent_by(message: &Message<'_>) -> Option<IpAddr> {
    Some(Host::of_via(message.headers(VIA).next()?)?.address)
}

fn service_port(_: &Dialogue, heard: &Heard<'_>, record: &ExpectationRecord) -> Option<Evidence> {
    let port = opened_service(record)?;
    let expectation = &record.expectation;
    // Of a stream's two ports only the one that is written was chosen.
    let is_chosen = written::port(heard, record)?.0 == u64::from(port);
    let is_served = expectation.protocol == Protocol::TCP || OVER_UDP.contains(&port);
    (is_chosen && is_served).then(|| Evidence::of(opened(record)))?
}

fn foreign_media(
    dialogue: &Dialogue,
    heard: &Heard<'_>,
    reason: &'static str,
    bytes: &Range<usize>,
) -> Option<Evidence> {
    if reason != NOT_THE_SPEAKER {
        return None;
    }
    // What was declined is the port of an `m=` line: its own address follows.
    let (before, after) = heard.payload.split_at_checked(bytes.start)?;
    let own = lines(after)
        .take_while(|line| !line.starts_with(b"m=") && !line.starts_with(b"v="))
        .find_map(connection);
    let address = own.or_else(|| of_session(before))?;
    let (speaker, _) = ends(&dialogue.original, heard.direction);
    (address != speaker).then(|| Evidence::of(format!("{speaker} describes media of {address}")))?
}

/// The address that a description gives for all its media, before the first of them. The text ends within it.
fn of_session(text: &[u8]) -> Option<IpAddr> {
    let mut address = None;
    for line in lines(text)
        .rev()
        .take_while(|line| !line.starts_with(b"v="))
    {
        match line.starts_with(b"m=") {
            true => address = None,
            false => address = address.or_else(|| connection(line)),
        }
    }
    address
}

/// The address of a `c=` line.
fn connection(line: &[u8]) -> Option<IpAddr> {
    let rest = line
        .strip_prefix(b"c=IN IP4 ")
        .or(line.strip_prefix(b"c=IN IP6 "))?;
    let text = std::str::from_utf8(rest).ok()?;
    text.split(['/', ' ']).next()?.parse().ok()
}

fn via_port(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let message = first_request(dialogue, heard)?;
    let tuple = &dialogue.original;
    let (address, _) = ends(tuple, heard.direction);
    let port = match heard.direction {
        Direction::Original => tuple.sport,
        Direction::Reply => tuple.dport,
    };
    let via = Host::of_via(message.headers(VIA).next()?)?;
    let named = via.port_number()?;
    let differs = via.address == address && named != u64::from(port);
    let over_udp = tuple.protocol == Protocol::UDP;
    (differs && over_udp)
        .then(|| Evidence::of(format!("sent from port {port}, answers to {named}")))?
}

fn scanner(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let message = first_request(dialogue, heard)?;
    let says = |name: &&&str| {
        let mut headers = message.headers(USER_AGENT).chain(message.headers(FROM));
        headers.any(|value| behind(value, name.as_bytes()).is_some())
    };
    let name = SCANNERS.iter().find(says)?;
    Evidence::of(format!("it calls itself {name}"))
}

/// The first message of a direction, where that is a request.
fn first_request<'p>(dialogue: &Dialogue, heard: &Heard<'p>) -> Option<Message<'p>> {
    let side = dialogue.sides.get(heard.direction.index())?;
    let message = Message::read(heard.payload).filter(|_| side.messages == 1)?;
    message.method().map(|_| message)
}

/// What listens over UDP of the services that are known by their ports: files, remote desktops, caches.
const OVER_UDP: [u16; 3] = [2049, 3389, 11211];
/// What programs call themselves that look for SIP servers, in the words of those who run one.
const SCANNERS: [&str; 7] = [
    "friendly-scanner",
    "sipvicious",
    "sip-scan",
    "sipcli",
    "sundayddr",
    "VaxSIPUserAgent",
    "SIVuS",
];
const LONG: Duration = Duration::from_secs(2 * 60 * 60);
