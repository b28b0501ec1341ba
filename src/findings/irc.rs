//! IRC: where an offer of a direct connection stands, who makes it, and what it names.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use super::browser::slipped_in;
use super::place::{is_nobodys, is_private, opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity, written};
use crate::conntrack::event::ExpectationRecord;
use crate::dialogue::{Dialogue, Heard, Line, after};
use crate::tuple::Direction;

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "irc-dcc-off-position",
        title: "A DCC offer inside another message",
        severity: Severity::High,
        helpers: &["irc"],
        wire: "a line of the client's with \\x01DCC and SEND, CHAT or the like that is not the text of a PRIVMSG or \
               NOTICE, such as a PONG that repeats what a PING of the server's held",
        alike: "an offer as the text of a PRIVMSG or NOTICE, with tags, a prefix or several receivers before it",
        references: &[
            "CVE-2022-2663",
            "https://dgl.cx/2022/08/nat-again-irc-cve-2022-2663",
        ],
        matcher: Matcher::Line(off_position),
    },
    Entry {
        id: "irc-dcc-mid-line",
        title: "A DCC hole opened by the middle of a longer line",
        severity: Severity::High,
        helpers: &["irc"],
        wire: "a segment that begins with PRIVMSG and opens a port, while the line that it belongs to began in an \
               earlier segment: the server sees no PRIVMSG",
        alike: "a PRIVMSG whose beginning and end are in different segments: the helper does not read it",
        references: &[],
        matcher: Matcher::Expected(mid_line),
    },
    Entry {
        id: "irc-from-browser",
        title: "A DCC offer from what speaks HTTP",
        severity: Severity::High,
        helpers: &["irc"],
        wire: "a client that begins with HTTP or STUN, and a segment of its own with \\x01DCC and SEND, CHAT or the like",
        alike: "a browser or scanner that asks an IRC port for a page and offers nothing",
        references: &["CVE-2001-1056", "https://samy.pl/slipstream/"],
        matcher: Matcher::Message(from_browser),
    },
    Entry {
        id: "irc-unregistered",
        title: "A DCC offer by a client that never said who it is",
        severity: Severity::Medium,
        helpers: &["irc"],
        wire: "an offer that opens a port, with no NICK, USER, PASS or CAP before it: no server would pass it on",
        alike: "a connection whose beginning the capture does not hold",
        references: &["https://github.com/regit/opensvp"],
        matcher: Matcher::Expected(unregistered),
    },
    Entry {
        id: "irc-foreign-address",
        title: "A DCC offer for another host",
        severity: Severity::Medium,
        helpers: &["irc"],
        wire: "an offer whose address is not the client's, while both are private or both public; no hole is opened",
        alike: "a client that names its address of the other side of an address translation",
        references: &["O. Andreasson: Iptables Tutorial, mIRC DCC problems"],
        matcher: Matcher::Declined(|dialogue, heard, _, bytes| {
            let (address, client) = offered_elsewhere(dialogue, heard, bytes)?;
            let is_foreign = !is_nobodys(address) && is_private(address) == is_private(client);
            is_foreign.then(|| Evidence::of(format!("{client} offers {address}")))?
        }),
    },
    Entry {
        id: "irc-translated-address",
        title: "A DCC offer with an address of the other side of an address translation",
        severity: Severity::Note,
        helpers: &["irc"],
        wire: "an offer whose address is private and the client's public, or the other way, or an address that \
               reaches nobody; no hole is opened, and the direct connection fails",
        alike: "an offer of the client's own address, and one without a port, which asks the other to listen",
        references: &["O. Andreasson: Iptables Tutorial, mIRC DCC problems"],
        matcher: Matcher::Declined(|dialogue, heard, _, bytes| {
            let (address, client) = offered_elsewhere(dialogue, heard, bytes)?;
            let is_other_side = is_nobodys(address) || is_private(address) != is_private(client);
            is_other_side.then(|| Evidence::of(format!("{client} offers {address}")))?
        }),
    },
    Entry {
        id: "irc-service-port",
        title: "A DCC offer of a service's port",
        severity: Severity::Medium,
        helpers: &["irc"],
        wire: "an offer that opens a port below 1024 or one that a service is known by",
        alike: "an offer without a port, 0, which asks the other to listen",
        references: &["CVE-2001-1056"],
        matcher: Matcher::Expected(|_, _, record| {
            opened_service(record)?;
            Evidence::of(opened(record))
        }),
    },
    Entry {
        id: "irc-port-wrap",
        title: "A DCC offer of a port that does not exist",
        severity: Severity::High,
        helpers: &["irc"],
        wire: "an offer of a port above 65535, of which the helper takes the lower 16 bits",
        alike: "a long number behind the port: the size of the file",
        references: &[],
        matcher: Matcher::Expected(|_, heard, record| written::wrapped_port(heard, record)),
    },
    Entry {
        id: "irc-unterminated",
        title: "A DCC offer without an end",
        severity: Severity::Low,
        helpers: &["irc"],
        wire: "a segment of the client's that begins with PRIVMSG and ends in the numbers of an offer, with no line \
               end behind them",
        alike: "an offer that ends its line, or one that was cut within its words",
        references: &["CVE-2026-80603"],
        matcher: Matcher::Message(unterminated),
    },
];

