//! IRC with DCC: users who met on a server send each other files, and chat, past it.
//!
//! Why a second connection: `PRIVMSG nick :\x01DCC SEND file ADDRESS PORT\x01` says where the sender listens; the
//! receiver, whom the server alone knows, connects there. So the expectation lets anybody in.
//!
//! Only what the client sends is read, and only a message whose text begins with DCC. The address must be the
//! client's own. Not checked: which port; whether anybody was invited.
//!
//! Source: net/netfilter/nf_conntrack_irc.c `help()`, `parse_dcc()`.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::time::Duration;

use super::reasons::{NOT_ESTABLISHED, NOT_THE_SPEAKER, PORT_0};
use super::{
    Dropped, Families, Field, Freedom, Helper, Home, Instances, MOST_SECONDS, Master, Message,
    Parameter, Policy, Spec, text,
};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::{Direction, Protocol};

pub const SPECS: &[Spec] = &[Spec {
    name: "irc",
    source: "net/netfilter/nf_conntrack_irc.c",
    ports: &[(Protocol::TCP, Some(6667))],
    families: Families::Ipv4,
    home: Home::Module(Instances::ByIndex),
    why: "DCC sends files and chats past the server, to the port that the offering client names, from anybody",
    policies: |modules| {
        vec![Policy {
            max_expected: modules.get(MAX_CHANNELS),
            timeout: Duration::from_secs(modules.get(TIMEOUT).into()),
        }]
    },
    parameters: &[
        Parameter {
            name: MAX_CHANNELS,
            default: 8,
            range: 1..=255,
            meaning: "DCC channels that one IRC connection may expect at a time",
        },
        Parameter {
            name: TIMEOUT,
            default: 300,
            range: 0..=MOST_SECONDS,
            meaning: "seconds that an expected channel may take",
        },
    ],
    freedom: &[Freedom::new(
        Field::Any,
        Field::Any,
        Field::Checked,
        Field::Command,
        Protocol::TCP,
    )],
    defects: &[],
    start: |_, _| Box::new(Irc),
}];

struct Irc;

