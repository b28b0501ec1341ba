//! DCCP, where the kernel still tracks it (up to 6.12 of the series here).
//!
//! Source: net/netfilter/nf_conntrack_proto_dccp.c, RFC 4340. Checksums are not looked at.

use super::config::Sysctl;
use super::entry::{Cached, Conntrack, L4, Outcome};
use super::event::Status;
use super::{Context, Info, Reason};
use crate::kernel::Behaviour;

/// `enum ct_dccp_states`, without the values that are no states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    #[default]
    None,
    Request,
    Respond,
    Partopen,
    Open,
    Closereq,
    Closing,
    Timewait,
}

/// Who called and who answered; a connection may reopen the other way round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Role {
    #[default]
    Client,
    Server,
}

#[derive(Clone, Debug)]
pub struct Dccp {
    pub state: State,
    /// By direction.
    roles: [Role; 2],
    last_kind: u8,
    last_direction: usize,
    handshake_seq: u64,
}

enum Next {
    State(State),
    Ignore,
    Invalid,
}

/// `nf_conntrack_dccp_packet`
pub(super) fn packet(
    ct: &mut Conntrack,
    info: Info,
    transport: &[u8],
    context: &Context<'_>,
) -> Outcome {
    let header = match Header::parse(transport) {
        Ok(header) => header,
        Err(reason @ Reason::DccpCut) if context.kernel.does(Behaviour::DropsCutDccp) => {
            return Outcome::Drop(reason);
        }
        Err(reason) => return Outcome::Invalid(reason),
    };
    if !ct.status.has(Status::CONFIRMED) {
        match next_state(Role::Client, header.kind, State::None) {
            Next::State(State::Request) => {}
            Next::Invalid => return Outcome::Invalid(Reason::DccpNew),
            _ if !context.sysctls.is_on(Sysctl::DccpLoose) => {
                return Outcome::Invalid(Reason::DccpNew);
            }
            _ => {}
        }
        ct.l4 = L4::Dccp(Dccp {
            state: State::None,
            roles: [Role::Client, Role::Server],
            last_kind: REQUEST,
            last_direction: 0,
            handshake_seq: 0,
        });
    }
    if header.kind == RESET && !ct.status.has(Status::SEEN_REPLY) {
        return Outcome::Kill;
    }
    let L4::Dccp(dccp) = &mut ct.l4 else {
        return Outcome::Invalid(Reason::DccpState);
    };
    let (own, peer) = (info.direction.index(), (!info.direction).index());
    let before = dccp.state;
    let role = dccp.roles[own];
    let after = match next_state(role, header.kind, before) {
        Next::Invalid => return Outcome::Invalid(Reason::DccpState),
        Next::Ignore => {
            let answers =
                dccp.last_direction == peer && dccp.last_kind == REQUEST && header.kind == RESPONSE;
            if !answers {
                dccp.last_direction = own;
                dccp.last_kind = header.kind;
                return Outcome::Accept(None);
            }
            // It answers a Request that we ignored: both ends agree, so we follow them.
            dccp.roles[peer] = Role::Client;
            dccp.roles[own] = Role::Server;
            dccp.handshake_seq = header.seq;
            State::Respond
        }
        Next::State(after) => after,
    };
    match after {
        State::Request if before == State::Timewait && role == Role::Server => {
            dccp.roles[own] = Role::Client;
            dccp.roles[peer] = Role::Server;
        }
        State::Respond if before == State::Request => dccp.handshake_seq = header.seq,
        State::Partopen
            if before == State::Respond
                && header.kind == ACK
                && header.ack == Some(dccp.handshake_seq) =>
        {
            // ctnetlink is not told of this one by itself.
            ct.status.set(Status::ASSURED);
        }
        _ => {}
    }
    dccp.last_direction = own;
    dccp.last_kind = header.kind;
    dccp.state = after;
    if before != after {
        ct.cached.set(Cached::PROTOINFO);
    }
    Outcome::Accept(Some(
        after
            .timeout()
            .map_or_else(Default::default, |sysctl| context.sysctls.timeout(sysctl)),
    ))
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Request => "REQUEST",
            Self::Respond => "RESPOND",
            Self::Partopen => "PARTOPEN",
            Self::Open => "OPEN",
            Self::Closereq => "CLOSEREQ",
            Self::Closing => "CLOSING",
            Self::Timewait => "TIMEWAIT",
        }
    }

    fn timeout(self) -> Option<Sysctl> {
        match self {
            Self::None => None,
            Self::Request => Some(Sysctl::DccpTimeoutRequest),
            Self::Respond => Some(Sysctl::DccpTimeoutRespond),
            Self::Partopen => Some(Sysctl::DccpTimeoutPartopen),
            Self::Open => Some(Sysctl::DccpTimeoutOpen),
            Self::Closereq => Some(Sysctl::DccpTimeoutClosereq),
            Self::Closing => Some(Sysctl::DccpTimeoutClosing),
            Self::Timewait => Some(Sysctl::DccpTimeoutTimewait),
        }
    }
}