fn off_position(dialogue: &Dialogue, heard: &Heard<'_>, line: &Line) -> Option<Evidence> {
    let at = offer(&line.text)?;
    if heard.direction == Direction::Reply || is_in_place(line.text.get(..at)?) {
        return None;
    }
    let irc = dialogue.irc()?;
    if line.after("PONG ").is_some() && offer(&irc.pinged).is_some() {
        return Evidence::with("the server's PING asked for it", [irc.pinged_in]);
    }
    Evidence::of(format!("it stands {at} bytes into its line"))
}

fn mid_line(_: &Dialogue, heard: &Heard<'_>, _: &ExpectationRecord) -> Option<Evidence> {
    // The helper passes over blanks.
    let blanks = heard
        .payload
        .iter()
        .take_while(|&&byte| byte == b' ')
        .count();
    let begins = after(&heard.payload[blanks..], COMMAND).is_some();
    (heard.is_within && begins)
        .then(|| Evidence::of("the segment begins in the midst of a line"))?
}

fn from_browser(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let offers = heard.direction == Direction::Original && offer(heard.payload).is_some();
    offers.then(|| slipped_in(dialogue, "a segment holds an offer"))?
}

fn unregistered(dialogue: &Dialogue, _: &Heard<'_>, _: &ExpectationRecord) -> Option<Evidence> {
    let is_nobody = dialogue.is_whole() && !dialogue.irc()?.registered;
    is_nobody.then(|| Evidence::of("neither NICK nor USER, PASS or CAP came before"))?
}

fn unterminated(_: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let is_clients =
        heard.direction == Direction::Original && after(heard.payload, COMMAND).is_some();
    let is_open = !heard.payload.contains(&b'\n') && heard.payload.last()?.is_ascii_digit();
    if !is_clients || !is_open {
        return None;
    }
    let numbers = heard.payload.get(offer(heard.payload)?..)?;
    // DCC, the kind, a name, and the address at least.
    let words = numbers.split(|&byte| byte == b' ').count();
    (words > 3).then(|| Evidence::of("the segment ends in a digit"))?
}

/// Where the first offer begins that the helper would read, at its `\x01`.
fn offer(text: &[u8]) -> Option<usize> {
    let mut places = text.windows(MARK.len()).enumerate();
    let is_offer = |at: usize| {
        let rest = text.get(at + MARK.len()..).unwrap_or_default();
        KINDS.iter().any(|kind| rest.starts_with(kind))
    };
    places.find_map(|(at, place)| (place == MARK && is_offer(at)).then_some(at))
}

/// What stands before an offer is a command that passes on a text, its receivers and the colon of the text.
fn is_in_place(before: &[u8]) -> bool {
    let Some(head) = before.strip_suffix(b" :") else {
        return false;
    };
    let mut words = head
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty())
        .skip_while(|word| matches!(word.first(), Some(b'@' | b':')));
    let passes_on = words.next().is_some_and(|word| {
        COMMANDS
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    });
    passes_on && words.all(|word| word.first() != Some(&b':'))
}

/// The address of an offer for which no hole was opened because it is not the client's; and the client's.
fn offered_elsewhere(
    dialogue: &Dialogue,
    heard: &Heard<'_>,
    bytes: &Range<usize>,
) -> Option<(IpAddr, IpAddr)> {
    if heard.direction == Direction::Reply {
        return None;
    }
    let (address, port) = named(heard.payload.get(bytes.start..)?)?;
    let (address, client) = (IpAddr::V4(address), dialogue.original.src);
    (port != 0 && address != client).then_some((address, client))
}

/// Address and port behind the name of an offer, where numbers alone follow it: a name with spaces should stand in
/// quotes, and clients that know IPv6 write an address as such.
fn named(text: &[u8]) -> Option<(Ipv4Addr, u64)> {
    let end_of_name: &[u8] = if text.first() == Some(&b'"') {
        b"\" "
    } else {
        b" "
    };
    let at = text
        .windows(end_of_name.len())
        .position(|place| place == end_of_name)?;
    let rest = text.get(at + end_of_name.len()..)?;
    let offer = rest
        .split(|byte| matches!(byte, b'\x01' | b'\r' | b'\n'))
        .next()?;
    let mut words = offer
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    if !words.clone().flatten().all(u8::is_ascii_digit) {
        return None;
    }
    let address = u32::try_from(written::number(words.next()?)?).ok()?;
    Some((address.into(), written::number(words.next()?)?))
}

const MARK: &[u8] = b"\x01DCC ";
/// Those that the helper knows (`dccprotos`).
const KINDS: [&[u8]; 5] = [b"SEND ", b"CHAT ", b"MOVE ", b"TSEND ", b"SCHAT "];
const COMMAND: &str = "PRIVMSG ";
/// RFC 2812, 3.3, and what servers know besides for operators of a channel.
const COMMANDS: [&[u8]; 4] = [b"PRIVMSG", b"NOTICE", b"CPRIVMSG", b"CNOTICE"];