impl Helper for Irc {
    fn message(&mut self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        let payload = &message.payload[..message.payload.len().min(MAX_SEARCH)];
        let start = match message.direction {
            Direction::Original => 0,
            Direction::Reply => prefix(payload),
        };
        let is_read = message.direction == Direction::Original && message.established;
        match find(payload, start).map(|name| (name, Offer::read(payload, name))) {
            Some((_, Ok(offer))) => return offer.expect(message, master),
            Some((name, Err(reason))) if is_read => {
                master.decline(reason, name..line_end(payload, name));
            }
            None if is_read => {
                if let Some(offer) = elsewhere(payload) {
                    master.decline(NOT_THE_BEGINNING, offer.bytes);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Where somebody offers to be connected to.
struct Offer {
    bytes: Range<usize>,
    address: Ipv4Addr,
    address_bytes: Range<usize>,
    port: u16,
    port_bytes: Range<usize>,
}

impl Offer {
    /// File name, address and port (`parse_dcc`).
    fn read(payload: &[u8], start: usize) -> Result<Self, &'static str> {
        // The name ends at a space that leaves room for the rest.
        let name = payload[start..].iter().position(|&byte| byte == b' ');
        let address_at = start + name.ok_or(UNREADABLE)? + 1;
        if name > Some(0) && address_at + SHORTEST_REST > payload.len() + 1 {
            return Err(UNREADABLE);
        }
        if !payload[address_at..].contains(&b'\n') {
            return Err(NO_LINE_END);
        }
        let (address, length) = text::decimal(&payload[address_at..]);
        let address_end = address_at + length;
        let blanks = payload[address_end..]
            .iter()
            .take_while(|&&byte| byte == b' ')
            .count();
        let port_at = address_end + blanks;
        let (port, length) = text::decimal(&payload[port_at..]);
        Ok(Self {
            bytes: start..port_at + length,
            address: Ipv4Addr::from_bits(address as u32),
            address_bytes: address_at..address_end,
            port: port as u16,
            port_bytes: port_at..port_at + length,
        })
    }

    fn is_readable(&self) -> bool {
        !self.address_bytes.is_empty() && !self.port_bytes.is_empty()
    }

    fn expect(self, message: &Message<'_>, master: &mut dyn Master) -> Result<(), Dropped> {
        if message.direction == Direction::Reply || !message.established {
            if self.is_readable() {
                master.decline(unheard(message), self.bytes);
            }
            return Ok(());
        }
        let client = message.opposite().dst;
        let is_own = [message.same().src, client].contains(&IpAddr::V4(self.address));
        if !is_own || self.port == 0 {
            // The kernel logs "Forged DCC command".
            master.decline(self.objection(), self.bytes);
            return Ok(());
        }
        master.expect(Expectation::new(
            Protocol::TCP,
            None,
            Sourced::conntrack(client, !message.direction),
            Sourced::command(self.port, message.packet, self.port_bytes),
        ))?;
        Ok(())
    }

    fn objection(&self) -> &'static str {
        if !self.is_readable() {
            UNREADABLE
        } else if self.port == 0 {
            // Passive DCC, whatever address it comes with: the receiver is to listen.
            PORT_0
        } else {
            NOT_THE_SPEAKER
        }
    }
}

/// Why nothing is read of what this one says.
fn unheard(message: &Message<'_>) -> &'static str {
    match message.direction {
        Direction::Original => NOT_ESTABLISHED,
        Direction::Reply => "said by the server: the offering client's firewall has to expect it",
    }
}

/// How long the name is that a server puts before what its users say (RFC 2812, 2.3.1).
fn prefix(payload: &[u8]) -> usize {
    if !payload.starts_with(b":") {
        return 0;
    }
    let space = payload.iter().position(|&byte| byte == b' ');
    space.map_or(0, |space| space + 1)
}

/// Where the file name starts that the first message offers. The kernel asks at each step for as many bytes as the
/// shortest offer would still need.
fn find(payload: &[u8], start: usize) -> Option<usize> {
    let room_at = |at: usize, needed: usize| at + needed < payload.len();
    let mut at = start;
    while room_at(at, SHORTEST_MESSAGE) && matches!(payload[at], b' ' | b'\r' | b'\n') {
        at += 1;
    }
    if room_at(at, SHORTEST_MESSAGE) {
        if !payload[at..at + COMMAND.len()].eq_ignore_ascii_case(COMMAND) {
            return None;
        }
        at += COMMAND.len();
    }
    while room_at(at, SHORTEST_OFFER) {
        if !payload[at..].starts_with(b" :") {
            at += 1;
            continue;
        }
        // A message has one beginning: what stands there decides.
        let rest = payload[at + 2..].strip_prefix(DCC)?;
        at = payload.len() - rest.len();
        if let Some(kind) = KINDS.iter().find(|kind| rest.starts_with(kind)) {
            return Some(at + kind.len());
        }
    }
    None
}

/// The first offer of a segment, wherever it stands.
fn elsewhere(payload: &[u8]) -> Option<Offer> {
    let room = payload.len().checked_sub(SHORTEST_OFFER - b" :".len())?;
    let marks = (0..room).filter(|&at| payload[at] == DCC[0]);
    let mut offers = marks.filter_map(|at| {
        let rest = payload[at..].strip_prefix(DCC)?;
        let kind = KINDS.iter().find(|kind| rest.starts_with(kind))?;
        Some(at + DCC.len() + kind.len())
    });
    let offer = Offer::read(payload, offers.next()?).ok()?;
    offer.is_readable().then_some(offer)
}

fn line_end(payload: &[u8], start: usize) -> usize {
    let end = payload[start..].iter().position(|&byte| byte == b'\n');
    end.map_or(payload.len(), |end| start + end)
}

const UNREADABLE: &str = "a file name, address or port that cannot be read";
const NO_LINE_END: &str = "no line end behind it in the first 4,095 bytes of its segment";
const NOT_THE_BEGINNING: &str = "not at the beginning of a PRIVMSG that begins its segment";
const COMMAND: &[u8] = b"PRIVMSG ";
const DCC: &[u8] = b"\x01DCC ";
const KINDS: [&[u8]; 5] = [b"SEND ", b"CHAT ", b"MOVE ", b"TSEND ", b"SCHAT "];
/// How much of a segment is looked at (`MAX_SEARCH_SIZE`).
const MAX_SEARCH: usize = 4095;
/// `PRIVMSG x `
const SHORTEST_MESSAGE: usize = 10;
/// ` :\x01DCC SEND t AAAAAAAA P\x01\n`
const SHORTEST_OFFER: usize = 26;
/// `AAAAAAAA P\x01\n`
const SHORTEST_REST: usize = 12;
const MAX_CHANNELS: &str = "nf_conntrack_irc.max_dcc_channels";
const TIMEOUT: &str = "nf_conntrack_irc.dcc_timeout";
