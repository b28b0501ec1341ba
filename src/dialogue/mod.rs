//! What the two ends of a control connection say, as they read it themselves.
//!
//! A helper reads each segment by itself. The ends read a stream: every byte once, in its order, lines as long as they
//! are. Where the two readings part is where an attacker works, so both are needed. Only flows that a helper reads are
//! listened to, and no more is kept of one than its last few lines, and of FTP the bytes that a repetition is held against.

mod ftp;
mod irc;
mod numbers;
mod pptp;
mod ras;
mod rpc;
mod stream;
mod summary;

pub use ftp::{Ftp, Number, Offer, Verb};
pub use irc::Irc;
pub use pptp::{Messages, Pptp};
pub use ras::Ras;
pub use rpc::Rpc;
pub use stream::{Line, Other, Place, Side, Stream, Way, after};
pub use summary::{Beside, Elsewhere, Summaries, Talked};

use std::net::IpAddr;
use std::sync::Arc;

use crate::conntrack::event::{Closed, ConntrackRecord, Root};
use crate::conntrack::payload;
use crate::content::{self, Browser, Content};
use crate::packet::{Packet, link};
use crate::replay::Passage;
use crate::service::Service;
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol, Tuple};

/// A control connection while it is alive.
#[derive(Debug)]
pub struct Dialogue {
    /// The helper's name to rules.
    pub helper: &'static str,
    /// The kind of helper (`Spec::called`).
    pub kind: &'static str,
    /// Client to server.
    pub original: Tuple,
    /// Where a rule attached the helper, to this connection or to the one that it comes from.
    pub service: Service,
    /// It is an expected flow, which inherited its helper.
    pub is_expected: bool,
    /// The packet that opened it.
    pub first_packet: u64,
    /// The capture does not hold its beginning.
    pub picked_up: bool,
    /// By direction.
    pub sides: [Side; 2],
    /// Messages that the snap length cut.
    pub cut: u64,
    /// The firewall's own addresses.
    pub local: Arc<[IpAddr]>,
    /// Packets with its addresses and ports that conntrack did not take for part of it.
    pub invalid: u64,
    /// What its helper has expected so far.
    pub tally: Tally,
    /// What its protocol's reader remembers.
    pub talk: Talk,
}

/// How many expectations were made, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Expectations that were made.
    pub made: u64,
    /// Those that somebody came for.
    pub used: u64,
    /// Nobody came in time.
    pub expired: u64,
    /// Those that gave way to a newer one.
    pub evicted: u64,
    /// Those that were made again in their own place.
    pub refreshed: u64,
}

impl Tally {
    /// Counts the end of one.
    pub fn close(&mut self, why: Closed) {
        match why {
            Closed::Matched { .. } => self.used += 1,
            Closed::TimedOut => self.expired += 1,
            Closed::Evicted => self.evicted += 1,
            Closed::Refreshed => self.refreshed += 1,
            Closed::Withdrawn | Closed::MasterGone | Closed::StillOpen => {}
        }
    }
}

/// What a protocol's reader remembers.
#[derive(Debug)]
pub enum Talk {
    /// Commands and replies.
    Ftp(Box<Ftp>),
    /// Who registered.
    Irc(Box<Irc>),
    /// Requests and confirmations.
    Ras(Box<Ras>),
    /// Calls.
    Pptp(Box<Pptp>),
    /// Calls of the portmapper.
    Rpc(Box<Rpc>),
    /// Nothing: each message stands for itself.
    Silent,
}

/// A message of a control connection: one packet's payload, and how it lies in what was said before.
#[derive(Debug)]
pub struct Heard<'p> {
    /// Its number in the capture.
    pub packet: u64,
    /// When it was captured.
    pub at: Timestamp,
    /// Whether the client says it.
    pub direction: Direction,
    /// All that the headers claim.
    pub payload: &'p [u8],
    /// As much of it as the capture holds; the rest reads as zeros above.
    pub captured: &'p [u8],
    /// By which interface it came, and from whom.
    pub way: Way,
    /// Of TCP; whole and new for the rest.
    pub place: Place,
    /// It goes on with a line that began before it. This and the next: of protocols that speak in lines, over TCP.
    pub is_within: bool,
    /// The lines that end in it.
    pub lines: Vec<Line>,
}

