//! SCTP: associations followed by their chunks and verification tags.
//!
//! Source: net/netfilter/nf_conntrack_proto_sctp.c, RFC 9260 (8.5 for the tags). Checksums are not looked at.

use super::config::Sysctl;
use super::entry::{Cached, Conntrack, L4, Outcome};
use super::event::Status;
use super::{Context, Info, Reason};
use crate::tuple::Direction;

/// `enum sctp_conntrack`. HEARTBEAT_SENT is a path of a multi-homed association that opened elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    #[default]
    None,
    Closed,
    CookieWait,
    CookieEchoed,
    Established,
    ShutdownSent,
    ShutdownRecd,
    ShutdownAckSent,
    HeartbeatSent,
}

/// What is remembered of an association (`struct ip_ct_sctp`).
#[derive(Clone, Debug, Default)]
pub struct Sctp {
    pub state: State,
    /// The tag that packets of each direction carry; 0 while unknown.
    tags: [u32; 2],
    /// An INIT came from this side and its association is not up yet.
    init: [bool; 2],
    /// The direction of a heartbeat with a foreign tag.
    heartbeat_failed: Option<Direction>,
}

/// `nf_conntrack_sctp_packet`
pub(super) fn packet(
    ct: &mut Conntrack,
    info: Info,
    transport: &[u8],
    context: &Context<'_>,
) -> Outcome {
    let Some(&[_, _, _, _, a, b, c, d, ..]) = transport.first_chunk::<HEADER>() else {
        return Outcome::Invalid(Reason::SctpHeader);
    };
    let tag = u32::from_be_bytes([a, b, c, d]);
    let chunks = Chunks(&transport[HEADER..]);
    let seen = match Seen::check(chunks.clone()) {
        Some(seen) => seen,
        None => return Outcome::Invalid(Reason::SctpChunks),
    };
    let confirmed = ct.status.has(Status::CONFIRMED);
    if !confirmed {
        // RFC 9260, 8.4: these open nothing.
        if seen.any(&[ABORT, SHUTDOWN_COMPLETE, COOKIE_ACK]) {
            return Outcome::Invalid(Reason::SctpNew);
        }
        match Sctp::open(tag, chunks.clone()) {
            Some(sctp) => ct.l4 = L4::Sctp(sctp),
            None => return Outcome::Invalid(Reason::SctpNew),
        }
    }
    let L4::Sctp(sctp) = &mut ct.l4 else {
        return Outcome::Invalid(Reason::SctpState);
    };
    let own_rules = [
        INIT,
        SHUTDOWN_COMPLETE,
        COOKIE_ECHO,
        ABORT,
        SHUTDOWN_ACK,
        HEARTBEAT,
        HEARTBEAT_ACK,
    ];
    if !seen.any(&own_rules) && tag != sctp.tags[info.direction.index()] {
        return Outcome::Invalid(Reason::SctpTag);
    }
    let mut after = State::None;
    let mut ignore = false;
    for chunk in chunks {
        let before = sctp.state;
        match sctp.tag_rule(info.direction, tag, &chunk, seen.any(&[DATA]) || ignore) {
            Tag::Fits => {}
            Tag::Ignore => {
                ignore = true;
                continue;
            }
            Tag::Wrong => return Outcome::Invalid(Reason::SctpTag),
        }
        after = match next_state(info.direction, chunk.kind, before) {
            Some(after) => after,
            None => return Outcome::Invalid(Reason::SctpState),
        };
        if !sctp.note_tag(info.direction, &chunk, before) {
            return Outcome::Invalid(Reason::SctpTag);
        }
        // A repeated INIT keeps nothing alive, else port reuse would.
        ignore |=
            chunk.kind == INIT && before == State::Closed && after == State::Closed && confirmed;
        sctp.state = after;
        if before != after {
            ct.cached.set(Cached::PROTOINFO);
            if after == State::Established && ct.status.set(Status::ASSURED) {
                ct.cached.set(Cached::ASSURED);
            }
        }
    }
    if ignore {
        return Outcome::Accept(None);
    }
    Outcome::Accept(Some(
        after
            .timeout()
            .map_or_else(Default::default, |sysctl| context.sysctls.timeout(sysctl)),
    ))
}

