//! Of a replay, the packets that rules may treat differently: what a proof of rules that the replay led to is shown in place
//! of the whole capture once more.
//!
//! Rules that are proposed attach helpers to new flows, and judge RELATED packets. All others pass with them as they did
//! without. What a packet is, its own flow says, and an expectation; and what is expected, flows with helpers. So kept
//! are, in their order,
//!
//! - packets of flows that a helper reads or that an expectation let in, and what is INVALID to these;
//! - ICMP errors: about another flow without the flow, and with what conntrack said of the error; and about no flow at all,
//!   because where a helper is not attached there may be one that it dropped or ended here;
//! - what rules that are known before the replay drop, or nobody can decide: those against forged sources.
//!
//! Helpers read what is said on their flows. Of those that were expected conntrack reads headers, so no more is kept.
//!
//! Where the table of expectations was full, it may hold others with fewer helpers, and who comes for these was a stranger
//! here: then an excerpt proves nothing. `ctaudit prove` replays all.
//!
//! Limits: what other flows do to these is not repeated. They fill the table of flows, and bury what is expected no longer;
//! and pptp ends whichever flow has its call's keys. An expectation that was not made because another one stood in its
//! way is made where that one is not; if that one was never used, who comes for it was a stranger here, too.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::mem;

use tempfile::SpooledTempFile;

use crate::conntrack::event::{Event, Status};
use crate::conntrack::{Reason, State, Verdict, payload};
use crate::firewall::Firewall;
use crate::helper::Refused;
use crate::packet::{Packet, ip};
use crate::proof::Need;
use crate::replay::{Arrival, Passage};
use crate::ruleset::Seen;
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol};

/// What is kept so far: in memory while it is little, and then in a temporary file without a name.
pub struct Excerpt {
    /// The rules that are known.
    known: Option<Firewall>,
    packets: u64,
    bytes: u64,
    kept: Result<BufWriter<SpooledTempFile>, Incomplete>,
}

/// Why an excerpt is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// No room was left for what a proof needs.
    #[error(
        "the packets that they may treat differently are more than 1 GiB, or a temporary file for them cannot be had"
    )]
    NotKept,
    /// What the packets mean depends on rules that were not known.
    #[error("the table of expectations was full, and may hold others with fewer helpers")]
    TableFull,
    /// Of several audits only the results are there.
    #[error("results of earlier runs hold no packets")]
    NoPackets,
}

/// A packet that was kept. What it was taken out of is not, nor whether it came in fragments.
pub struct Kept<'p> {
    /// The simulation's.
    pub clock: Timestamp,
    /// With as much of its payload as helpers read.
    pub packet: Packet<'p>,
    /// What the packet is needed for.
    pub need: Option<Need>,
    /// What conntrack said, where the flow is not kept. Bits of the flow are left out.
    pub seen: Option<Seen>,
}

/// The packets once more.
pub struct Packets {
    left: u64,
    kept: BufReader<SpooledTempFile>,
    datagram: Vec<u8>,
}

impl Excerpt {
    /// `known`: a firewall with those rules alone that are known.
    pub fn new(known: Option<Firewall>) -> Self {
        Self {
            known,
            packets: 0,
            bytes: 0,
            kept: Ok(BufWriter::new(SpooledTempFile::new(IN_MEMORY))),
        }
    }

    /// Keeps the packet of a frame, where rules may treat it differently.
    #[inline]
    pub fn observe(&mut self, passage: &Passage<'_>, need: Option<Need>) {
        let Arrival::Packet(packet, step) = &passage.arrival else {
            return;
        };
        let verdict = &step.verdict;
        if verdict.attached || verdict.helper.is_some() {
            self.keep(passage.clock, packet, need, extent(packet, verdict), None);
            if step.events.iter().any(finds_no_room) {
                self.kept = Err(Incomplete::TableFull);
            }
        } else if matches!(verdict.state, State::Related | State::Invalid) || self.known.is_some() {
            self.consider(passage.clock, packet, need, verdict);
        }
    }

    /// A packet whose flow is none of those that are kept.
    fn consider(
        &mut self,
        clock: Timestamp,
        packet: &Packet<'_>,
        need: Option<Need>,
        verdict: &Verdict,
    ) {
        let seen = seen(verdict.state, verdict.direction);
        let is_judged = |known: &Firewall| {
            let passed = known.judge_seen(packet, seen);
            passed.dropped || !passed.undecided.is_empty()
        };
        if verdict.stray || verdict.reason == Some(Reason::IcmpUnknownFlow) {
            self.keep(clock, packet, need, packet.captured, None);
        } else if verdict.state == State::Related || self.known.as_ref().is_some_and(is_judged) {
            self.keep(clock, packet, need, packet.captured, Some(seen));
        }
    }

    fn keep(
        &mut self,
        clock: Timestamp,
        packet: &Packet<'_>,
        need: Option<Need>,
        extent: usize,
        seen: Option<Seen>,
    ) {
        let Ok(kept) = &mut self.kept else {
            return;
        };
        self.packets += 1;
        self.bytes += (FIXED + extent) as u64;
        if self.bytes > MOST_KEPT || write(kept, clock, packet, need, extent, seen).is_err() {
            self.kept = Err(Incomplete::NotKept);
        }
    }