impl Dialogue {
    /// A flow that enters the table with a helper of this kind.
    pub fn of(record: &ConntrackRecord, helper: &'static str, kind: &'static str) -> Self {
        let tuple = record.original;
        let dialogue = Self::new(Root { helper, tuple }, kind, record.life.first_packet);
        Self {
            service: Service::of(&record.root.unwrap_or(Root { helper, tuple })),
            is_expected: record.expectation.is_some(),
            picked_up: record.is_picked_up(),
            ..dialogue
        }
    }

    /// A flow to which a rule attached a helper of this kind.
    pub fn new(root: Root, kind: &'static str, first_packet: u64) -> Self {
        Self {
            helper: root.helper,
            kind,
            original: root.tuple,
            service: Service::of(&root),
            is_expected: false,
            first_packet,
            picked_up: false,
            sides: Default::default(),
            cut: 0,
            local: Arc::default(),
            invalid: 0,
            tally: Tally::default(),
            talk: match kind {
                "ftp" => Talk::Ftp(Box::default()),
                "irc" => Talk::Irc(Box::default()),
                "RAS" => Talk::Ras(Box::default()),
                "pptp" => Talk::Pptp(Box::default()),
                "rpc" => Talk::Rpc(Box::default()),
                _ => Talk::Silent,
            },
        }
    }