enum Tag {
    Fits,
    Ignore,
    Wrong,
}

impl Sctp {
    /// The first packet of a conntrack (`sctp_new`).
    fn open(tag: u32, chunks: Chunks<'_>) -> Option<Self> {
        let mut sctp = Self::default();
        for chunk in chunks {
            let after = next_state(Direction::Original, chunk.kind, State::None)?;
            if after == State::None {
                return None;
            }
            match chunk.kind {
                INIT if tag != 0 => return None,
                INIT => sctp.tags[Direction::Reply.index()] = chunk.initiate_tag?,
                HEARTBEAT => sctp.tags[Direction::Original.index()] = tag,
                // Out of the blue; its answer carries the same tag.
                SHUTDOWN_ACK => sctp.tags[Direction::Reply.index()] = tag,
                _ => {}
            }
        }
        Some(sctp)
    }

    /// RFC 9260, 8.5 and 8.5.1, for one chunk. `strict`: a heartbeat with a wrong tag may not be overlooked.
    fn tag_rule(&mut self, direction: Direction, tag: u32, chunk: &Chunk, strict: bool) -> Tag {
        let (own, peer) = (
            self.tags[direction.index()],
            self.tags[(!direction).index()],
        );
        let fits = match chunk.kind {
            INIT => tag == 0,
            ABORT | SHUTDOWN_COMPLETE if chunk.flags & FLAG_T == 0 => tag == own,
            ABORT | SHUTDOWN_COMPLETE => tag == peer,
            COOKIE_ECHO => tag == own,
            COOKIE_ACK => {
                self.init = [false; 2];
                true
            }
            HEARTBEAT | HEARTBEAT_ACK => return self.heartbeat(direction, tag, chunk.kind, strict),
            _ => true,
        };
        if fits { Tag::Fits } else { Tag::Wrong }
    }

    /// A path whose tags are unknown learns them from heartbeats; a wrong one is overlooked once, and if the other
    /// end acknowledges it, it was right.
    fn heartbeat(&mut self, direction: Direction, tag: u32, kind: u8, strict: bool) -> Tag {
        let own = &mut self.tags[direction.index()];
        if *own == 0 {
            *own = tag;
        } else if *own == tag {
            self.heartbeat_failed = None;
        } else if strict {
            return Tag::Wrong;
        } else if kind == HEARTBEAT {
            self.heartbeat_failed = Some(direction);
            return Tag::Ignore;
        } else if self.heartbeat_failed == Some(!direction) {
            self.heartbeat_failed = None;
            *own = tag;
            self.tags[(!direction).index()] = 0;
        } else {
            return Tag::Wrong;
        }
        Tag::Fits
    }

