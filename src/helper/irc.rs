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
        if message.direction == Direction::Reply || !message.established {
            return Ok(());
        }
        let payload = &message.payload[..message.payload.len().min(MAX_SEARCH)];
        let Some(offer) = Offer::find(payload) else {
            return Ok(());
        };
        let client = message.opposite().dst;
        let own = [message.same().src, client].contains(&IpAddr::V4(offer.address));
        if !own || offer.port == 0 {
            // The kernel logs "Forged DCC command".
            master.decline(
                "names an address that is not the client's, or port 0",
                offer.bytes,
            );
            return Ok(());
        }
        master.expect(Expectation::new(
            Protocol::TCP,
            None,
            Sourced::conntrack(client, !message.direction),
            Sourced::command(offer.port, message.packet, offer.port_bytes),
        ))?;
        Ok(())
    }
}

/// Where somebody offers to be connected to.
struct Offer {
    bytes: Range<usize>,
    address: Ipv4Addr,
    port: u16,
    port_bytes: Range<usize>,
}

impl Offer {
    /// The kernel asks at each step for as many bytes as the shortest offer would still need.
    fn find(payload: &[u8]) -> Option<Self> {
        let room_at = |at: usize, needed: usize| at + needed < payload.len();
        let mut at = 0;
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
            let rest = payload[at + 2..].strip_prefix(b"\x01DCC ")?;
            at = payload.len() - rest.len();
            if let Some(kind) = KINDS.iter().find(|kind| rest.starts_with(kind)) {
                return Self::read(payload, at + kind.len());
            }
        }
        None
    }

    /// File name, address and port (`parse_dcc`).
    fn read(payload: &[u8], start: usize) -> Option<Self> {
        // The name ends at a space that leaves room for the rest.
        let name = payload[start..].iter().position(|&byte| byte == b' ')?;
        let address_at = start + name + 1;
        if name > 0 && address_at + SHORTEST_REST > payload.len() + 1 {
            return None;
        }
        if !payload[address_at..].contains(&b'\n') {
            return None;
        }
        let (address, length) = text::decimal(&payload[address_at..]);
        let blanks = payload[address_at + length..]
            .iter()
            .take_while(|&&byte| byte == b' ')
            .count();
        let port_at = address_at + length + blanks;
        let (port, length) = text::decimal(&payload[port_at..]);
        Some(Self {
            bytes: start..port_at + length,
            address: Ipv4Addr::from_bits(address as u32),
            port: port as u16,
            port_bytes: port_at..port_at + length,
        })
    }
}

const COMMAND: &[u8] = b"PRIVMSG ";
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