    /// Puts the packet's payload in its place; `None` where it has none.
    pub fn listen<'p>(
        &mut self,
        passage: &Passage<'_>,
        packet: &Packet<'p>,
        direction: Direction,
    ) -> Option<Heard<'p>> {
        let (protocol, _) = packet.transport?;
        let (sequence, header, payload) = payload(protocol, packet.transport_bytes())?;
        let way = Way {
            hop_limit: packet.hop_limit,
            // In a tunnel nobody knows who sent it to the tunnel's end.
            via: match packet.tunnel {
                None => link::via(passage.link, passage.interface, passage.frame),
                Some(_) => None,
            },
        };
        self.sides[direction.index()].arrive(way);
        let sequence = match protocol {
            Protocol::TCP => self.synchronise(direction, sequence, header),
            _ => sequence,
        };
        let side = &mut self.sides[direction.index()];
        if payload.is_empty() {
            return None;
        }
        if side.messages == 0 {
            side.first_message = packet.number;
            side.opened_with = content::of(protocol, payload);
            side.browser = Browser::of(payload);
        }
        side.messages += 1;
        let cut = packet.datagram.len() - packet.captured;
        self.cut += u64::from(cut > 0);
        let captured = &payload[..payload.len().saturating_sub(cut)];
        let mut heard = Heard {
            packet: packet.number,
            at: passage.at,
            direction,
            payload,
            captured,
            way,
            place: Place::default(),
            is_within: false,
            lines: Vec::new(),
        };
        if protocol == Protocol::TCP {
            self.place(&mut heard, sequence);
        }
        Some(heard)
    }

    /// Puts a segment in its place, as far as the capture holds it, and reads the lines that end in it.
    fn place(&mut self, heard: &mut Heard<'_>, sequence: u32) {
        let speaks_in_lines = matches!(self.talk, Talk::Ftp(_) | Talk::Irc(_));
        let stream = self.stream(heard.direction);
        heard.place = stream.place(sequence, heard.captured);
        if speaks_in_lines {
            let is_next = heard.place.again == 0 && !heard.place.late;
            heard.is_within = is_next && stream.is_within_a_line();
            heard.lines = stream.lines(heard.captured, &heard.place);
        }
        // A payload is shorter than 64 KiB.
        let [held, all] = [heard.captured, heard.payload].map(|bytes| bytes.len() as u32);
        stream.lose(sequence.wrapping_add(held), all - held);
    }

    /// Where the payload of this segment stands, SYN counted. A SYN begins a stream that was silent so far; later, where
    /// the other end answers it.
    fn synchronise(&mut self, direction: Direction, sequence: u32, header: &[u8]) -> u32 {
        let &[_, _, _, _, _, _, _, _, a, b, c, d, _, flags, ..] = header else {
            return sequence;
        };
        if flags & SYN == 0 {
            return sequence;
        }
        let first = sequence.wrapping_add(1);
        if flags & ACK == 0 {
            let is_silent = self.sides.iter().all(|side| side.messages == 0);
            let own = self.stream(direction);
            own.offered = Some(first);
            if is_silent {
                own.begin(first);
            }
            return first;
        }
        let acknowledged = u32::from_be_bytes([a, b, c, d]);
        let other = self.stream(!direction);
        if let Some(offered) = other.offered.take_if(|offered| *offered == acknowledged) {
            other.begin(offered);
            self.stream(direction).begin(first);
        }
        first
    }

    /// Only what FTP's findings compare is kept.
    fn stream(&mut self, direction: Direction) -> &mut Stream {
        let keeps = self.ftp().is_some();
        let stream = &mut self.sides[direction.index()].stream;
        stream.get_or_insert_with(|| Box::new(Stream::new(keeps)))
    }

    /// Remembers one line of a message. What is asked about it has been asked before.
    pub fn remember(&mut self, heard: &Heard<'_>, line: &Line) {
        match &mut self.talk {
            Talk::Ftp(ftp) => ftp.hear(heard.direction, line, heard.packet),
            Talk::Irc(irc) => irc.hear(heard.direction, line, heard.packet),
            Talk::Ras(_) | Talk::Pptp(_) | Talk::Rpc(_) | Talk::Silent => {}
        }
    }

    /// The packet from which on the two ends encrypt what they say. It never changes.
    pub fn encrypted(&self) -> Option<u64> {
        let client = &self.sides[Direction::Original.index()];
        let from_the_start = client.opened_with == Some(Content::Tls);
        let agreed = || self.ftp().and_then(|ftp| ftp.encrypted);
        from_the_start
            .then_some(client.first_message)
            .or_else(agreed)
    }

    /// What a web page may have had the client begin with, and in which packet.
    pub fn browser(&self) -> Option<(Browser, u64)> {
        let client = &self.sides[Direction::Original.index()];
        client
            .browser
            .map(|browser| (browser, client.first_message))
    }

    /// Remembers a message, of protocols that do not speak in lines. What is asked about it has been asked before.
    pub fn hear(&mut self, heard: &Heard<'_>) {
        match &mut self.talk {
            Talk::Ras(ras) => ras.hear(heard.direction, heard.payload),
            Talk::Pptp(pptp) => pptp.hear(heard),
            Talk::Rpc(rpc) => rpc.hear(self.original.protocol, heard),
            Talk::Ftp(_) | Talk::Irc(_) | Talk::Silent => {}
        }
    }

    /// The capture holds all that was said so far. What conntrack does not take for part of it does not count: whoever
    /// sends such a packet would hide all that follows.
    pub fn is_whole(&self) -> bool {
        !self.picked_up && self.sides.iter().all(|side| side.missing() == 0)
    }

    /// What is remembered, where it is FTP.
    pub fn ftp(&self) -> Option<&Ftp> {
        match &self.talk {
            Talk::Ftp(ftp) => Some(ftp),
            _ => None,
        }
    }

    /// What is remembered, where it is IRC.
    pub fn irc(&self) -> Option<&Irc> {
        match &self.talk {
            Talk::Irc(irc) => Some(irc),
            _ => None,
        }
    }

    /// What is remembered, where it is RAS.
    pub fn ras(&self) -> Option<&Ras> {
        match &self.talk {
            Talk::Ras(ras) => Some(ras),
            _ => None,
        }
    }

    /// What is remembered, where it is PPTP.
    pub fn pptp(&self) -> Option<&Pptp> {
        match &self.talk {
            Talk::Pptp(pptp) => Some(pptp),
            _ => None,
        }
    }

    /// What is remembered, where it is RPC.
    pub fn rpc(&self) -> Option<&Rpc> {
        match &self.talk {
            Talk::Rpc(rpc) => Some(rpc),
            _ => None,
        }
    }
}

const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
