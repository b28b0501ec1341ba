//! Of a replay, the packets that rules may treat differently: a proof of rules that the replay led to takes them instead of
//! the whole capture once more.
//!
//! Rules that are proposed attach helpers to new flows, and judge RELATED packets. All other packets pass with them as
//! they did without; and what a packet is, only flows with helpers have a say in, those that expectations let in, and
//! the packet's own. So kept are, in their order,
//!
//! - packets of flows that a helper reads or that an expectation let in, be they INVALID to these;
//! - ICMP errors. One about another flow comes without it, and with what conntrack said of the error; one about no flow
//!   may be about one that a helper kept from being, or ended, and that is where no helper is attached;
//! - what rules that are known before the replay drop or cannot decide: those against forged source addresses.
//!
//! Helpers read what is said on their flows; of the others that are kept, conntrack reads the headers, so no more is kept
//! of them.
//!
//! Limits: what others do to these flows is not repeated: they fill a table, and bury what is expected no longer. And
//! where fewer helpers are attached, an expectation may stand that another had no room beside in the replay; who comes
//! for it was a stranger there, and is not kept. `ctaudit prove` replays all.

use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use tempfile::SpooledTempFile;

use crate::conntrack::config::Config;
use crate::conntrack::event::Status;
use crate::conntrack::{Reason, State, Verdict, payload};
use crate::firewall::Firewall;
use crate::packet::{Packet, ip};
use crate::replay::{Arrival, Passage};
use crate::ruleset::Seen;
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol};

/// What is kept so far: in memory while it is little, and then in a temporary file without a name.
pub struct Excerpt {
    /// The rules that are known.
    known: Option<Firewall>,
    /// Where helpers read.
    assigned: Vec<(Protocol, u16)>,
    packets: u64,
    bytes: u64,
    /// `None` where it became too much, or found no room.
    kept: Option<BufWriter<SpooledTempFile>>,
}

/// A packet that was kept. What it was taken out of is not, nor whether it came in fragments.
pub struct Kept<'p> {
    /// The simulation's.
    pub clock: Timestamp,
    pub packet: Packet<'p>,
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
    /// Of a replay through a firewall that is set up like this. `known`: one with the rules that are known.
    pub fn new(config: &Config, known: Option<Firewall>) -> Self {
        let assigned = config.assignments.iter();
        Self {
            known,
            assigned: assigned.map(|of| (of.protocol, of.port)).collect(),
            packets: 0,
            bytes: 0,
            kept: Some(BufWriter::new(SpooledTempFile::new(IN_MEMORY))),
        }
    }

    #[inline]
    pub fn observe(&mut self, passage: &Passage<'_>) {
        let Arrival::Packet(packet, step) = &passage.arrival else {
            return;
        };
        let verdict = &step.verdict;
        if verdict.attached || verdict.helper.is_some() {
            self.keep(passage.clock, packet, self.extent(packet, verdict), None);
        } else if matches!(verdict.state, State::Related | State::Invalid) || self.known.is_some() {
            self.consider(passage.clock, packet, verdict);
        }
    }

    /// A packet whose flow is none of those that are kept.
    fn consider(&mut self, clock: Timestamp, packet: &Packet<'_>, verdict: &Verdict) {
        let seen = seen(verdict.state, verdict.direction);
        let is_judged = |known: &Firewall| {
            let passed = known.judge_seen(packet, seen);
            passed.dropped || !passed.undecided.is_empty()
        };
        if verdict.stray || verdict.reason == Some(Reason::IcmpUnknownFlow) {
            self.keep(clock, packet, packet.captured, None);
        } else if verdict.state == State::Related || self.known.as_ref().is_some_and(is_judged) {
            self.keep(clock, packet, packet.captured, Some(seen));
        }
    }

    /// Bytes of the datagram that somebody may read: of a flow that an expectation let in, where it does not go to a port
    /// at which it would get a helper if it were NEW, the headers.
    fn extent(&self, packet: &Packet<'_>, verdict: &Verdict) -> usize {
        let all = packet.captured;
        let Some((protocol, at)) = packet.transport.filter(|_| !verdict.attached) else {
            return all;
        };
        let transport = packet.transport_bytes();
        let ports = transport
            .first_chunk()
            .map(|&[a, b, c, d]| [[a, b], [c, d]].map(|port| (protocol, u16::from_be_bytes(port))));
        if ports.is_some_and(|ports| ports.iter().any(|port| self.assigned.contains(port))) {
            return all;
        }
        let header = match protocol {
            Protocol::GRE => Some(GRE_HEADER),
            _ => payload(protocol, transport).map(|(_, header, _)| header.len()),
        };
        header.map_or(all, |header| all.min(at + header))
    }

    fn keep(&mut self, clock: Timestamp, packet: &Packet<'_>, extent: usize, seen: Option<Seen>) {
        let Some(kept) = &mut self.kept else {
            return;
        };
        self.packets += 1;
        self.bytes += (FIXED + extent) as u64;
        if self.bytes > MOST_KEPT || write(kept, clock, packet, extent, seen).is_err() {
            self.kept = None;
        }
    }

    /// From the first on.
    ///
    /// # Errors
    ///
    /// Where they could not all be kept.
    pub fn packets(self) -> io::Result<Packets> {
        let kept = self.kept.ok_or(io::ErrorKind::StorageFull)?;
        let mut kept = kept.into_inner()?;
        kept.rewind()?;
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
    pub fn next(&mut self) -> io::Result<Option<Kept<'_>>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let Self { kept, datagram, .. } = self;
        read(kept, datagram).map(Some)
    }
}

/// One packet as it is kept: fixed fields, little-endian, and the bytes of the datagram.
fn write(
    out: &mut impl Write,
    clock: Timestamp,
    packet: &Packet<'_>,
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
    let [is_ipv6, state, way] = array(kept)?;
    datagram.clear();
    datagram.resize(length, 0);
    kept.read_exact(&mut datagram[..extent])?;
    // As the decoder does, which knows the family of what was put together from fragments.
    let parse = match is_ipv6 {
        0 => ip::Header::parse,
        _ => ip::Header::ipv6,
    };
    let header = parse(datagram).map_err(|_| io::ErrorKind::InvalidData)?;
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
        },
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

/// No state, and no direction.
const NONE: u8 = u8::MAX;
/// Bytes of a packet's fixed fields.
const FIXED: usize = 27;
/// All that RFC 2637 and 2890 know.
const GRE_HEADER: usize = 16;
/// Bytes before there is a file.
const IN_MEMORY: usize = 512 << 10;
/// Bytes in all: what a temporary directory in memory may be expected to hold.
const MOST_KEPT: u64 = 1 << 30;