    /// INIT and INIT ACK name the tag that the other side shall use; `false` where they contradict.
    fn note_tag(&mut self, direction: Direction, chunk: &Chunk, before: State) -> bool {
        if !matches!(chunk.kind, INIT | INIT_ACK) {
            return true;
        }
        let Some(tag) = chunk.initiate_tag else {
            return false;
        };
        let (own, peer) = (direction.index(), (!direction).index());
        let known = self.tags[peer];
        if chunk.kind == INIT {
            // One that repeats a known tag is late or sent again, and restarts nothing.
            if before == State::None || known != tag {
                if self.init == [true; 2] {
                    self.init[peer] = false;
                }
                self.init[own] = true;
            }
        } else {
            let stray = !self.init[peer] && known != 0 && known != tag;
            let collides = self.init == [true; 2] && known != tag;
            if stray || collides {
                return false;
            }
        }
        self.tags[peer] = tag;
        true
    }
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Closed => "CLOSED",
            Self::CookieWait => "COOKIE_WAIT",
            Self::CookieEchoed => "COOKIE_ECHOED",
            Self::Established => "ESTABLISHED",
            Self::ShutdownSent => "SHUTDOWN_SENT",
            Self::ShutdownRecd => "SHUTDOWN_RECD",
            Self::ShutdownAckSent => "SHUTDOWN_ACK_SENT",
            Self::HeartbeatSent => "HEARTBEAT_SENT",
        }
    }

    fn timeout(self) -> Option<Sysctl> {
        match self {
            Self::None => None,
            Self::Closed => Some(Sysctl::SctpTimeoutClosed),
            Self::CookieWait => Some(Sysctl::SctpTimeoutCookieWait),
            Self::CookieEchoed => Some(Sysctl::SctpTimeoutCookieEchoed),
            Self::Established => Some(Sysctl::SctpTimeoutEstablished),
            Self::ShutdownSent => Some(Sysctl::SctpTimeoutShutdownSent),
            Self::ShutdownRecd => Some(Sysctl::SctpTimeoutShutdownRecd),
            Self::ShutdownAckSent => Some(Sysctl::SctpTimeoutShutdownAckSent),
            Self::HeartbeatSent => Some(Sysctl::SctpTimeoutHeartbeatSent),
        }
    }
}

struct Chunk {
    kind: u8,
    flags: u8,
    length: u16,
    /// The first word of an INIT or INIT ACK, if the chunk header and its fixed part are there.
    initiate_tag: Option<u32>,
}

/// Chunks as their length fields lay them out; a length of 0 ends in the check before anything else.
#[derive(Clone)]
struct Chunks<'a>(&'a [u8]);

impl Iterator for Chunks<'_> {
    type Item = Chunk;

    fn next(&mut self) -> Option<Chunk> {
        let &[kind, flags, high, low] = self.0.first_chunk()?;
        let length = u16::from_be_bytes([high, low]);
        let initiate_tag = match self.0.get(..CHUNK_HEADER + INIT_FIXED) {
            Some(fixed) => fixed[CHUNK_HEADER..]
                .first_chunk()
                .map(|tag| u32::from_be_bytes(*tag)),
            None => None,
        };
        let padded = usize::from(length).next_multiple_of(4).max(1);
        self.0 = self.0.get(padded..).unwrap_or_default();
        Some(Chunk {
            kind,
            flags,
            length,
            initiate_tag,
        })
    }
}

/// Which chunk types a packet holds.
struct Seen([u64; 4]);

impl Seen {
    /// RFC 9260, 6.10: some chunks travel alone, some come first (`do_basic_checks`).
    fn check(chunks: Chunks<'_>) -> Option<Self> {
        let mut seen = Self([0; 4]);
        let mut alone = false;
        let mut count = 0;
        for chunk in chunks {
            alone |= matches!(chunk.kind, INIT | INIT_ACK | SHUTDOWN_COMPLETE);
            let first = alone || matches!(chunk.kind, COOKIE_ECHO | COOKIE_ACK);
            if first && count != 0 || chunk.length == 0 {
                return None;
            }
            seen.0[usize::from(chunk.kind >> 6)] |= 1 << (chunk.kind & 63);
            count += 1;
        }
        (count > 0).then_some(seen)
    }

    fn any(&self, kinds: &[u8]) -> bool {
        kinds
            .iter()
            .any(|kind| self.0[usize::from(kind >> 6)] >> (kind & 63) & 1 != 0)
    }
}

/// The state after a chunk; chunks that carry data change nothing.
fn next_state(direction: Direction, kind: u8, state: State) -> Option<State> {
    let Some(row) = ROWS.iter().position(|&row| row == kind) else {
        return Some(state);
    };
    TABLE[direction.index()][row][state as usize]
}

const HEADER: usize = 12;
const CHUNK_HEADER: usize = 4;
/// Fixed part of INIT and INIT ACK behind the chunk header.
const INIT_FIXED: usize = 16;
/// The sender had no association and reflects the tag.
const FLAG_T: u8 = 1;