/// RFC 4340, 5.1 and 5.3
struct Header {
    kind: u8,
    seq: u64,
    ack: Option<u64>,
}

impl Header {
    fn parse(transport: &[u8]) -> Result<Self, Reason> {
        let bad = Reason::DccpHeader;
        let &[
            _,
            _,
            _,
            _,
            data_offset,
            coverage,
            _,
            _,
            type_and_x,
            _,
            high,
            low,
        ] = transport.first_chunk::<GENERIC>().ok_or(Reason::DccpCut)?;
        let (kind, extended) = (type_and_x >> 1 & 0x0f, type_and_x & 1 != 0);
        let offset = usize::from(data_offset) * 4;
        if offset < GENERIC || offset > transport.len() {
            return Err(bad);
        }
        let covered = usize::from(coverage & 0x0f);
        if covered > 0 && (covered - 1) * 4 > transport.len() {
            return Err(bad);
        }
        let needs_48_bits = matches!(
            kind,
            REQUEST | RESPONSE | CLOSEREQ | CLOSE | RESET | SYNC | SYNCACK
        );
        if kind > SYNCACK || needs_48_bits && !extended {
            return Err(bad);
        }
        let basic = if extended { GENERIC + 4 } else { GENERIC };
        let behind = match kind {
            REQUEST => 4,
            RESPONSE | RESET => 12,
            DATA => 0,
            _ => 8,
        };
        let whole = transport.get(..basic + behind).ok_or(Reason::DccpCut)?;
        let seq = if extended {
            u64::from(u16::from_be_bytes([high, low])) << 32 | word(&whole[GENERIC..])
        } else {
            u64::from(transport[9]) << 16 | u64::from(u16::from_be_bytes([high, low]))
        };
        let ack = (behind >= 8).then(|| {
            let field = &whole[basic..];
            u64::from(u16::from_be_bytes([field[2], field[3]])) << 32 | word(&field[4..])
        });
        Ok(Self { kind, seq, ack })
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk()
        .map_or(0, |four| u64::from(u32::from_be_bytes(*four)))
}

fn next_state(role: Role, kind: u8, state: State) -> Next {
    use State::{Closereq, Closing, None, Open, Partopen, Request, Respond, Timewait};
    let to = Next::State;
    match (role, kind, state) {
        (Role::Client, REQUEST, None | Request | Timewait) => to(Request),
        (Role::Client, REQUEST, Respond) => to(Respond),
        (Role::Client, REQUEST, _) => Next::Ignore,
        (Role::Client, RESPONSE, None | Timewait) => Next::Invalid,
        (Role::Client, RESPONSE, _) => Next::Ignore,
        (Role::Client, ACK | DATAACK, Respond | Partopen) => to(Partopen),
        (Role::Client, ACK | DATAACK | DATA, Open | Closereq | Closing) => to(state),
        (Role::Client, CLOSE, Partopen | Open | Closereq) => to(Closing),
        (Role::Server, REQUEST, None) => Next::Invalid,
        (Role::Server, REQUEST, Timewait) => to(Request),
        (Role::Server, REQUEST, _) => Next::Ignore,
        (Role::Server, RESPONSE, Request | Respond) => to(Respond),
        (Role::Server, RESPONSE, None | Timewait) => Next::Invalid,
        (Role::Server, RESPONSE, _) => Next::Ignore,
        (Role::Server, ACK | DATA | DATAACK, Partopen | Open) => to(Open),
        (Role::Server, ACK | DATA | DATAACK, Closing) => to(Closing),
        (Role::Server, CLOSEREQ, Partopen | Open | Closereq | Closing) => to(Closereq),
        (Role::Server, CLOSE, Partopen | Open | Closing) => to(Closing),
        (_, RESET | SYNC | SYNCACK, None) => Next::Invalid,
        // The kernel's row for the server names one state too many, so that a late Reset is not ignored there.
        (Role::Client, RESET, Timewait) => Next::Ignore,
        (_, RESET, _) => to(Timewait),
        // They resynchronise the two ends and say nothing to a third.
        (_, SYNC | SYNCACK, _) => Next::Ignore,
        _ => Next::Invalid,
    }
}

const GENERIC: usize = 12;
const REQUEST: u8 = 0;
const RESPONSE: u8 = 1;
const DATA: u8 = 2;
const ACK: u8 = 3;
const DATAACK: u8 = 4;
const CLOSEREQ: u8 = 5;
const CLOSE: u8 = 6;
const RESET: u8 = 7;
const SYNC: u8 = 8;
const SYNCACK: u8 = 9;