    /// From the first on, once.
    ///
    /// # Errors
    ///
    /// Where they are not all that it takes.
    pub fn packets(&mut self) -> Result<Packets, Incomplete> {
        let kept = mem::replace(&mut self.kept, Err(Incomplete::NotKept))?;
        let mut kept = kept.into_inner().map_err(|_| Incomplete::NotKept)?;
        kept.rewind().map_err(|_| Incomplete::NotKept)?;
        Ok(Packets {
            left: self.packets,
            kept: BufReader::new(kept),
            datagram: Vec::new(),
        })
    }
}

impl Packets {
    /// `None` behind the last one.
    ///
    /// # Errors
    ///
    /// Where the temporary file cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "a packet lends the buffer, which an iterator's item cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Kept<'_>>, Incomplete> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let Self { kept, datagram, .. } = self;
        let read = read(kept, datagram);
        read.map(Some).map_err(|_| Incomplete::NotKept)
    }
}

fn finds_no_room(event: &Event) -> bool {
    matches!(event, Event::Declined { reason, .. } if *reason == Refused::NoRoom.reason())
}

/// Bytes of the datagram that somebody reads: of a flow that an expectation let in, and no helper reads, the headers.
fn extent(packet: &Packet<'_>, verdict: &Verdict) -> usize {
    let transport = packet.transport.filter(|_| !verdict.attached);
    let headers = transport.and_then(|(protocol, at)| {
        let header = match protocol {
            Protocol::GRE => GRE_HEADER,
            _ => payload(protocol, packet.transport_bytes())?.1.len(),
        };
        Some(at + header)
    });
    headers.unwrap_or(usize::MAX).min(packet.captured)
}

/// One packet as it is kept: fixed fields, little-endian, and the bytes of the datagram.
fn write(
    out: &mut impl Write,
    clock: Timestamp,
    packet: &Packet<'_>,
    need: Option<Need>,
    extent: usize,
    seen: Option<Seen>,
) -> io::Result<()> {
    let direction = seen.and_then(|seen| seen.direction);
    out.write_all(&packet.number.to_le_bytes())?;
    out.write_all(&clock.nanos().to_le_bytes())?;
    for length in [packet.datagram.len(), extent] {
        out.write_all(&(length as u32).to_le_bytes())?;
    }
    out.write_all(&[
        packet.src.is_ipv6().into(),
        need.map_or(NONE, |need| need as u8),
        seen.map_or(NONE, |seen| seen.state as u8),
        direction.map_or(NONE, |direction| direction as u8),
    ])?;
    out.write_all(&packet.datagram[..extent])
}

/// What was not kept of the datagram is zeros.
fn read<'p>(kept: &mut impl Read, datagram: &'p mut Vec<u8>) -> io::Result<Kept<'p>> {
    let number = u64::from_le_bytes(array(kept)?);
    let clock = Timestamp::from_nanos(i64::from_le_bytes(array(kept)?));
    let mut length = || array(kept).map(|bytes| u32::from_le_bytes(bytes) as usize);
    let [length, extent] = [length()?, length()?];
    let [is_ipv6, need, state, way] = array(kept)?;
    datagram.clear();
    datagram.resize(length, 0);
    kept.read_exact(&mut datagram[..extent])?;
    // As the decoder does, which knows the family of what was put together from fragments.
    let parse = match is_ipv6 {
        0 => ip::Header::parse,
        _ => ip::Header::ipv6,
    };
    let header = parse(datagram).map_err(|_| io::ErrorKind::InvalidData)?;
    let need = [Need::Flow, Need::IcmpError]
        .get(usize::from(need))
        .copied();
    let state = State::ALL.get(usize::from(state));
    let direction = [Direction::Original, Direction::Reply];
    let direction = direction.get(usize::from(way)).copied();
    Ok(Kept {
        clock,
        packet: Packet {
            number,
            src: header.src,
            dst: header.dst,
            hop_limit: header.hop_limit,
            transport: ip::transport(&header, datagram),
            datagram,
            captured: extent,
            fragmented: false,
            tunnel: None,
            key: None,
        },
        need,
        seen: state.map(|&state| seen(state, direction)),
    })
}

fn seen(state: State, direction: Option<Direction>) -> Seen {
    Seen {
        state,
        direction,
        status: Status::default(),
        helper: None,
    }
}

fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// No need, no state, and no direction.
const NONE: u8 = u8::MAX;
/// Bytes of a packet's fixed fields.
const FIXED: usize = 28;
/// All that RFC 2637 and 2890 know.
const GRE_HEADER: usize = 16;
/// Bytes before there is a file.
const IN_MEMORY: usize = 512 << 10;
/// Bytes in all: what a temporary directory in memory may be expected to hold.
const MOST_KEPT: u64 = 1 << 30;
