//! Conntrack itself: where expectations lead and how many there are, who speaks for a control connection, and what does
//! not fit one.

use super::place::{is_nobodys, opened, opened_service};
use super::{Entry, Evidence, Matcher, Severity, Strain};
use crate::conntrack::Reason;
use crate::conntrack::event::Closed;
use crate::dialogue::{Dialogue, Ftp, Heard, after};
use crate::helper::Refused;
use crate::packet::link::Via;

pub const ENTRIES: &[Entry] = &[
    Entry {
        id: "expectation-local-target",
        title: "A hole to an address that is nobody's",
        severity: Severity::Medium,
        helpers: &[],
        wire: "a command names a loopback, broadcast, multicast or unspecified address that is not an end of the control \
               connection, and the helper expects a flow to it",
        alike: "a capture of the loopback device; a SIP call on hold (0.0.0.0, RFC 3264, 8.4) or to a multicast group",
        references: &[SECURE_USE],
        matcher: Matcher::Expected(|dialogue, _, record| {
            let target = record.third_host()?;
            let is_of_sip =
                dialogue.kind == "sip" && (target.is_unspecified() || target.is_multicast());
            if !is_nobodys(target) || is_of_sip {
                return None;
            }
            Evidence::of(format!("a flow to {target} is expected"))
        }),
    },
    Entry {
        id: "expectation-own-address",
        title: "A hole to a service of the firewall itself",
        severity: Severity::Medium,
        helpers: &[],
        wire: "a command names the firewall's own address, which is not an end of the control connection, and the port of \
               a service",
        alike: "a telephone behind address translation that names the address it is seen with: its port is no service's",
        references: &[SECURE_USE],
        matcher: Matcher::Expected(|dialogue, _, record| {
            let target = record.third_host()?;
            let is_own = dialogue.local.contains(&target) && opened_service(record).is_some();
            is_own.then(|| Evidence::of(opened(record)))?
        }),
    },
    Entry {
        id: "expectation-evicted",
        title: "A hole that gave way to a newer one before anybody came",
        severity: Severity::Note,
        helpers: &[],
        wire: "a control connection asks for more than its helper may expect at a time (max_expected); told once for each",
        alike: "nothing: it is told of every control connection to which it happens",
        references: &[SYSCTLS],
        matcher: Matcher::Closed(|dialogue, record, why| {
            if why != Closed::Evicted || dialogue.tally.evicted != 1 {
                return None;
            }
            let detail = format!("expected in packet {}, class full", record.packet);
            Evidence::with(detail, [record.packet])
        }),
    },
    Entry {
        id: "expectation-missed",
        title: "A flow that came for an expectation which had given way",
        severity: Severity::Note,
        helpers: &[],
        wire: "a flow that fits an expectation which a newer one of the same master pushed out less than a minute before: \
               to the firewall it is NEW, and what it is for fails",
        alike: "a flow that comes while it is expected",
        references: &[SECURE_USE],
        matcher: Matcher::Late(|expected, flow, why, after| {
            if why != Closed::Evicted {
                return None;
            }
            let (from, late) = (flow.original.src, after.as_secs_f64());
            let detail = format!(
                "{from} came {late:.3} s after it had given way: the helper expects too few at a time"
            );
            Evidence::with(detail, [expected.packet])
        }),
    },
    Entry {
        id: "expectation-evicted-many",
        title: "Ports opened one after the other, and nothing sent",
        severity: Severity::Medium,
        helpers: &["ftp"],
        wire: "ten requests for a port in a row (PASV, EPSV, LPSV, PORT, EPRT), each of which pushes the one before out, \
               and no command that would use one",
        alike: "a capture without the data connections, or a client whose data connections are blocked: each request is \
                followed by a transfer",
        references: &[SECURE_USE],
        matcher: Matcher::Closed(|dialogue, record, why| {
            let tally = dialogue.tally;
            let many = why == Closed::Evicted && tally.evicted == MANY && tally.used == 0;
            if !many || !only_asks_for_ports(dialogue.ftp()?) {
                return None;
            }
            let detail = format!("{MANY} expectations gave way and none was used");
            Evidence::with(detail, [record.packet])
        }),
    },
    Entry {
        id: "expectation-flood",
        title: "One client that holds a quarter of the table of expectations",
        severity: Severity::Medium,
        helpers: &[],
        wire: "so many expectations open at a time that go back to control connections of one client, of \
               nf_conntrack_expect_max for all clients together; told when there are a quarter",
        alike: "many clients behind one translated address, of which hundreds register at a time; one control connection, \
                which is held to a few dozen by its helper's max_expected",
        references: &[SYSCTLS],
        matcher: Matcher::Strain(|strain| match *strain {
            Strain::Expectations { client, open, room } if open == room.div_ceil(4) => {
                Evidence::of(format!("{open} of {room} expectations go back to {client}"))
            }
            _ => None,
        }),
    },
    Entry {
        id: "expectation-no-room",
        title: "A hole that was not opened because the table of expectations was full",
        severity: Severity::Medium,
        helpers: &[],
        wire: "a command for which the helper expects nothing, because nf_conntrack_expect_max expectations are open",
        alike: "a command whose port another connection's expectation has already",
        references: &[SYSCTLS],
        matcher: Matcher::Declined(|_, _, reason, _| {
            (reason == Refused::NoRoom.reason())
                .then(|| Evidence::of("nf_conntrack_expect_max was reached"))?
        }),
    },
    Entry {
        id: "expectation-kept-open",
        title: "A hole that is asked for again and again, and never used",
        severity: Severity::Low,
        helpers: &["ftp", "irc"],
        wire: "ten commands that name the same port, each before the last expectation has timed out, and nobody comes",
        alike: "registrations of telephones and requests that are sent again, which are refreshed honestly and not looked \
                at; an FTP server with a single passive port, whose client transfers something in between",
        references: &[SECURE_USE],
        matcher: Matcher::Closed(|dialogue, record, why| {
            let tally = dialogue.tally;
            let always_the_same = tally.refreshed == MANY && tally.made == MANY;
            let idle = dialogue.ftp().is_none_or(only_asks_for_ports);
            if why != Closed::Refreshed || !always_the_same || !idle {
                return None;
            }
            let port = record.expectation.dst_port.value;
            Evidence::of(format!("port {port} was asked for {} times", MANY + 1))
        }),
    },
    Entry {
        id: "master-picked-up-reset",
        title: "A control connection that one of its ends knows nothing of",
        severity: Severity::Medium,
        helpers: &[],
        wire: "no SYN opened the connection (nf_conntrack_tcp_loose), an expectation is made on its word, and one of its \
               ends, which has hardly spoken, sends RST",
        alike: "a connection that the capture begins in the midst of, and whose end says more before it resets",
        references: &[SYSCTLS],
        matcher: Matcher::Reset(|dialogue, direction| {
            let side = &dialogue.sides[direction.index()];
            let made = dialogue.tally.made;
            let is_unknown = side.packets <= USUAL + 1 && side.messages <= 1;
            if !dialogue.picked_up || !is_unknown || made == 0 {
                return None;
            }
            let detail = format!("expectations made before the RST: {made}");
            Evidence::with(detail, [dialogue.first_packet])
        }),
    },
    Entry {
        id: "state-out-of-window-command",
        title: "A command outside the window of its control connection",
        severity: Severity::Medium,
        helpers: &["ftp", "irc", "sip"],
        wire: "a segment with the addresses and ports of a control connection, a sequence number above the window, and a \
               command that would open a port; conntrack has called nothing of the connection INVALID before",
        alike: "a capture that lost segments: there the acknowledgements do not fit first",
        references: &["RFC 5961"],
        matcher: Matcher::Invalid(|dialogue, direction, reason, payload| {
            let outside = reason == Reason::TcpSequenceAbove && dialogue.invalid == 0;
            if !outside || !opens(dialogue.kind, payload) {
                return None;
            }
            let of = direction.name();
            Evidence::of(format!("in {of} direction: {}", reason.name()))
        }),
    },
    Entry {
        id: "state-conntrack-flood",
        title: "A table of conntracks that was full",
        severity: Severity::Low,
        helpers: &[],
        wire: "more flows at a time than nf_conntrack_max; told once",
        alike: "a capture of a busier network than the firewall's",
        references: &[SYSCTLS],
        matcher: Matcher::Strain(|strain| match strain {
            Strain::Conntracks => Evidence::of("nf_conntrack_max was reached"),
            _ => None,
        }),
    },
    Entry {
        id: "spoofed-source",
        title: "A command from another interface than its sender's",
        severity: Severity::Medium,
        helpers: &[],
        wire: "every packet of one end of a control connection came by one interface, and then a command that opens a \
               port by another",
        alike: "a capture that shows each packet on its way in and out; the first packet after a change of routes",
        references: &[OPENSVP, "RFC 3704"],
        matcher: Matcher::Expected(|dialogue, heard, _| {
            let (first, now) = strayed(dialogue, heard)?;
            let others = dialogue.sides[heard.direction.index()].other.interface;
            if first.interface == now.interface || others != 1 {
                return None;
            }
            let detail = format!(
                "interface {}, all packets before: {}",
                now.interface, first.interface
            );
            beside_the_first(dialogue, heard, detail)
        }),
    },
    Entry {
        id: "spoofed-source-link",
        title: "A command from another link-layer address than its sender's",
        severity: Severity::Medium,
        helpers: &[],
        wire: "every packet of one end of a control connection was sent by one link-layer address, and then a command \
               that opens a port by another, on the same interface",
        alike: "a capture that shows each packet on its way in and out; the first packet after another router, or another \
                port of a bond, took over",
        references: &[OPENSVP],
        matcher: Matcher::Expected(|dialogue, heard, _| {
            let (first, now) = strayed(dialogue, heard)?;
            let others = dialogue.sides[heard.direction.index()].other.sender;
            if first.interface != now.interface || first.sender == now.sender || others != 1 {
                return None;
            }
            let detail = format!(
                "sent by {}, all packets before by {}",
                octets(now.sender),
                octets(first.sender)
            );
            beside_the_first(dialogue, heard, detail)
        }),
    },
    Entry {
        id: "hop-limit-jump",
        title: "A command from another distance than its sender's",
        severity: Severity::Low,
        helpers: &[],
        wire: "every packet of one end of a control connection had one hop limit (TTL), and then a command that opens a \
               port another, by more than one",
        alike: "the first packet after a change of routes; a router that answers handshakes for a server",
        references: &["RFC 5082"],
        matcher: Matcher::Expected(|dialogue, heard, _| {
            let side = &dialogue.sides[heard.direction.index()];
            let (first, now) = (side.way?, heard.way);
            let jump = first.hop_limit.abs_diff(now.hop_limit);
            let alone = side.other.hop_limit == 1 && side.packets > USUAL;
            // What a group is sent stays on its link, whatever its hop limit.
            let is_routed = !dialogue.original.dst.is_multicast();
            if first.via != now.via || jump <= 1 || !alone || !is_routed {
                return None;
            }
            let detail = format!(
                "hop limit {}, all packets before: {}",
                now.hop_limit, first.hop_limit
            );
            beside_the_first(dialogue, heard, detail)
        }),
    },
];