const DATA: u8 = 0;
const INIT: u8 = 1;
const INIT_ACK: u8 = 2;
const HEARTBEAT: u8 = 4;
const HEARTBEAT_ACK: u8 = 5;
const ABORT: u8 = 6;
const SHUTDOWN: u8 = 7;
const SHUTDOWN_ACK: u8 = 8;
const ERROR: u8 = 9;
const COOKIE_ECHO: u8 = 10;
const COOKIE_ACK: u8 = 11;
const SHUTDOWN_COMPLETE: u8 = 14;

const ROWS: [u8; 11] = [
    INIT,
    INIT_ACK,
    ABORT,
    SHUTDOWN,
    SHUTDOWN_ACK,
    ERROR,
    COOKIE_ECHO,
    COOKIE_ACK,
    SHUTDOWN_COMPLETE,
    HEARTBEAT,
    HEARTBEAT_ACK,
];

/// Direction, row, state.
#[rustfmt::skip]
const TABLE: [[[Option<State>; 9]; 11]; 2] = {
    const IV: Option<State> = None;
    const CL: Option<State> = Some(State::Closed);
    const CW: Option<State> = Some(State::CookieWait);
    const CE: Option<State> = Some(State::CookieEchoed);
    const ES: Option<State> = Some(State::Established);
    const SS: Option<State> = Some(State::ShutdownSent);
    const SR: Option<State> = Some(State::ShutdownRecd);
    const SA: Option<State> = Some(State::ShutdownAckSent);
    const HS: Option<State> = Some(State::HeartbeatSent);
    [
        [
            // NONE CL  CW  CE  ES  SS  SR  SA  HS
            [   CL, CL, CW, CE, ES, CL, CL, SA, CW], // INIT
            [   CL, CL, CW, CE, ES, SS, SR, SA, CL], // INIT ACK
            [   CL, CL, CL, CL, CL, CL, CL, CL, CL], // ABORT
            [   CL, CL, CW, CE, SS, SS, SR, SA, CL], // SHUTDOWN
            [   SA, CL, CW, CE, ES, SA, SA, SA, SA], // SHUTDOWN ACK
            [   CL, CL, CW, CE, ES, SS, SR, SA, CL], // ERROR: the caller's cookie cannot be stale
            [   CL, CL, CE, CE, ES, SS, SR, SA, CL], // COOKIE ECHO
            [   CL, CL, CW, ES, ES, SS, SR, SA, CL], // COOKIE ACK
            [   CL, CL, CW, CE, ES, SS, SR, CL, CL], // SHUTDOWN COMPLETE
            [   HS, CL, CW, CE, ES, SS, SR, SA, HS], // HEARTBEAT: a path of an association that opened elsewhere
            [   CL, CL, CW, CE, ES, SS, SR, SA, HS], // HEARTBEAT ACK
        ],
        [
            // NONE CL  CW  CE  ES  SS  SR  SA  HS
            [   IV, CL, CW, CE, ES, SS, SR, SA, IV], // INIT
            [   IV, CW, CW, CE, ES, SS, SR, SA, IV], // INIT ACK
            [   IV, CL, CL, CL, CL, CL, CL, CL, IV], // ABORT
            [   IV, CL, CW, CE, SR, SS, SR, SA, IV], // SHUTDOWN
            [   IV, CL, CW, CE, ES, SA, SA, SA, IV], // SHUTDOWN ACK
            [   IV, CL, CW, CL, ES, SS, SR, SA, IV], // ERROR: a stale cookie ends the attempt
            [   IV, CL, CE, CE, ES, SS, SR, SA, IV], // COOKIE ECHO
            [   IV, CL, CW, ES, ES, SS, SR, SA, IV], // COOKIE ACK
            [   IV, CL, CW, CE, ES, SS, SR, CL, IV], // SHUTDOWN COMPLETE
            [   IV, CL, CW, CE, ES, SS, SR, SA, HS], // HEARTBEAT
            [   IV, CL, CW, CE, ES, SS, SR, SA, ES], // HEARTBEAT ACK
        ],
    ]
};
