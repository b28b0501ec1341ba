//! SIP inside what is none: a packet that begins as a message in a stream or a datagram that does not.

use super::text::{Message, is_request, lines};
use crate::dialogue::{Dialogue, Heard, after};
use crate::findings::browser::slipped_in;
use crate::findings::{Entry, Evidence, Matcher, Severity};
use crate::packet::Packet;
use crate::tuple::{Direction, Protocol};

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "sip-slipstream-tcp",
        title: "A SIP request in what a browser sends",
        severity: Severity::High,
        helpers: &["sip"],
        wire: "a client that begins with HTTP or STUN, and a line of its stream that is a REGISTER or an INVITE, or a \
               segment that begins as one to the helper, which takes it for the phone's own",
        alike: "a browser or scanner that asks a SIP port for a page; SIP over WebSocket, which is masked",
        references: &["CVE-2020-28041", "https://samy.pl/slipstream/"],
        matcher: Matcher::Message(in_stream),
    },
    Entry {
        id: "sip-slipstream-udp",
        title: "A SIP request at the start of a fragment of another datagram",
        severity: Severity::High,
        helpers: &["sip"],
        wire: "a datagram that came in fragments, to any port, and is no SIP, with a REGISTER or an INVITE where a \
               later fragment may begin: a firewall that does not put fragments together reads it as one",
        alike: "SIP that is tunnelled or reported to a collector: there a short header is before it",
        references: &["https://samy.pl/slipstream/"],
        matcher: Matcher::Fragmented(in_fragment),
    },
];

fn in_stream(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<Evidence> {
    if heard.direction == Direction::Reply {
        return None;
    }
    if is_read_as_a_request(heard.payload) {
        return slipped_in(dialogue, "a request of SIP begins this segment");
    }
    let stands_in = lines(heard.payload).any(opens_a_hole);
    stands_in.then(|| slipped_in(dialogue, "a request of SIP stands in this segment"))?
}

fn in_fragment(packet: &Packet<'_>) -> Option<Evidence> {
    let (Protocol::UDP, _) = packet.transport? else {
        return None;
    };
    let bytes = packet.transport_bytes();
    if Message::read(bytes.get(UDP_HEADER..)?).is_some() {
        return None;
    }
    let begins = |&at: &usize| bytes.get(at..).is_some_and(opens_a_hole);
    let at = (SHORTEST_FIRST..bytes.len()).step_by(UNIT).find(begins)?;
    Evidence::of(format!(
        "a request of SIP begins {at} bytes into the datagram"
    ))
}

/// What a segment needs to begin with for the helper to read a request in it: neither capitals nor a version.
fn is_read_as_a_request(segment: &[u8]) -> bool {
    let mut targets = METHODS.iter().filter_map(|method| after(segment, method));
    targets.any(|target| target.first().is_some_and(u8::is_ascii_alphabetic))
}

/// The text begins with the first line of a request that the helper opens a hole for.
fn opens_a_hole(text: &[u8]) -> bool {
    let start = &text[..text.len().min(LONGEST_LINE)];
    let mut methods = METHODS.iter().map(|method| method.as_bytes());
    methods.any(|method| start.starts_with(method)) && lines(start).next().is_some_and(is_request)
}

const METHODS: [&str; 2] = ["REGISTER ", "INVITE "];
/// So long a first line is looked at wherever one may begin.
const LONGEST_LINE: usize = 512;
const UDP_HEADER: usize = 8;
/// Fragments begin at multiples of it (RFC 791, 3.1; RFC 8200, 4.5).
const UNIT: usize = 8;
/// A first fragment is as long as the path allows, and a path that takes less than the 576 bytes of RFC 791 is not met
/// with: 20 of them are the IP header, and four do not fill a unit. The headers of tunnels are shorter.
const SHORTEST_FIRST: usize = 552;