/// The client's last lines ask for ports, and for nothing to be sent.
fn only_asks_for_ports(ftp: &Ftp) -> bool {
    let asks = |line: &Vec<u8>| {
        let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        let words: [&[u8]; 5] = [b"PASV", b"EPSV", b"LPSV", b"PORT", b"EPRT"];
        words.iter().any(|ask| word.eq_ignore_ascii_case(ask))
    };
    let last = || ftp.said.iter().rev().take(MANY as usize);
    last().count() == MANY as usize && last().all(asks)
}

/// Whether a segment looks like a command that opens a port.
fn opens(kind: &str, payload: &[u8]) -> bool {
    let begins = |words: &[&str]| words.iter().any(|word| after(payload, word).is_some());
    match kind {
        "ftp" => begins(&["PORT ", "EPRT ", "227 ", "229 "]),
        "irc" => payload.windows(5).any(|five| five == b"\x01DCC "),
        "sip" => begins(&["REGISTER ", "INVITE "]),
        _ => false,
    }
}

/// Where the first packet of this end came from, and where this one did, if there were enough between.
fn strayed(dialogue: &Dialogue, heard: &Heard<'_>) -> Option<(Via, Via)> {
    let side = &dialogue.sides[heard.direction.index()];
    let way = side.way.filter(|_| side.packets > USUAL)?;
    way.via.zip(heard.way.via)
}

/// Names the first message of the same end, for comparison.
fn beside_the_first(dialogue: &Dialogue, heard: &Heard<'_>, detail: String) -> Option<Evidence> {
    let first = dialogue.sides[heard.direction.index()].first_message;
    Evidence::with(detail, [first])
}

fn octets(address: [u8; 6]) -> String {
    address.map(|octet| format!("{octet:02x}")).join(":")
}

/// Evictions or refreshments of one control connection.
const MANY: u64 = 10;
/// Packets by which it is known which way one end's packets come: a SYN/ACK and a greeting.
const USUAL: u64 = 2;

const SYSCTLS: &str = "Documentation/networking/nf_conntrack-sysctl.rst";
const SECURE_USE: &str = "https://github.com/regit/secure-conntrack-helpers";
const OPENSVP: &str = "https://github.com/regit/opensvp";
