//! SIP inside what is none: a packet that begins as a message in a stream or a datagram that does not.

use super::text::{Message, is_request, lines};
use crate::content::Content;
use crate::dialogue::{Dialogue, Heard};
use crate::findings::{Entry, Evidence, Matcher, Severity};
use crate::packet::Packet;
use crate::tuple::{Direction, Protocol};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "sip-slipstream-tcp",
        title: "A SIP request in what a browser sends",
        severity: Severity::High,
        helpers: &["sip"],
        wire: "the client's first message is an HTTP request, and a line of what follows is a REGISTER or an INVITE; \
               at the start of a segment the helper takes it for the phone's own",
        alike: "a browser or scanner that asks a SIP port for a page; SIP over WebSocket, which is masked",
        references: &["CVE-2020-28041", "https://samy.pl/slipstream/"],
        matcher: Matcher::Message(in_http),
    },
    Entry {
        id: "sip-slipstream-udp",
        title: "A SIP request at the start of a fragment of another datagram",
        severity: Severity::High,
        helpers: &["sip"],
        wire: "a datagram that came in fragments, to any port, and is no SIP, with a REGISTER or an INVITE where a \
               later fragment may begin: a firewall that does not put fragments together reads it as one",
        alike: "SIP that is tunnelled or reported to a collector: there a short header is before it",
        references: &["CVE-2020-28041", "https://samy.pl/slipstream/"],
        matcher: Matcher::Fragmented(in_fragment),
    },
];

fn in_http(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    let side = dialogue.sides.get(Direction::Original.index())?;
    let is_http = side.opened_with == Some(Content::Http);
    if !is_http || heard.direction == Direction::Reply {
        return None;
    }
    let at = lines(heard.payload).position(opens_a_hole)?;
    let detail = match at {
        0 => "the client began with HTTP, and a request of SIP begins this segment",
        _ => "the client began with HTTP, and a request of SIP stands in this segment",
    };
    Evidence::with(detail, [side.first_message])
}

fn in_fragment(packet: &Packet<'_>) -> Option<Evidence> {
    let (Protocol::UDP, _) = packet.transport? else {
        return None;
    };
    let bytes = packet.transport_bytes();
    if Message::read(bytes.get(UDP_HEADER..)?).is_some() {
        return None;
    }
    let mut places = (SHORTEST_FIRST..bytes.len()).step_by(UNIT);
    let at = places.find(|&at| bytes.get(at..).is_some_and(begins_as_a_request))?;
    Evidence::of(format!(
        "a request of SIP begins {at} bytes into the datagram"
    ))
}

/// A request that the helper opens a hole for.
fn opens_a_hole(line: &[u8]) -> bool {
    let wanted: [&[u8]; 2] = [b"REGISTER ", b"INVITE "];
    wanted.iter().any(|method| line.starts_with(method)) && is_request(line)
}

fn begins_as_a_request(text: &[u8]) -> bool {
    let is_upper = text.first().is_some_and(u8::is_ascii_uppercase);
    is_upper && lines(text).next().is_some_and(opens_a_hole)
}

const UDP_HEADER: usize = 8;
/// Fragments begin at multiples of it (RFC 791, 3.1; RFC 8200, 4.5).
const UNIT: usize = 8;
/// A first fragment is as long as the path allows, and a path that takes less than the 576 bytes of RFC 791 is not met
/// with: 20 of them are the IP header, and four do not fill a unit. The headers of tunnels are shorter.
const SHORTEST_FIRST: usize = 552;
