//! TCP: the state table, the window, and what a firewall in the middle makes of packets that fit neither.
//!
//! Source: net/netfilter/nf_conntrack_proto_tcp.c. The point of view is that of a box between the two ends: a
//! packet seen here may never have arrived, and packets may have taken another way. So a packet that could belong
//! to a connection which the two ends know and we do not is let through without being believed ("ignored").
//! RFC 793 names the states of an end; the same names mean here what both ends together have shown.

mod segment;
mod table;
mod window;

use std::time::Duration;

use super::config::Sysctl;
use super::entry::{Cached, Conntrack, L4, Outcome};
use super::event::Status;
use super::{Context, Info, Reason};
use crate::kernel::Behaviour;
use crate::tuple::Direction;
use segment::{Segment, earlier};
pub use table::{Kind, Next, next_state};
pub use window::{Bound, Held, Side};
use window::{Flags, Window};

/// `enum tcp_conntrack`, without the values that are no states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Before the first packet.
    #[default]
    None,
    /// A SYN was seen.
    SynSent,
    /// A SYN/ACK was seen.
    SynRecv,
    /// The handshake is over, or the connection was picked up open.
    Established,
    /// One end has sent a FIN.
    FinWait,
    /// That FIN was acknowledged.
    CloseWait,
    /// The other end has sent a FIN, too.
    LastAck,
    /// Both were acknowledged.
    TimeWait,
    /// A RST ended it.
    Close,
    /// Both ends have sent a SYN.
    SynSent2,
}

impl State {
    /// The kernel's (`tcp_conntrack_names`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::SynSent => "SYN_SENT",
            Self::SynRecv => "SYN_RECV",
            Self::Established => "ESTABLISHED",
            Self::FinWait => "FIN_WAIT",
            Self::CloseWait => "CLOSE_WAIT",
            Self::LastAck => "LAST_ACK",
            Self::TimeWait => "TIME_WAIT",
            Self::Close => "CLOSE",
            Self::SynSent2 => "SYN_SENT2",
        }
    }

    /// The states in which the tuple may already serve another connection (`tcp_can_early_drop`).
    fn is_closing(self) -> bool {
        matches!(
            self,
            Self::FinWait | Self::CloseWait | Self::LastAck | Self::TimeWait | Self::Close
        )
    }

    fn timeout(self) -> Option<Sysctl> {
        match self {
            Self::SynSent => Some(Sysctl::TcpTimeoutSynSent),
            Self::SynRecv => Some(Sysctl::TcpTimeoutSynRecv),
            Self::Established => Some(Sysctl::TcpTimeoutEstablished),
            Self::FinWait => Some(Sysctl::TcpTimeoutFinWait),
            Self::CloseWait => Some(Sysctl::TcpTimeoutCloseWait),
            Self::LastAck => Some(Sysctl::TcpTimeoutLastAck),
            Self::TimeWait => Some(Sysctl::TcpTimeoutTimeWait),
            Self::Close => Some(Sysctl::TcpTimeoutClose),
            Self::None | Self::SynSent2 => None,
        }
    }
}

/// What is remembered of a connection (`struct ip_ct_tcp`).
#[derive(Clone, Debug, Default)]
pub struct Tcp {
    /// What both ends together have shown.
    pub state: State,
    sides: [Side; 2],
    /// Identical acknowledgements in a row.
    retransmissions: u8,
    /// Of the last packet that counted.
    last_kind: Kind,
    last_direction: Direction,
    last_seq: u32,
    last_ack: u32,
    last_end: u32,
    last_window: u16,
    /// What a SYN that was ignored offers, in case the peer answers it.
    ignored_scale: u8,
    ignored_flags: Flags,
    challenge_ack_expected: bool,
    simultaneous_open: bool,
}

/// The tracker of a TCP packet (`nf_conntrack_tcp_packet`).
pub(super) fn packet(
    ct: &mut Conntrack,
    info: Info,
    transport: &[u8],
    context: &Context<'_>,
) -> Outcome {
    let segment = match Segment::parse(transport) {
        Ok(segment) => segment,
        Err(reason) => return Outcome::Invalid(reason),
    };
    if !ct.status.has(Status::CONFIRMED) {
        match Tcp::open(&segment, context) {
            Ok(tcp) => ct.l4 = L4::Tcp(tcp),
            Err(reason) => return Outcome::Invalid(reason),
        }
    }
    let L4::Tcp(tcp) = &mut ct.l4 else {
        return Outcome::Invalid(Reason::TcpState);
    };
    let direction = info.direction;
    let (step, checked) = match tcp.transition(direction, &segment, ct.status, context) {
        Transition::Checked(step) => (step, true),
        Transition::Unchecked(step) => {
            context.note(Judged::Unchecked);
            (step, false)
        }
        Transition::Ignore => {
            context.note(Judged::Ignored);
            return Outcome::Accept(None);
        }
        Transition::Invalid(reason) => return Outcome::Invalid(reason),
        Transition::Reopen => return Outcome::Reopen,
    };
    if checked {
        match tcp.in_window(direction, &segment, context) {
            Window::Within => {}
            Window::Ignore => return Outcome::Accept(None),
            Window::Invalid(reason) => {
                lower_timeout(ct, direction, &segment, context);
                return Outcome::Invalid(reason);
            }
        }
    }
    settle(ct, direction, &segment, step, context)
}

/// What a segment was judged by, for who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// By the state alone: it may belong to a connection that only the two ends know, and changes nothing.
    Ignored,
    /// By the state alone: a RST that is believed.
    Unchecked,
    /// It tells where its sender's numbers begin.
    Begun,
    Held(Held),
}

/// From which state to which.
#[derive(Clone, Copy)]
struct Step {
    before: State,
    after: State,
}

enum Transition {
    /// Provided that the segment lies in the window.
    Checked(Step),
    /// Without looking at the window.
    Unchecked(Step),
    Ignore,
    Invalid(Reason),
    /// A new connection takes the place of this closed one.
    Reopen,
}

impl Tcp {
    /// The first packet of a conntrack (`tcp_new`).
    fn open(segment: &Segment<'_>, context: &Context<'_>) -> Result<Self, Reason> {
        let window = u32::from(segment.window).max(1);
        let mut first = Side {
            end: segment.end,
            max_end: segment.end,
            max_window: window,
            ..Side::default()
        };
        let mut second = Side::default();
        match next_state(Direction::Original, segment.kind, State::None) {
            Next::State(State::SynSent) => first.read_options(segment.options),
            Next::State(_) if context.sysctls.is_on(Sysctl::TcpLoose) => {
                // Picked up in the middle: what was agreed on in the handshake is unknown.
                first.max_end = segment.end.wrapping_add(window);
                for side in [&mut first, &mut second] {
                    side.flags.set(Flags::SACK_PERMITTED);
                    side.flags.set(Flags::BE_LIBERAL);
                }
            }
            Next::State(_) => return Err(Reason::TcpNotLoose),
            _ => return Err(Reason::TcpNew),
        }
        Ok(Self {
            sides: [first, second],
            ..Self::default()
        })
    }

    fn transition(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        status: Status,
        context: &Context<'_>,
    ) -> Transition {
        let before = self.state;
        let checked = |after| Transition::Checked(Step { before, after });
        let after = match next_state(direction, segment.kind, before) {
            Next::Invalid => return Transition::Invalid(Reason::TcpState),
            Next::Ignore => return self.ignore(direction, segment),
            Next::State(after) => after,
        };
        match after {
            State::SynSent if before >= State::TimeWait => {
                let closed = self.any_side_has(Flags::CLOSE_INIT);
                if closed || self.last_was(Kind::Rst, direction) {
                    Transition::Reopen
                } else {
                    self.ignore(direction, segment)
                }
            }
            // RFC 5961: the answer to a stray SYN acknowledges nothing, least of all the last FIN.
            State::TimeWait
                if before == State::LastAck
                    && segment.kind == Kind::Ack
                    && self.last_was(Kind::Syn, !direction)
                    && self.challenge_ack_expected =>
            {
                self.challenge_ack_expected = false;
                Transition::Ignore
            }
            State::SynSent2 => {
                self.simultaneous_open = true;
                checked(after)
            }
            State::SynRecv
                if direction == Direction::Reply
                    && segment.kind == Kind::Ack
                    && self.simultaneous_open =>
            {
                checked(State::Established)
            }
            State::Close if segment.kind == Kind::Rst => {
                self.reset(direction, segment, status, context)
            }
            _ => checked(after),
        }
    }

    /// A packet that may belong to a connection which we do not know: noted, in case the other end answers it.
    fn ignore(&mut self, direction: Direction, segment: &Segment<'_>) -> Transition {
        if segment.kind == Kind::SynAck
            && self.last_was(Kind::Syn, !direction)
            && segment.ack == self.last_end
        {
            // It answers a SYN that we ignored: both ends agree, so we follow them.
            self.sides[(!direction).index()] = Side {
                end: self.last_end,
                max_end: self.last_end,
                max_window: u32::from(self.last_window).max(1),
                scale: self.ignored_scale,
                flags: self.ignored_flags,
                ..Side::default()
            };
            let answering = &mut self.sides[direction.index()];
            *answering = Side {
                flags: answering.flags.only(Flags::BE_LIBERAL),
                ..Side::default()
            };
            self.challenge_ack_expected = false;
            return Transition::Checked(Step {
                before: State::SynSent,
                after: State::SynRecv,
            });
        }
        self.last_kind = segment.kind;
        self.last_direction = direction;
        self.last_seq = segment.seq;
        self.last_end = segment.end;
        self.last_window = segment.window;
        if segment.kind == Kind::Syn && direction == Direction::Original {
            let mut ignored = Side::default();
            ignored.read_options(segment.options);
            (self.ignored_scale, self.ignored_flags) = (ignored.scale, ignored.flags);
            self.simultaneous_open = false;
            self.challenge_ack_expected = self.state == State::LastAck;
        }
        if self.state == State::SynSent
            && segment.kind == Kind::Ack
            && direction == Direction::Reply
        {
            self.last_ack = segment.ack;
        }
        Transition::Ignore
    }

    /// A RST must be credible before it closes anything: anybody can guess at one.
    fn reset(
        &self,
        direction: Direction,
        segment: &Segment<'_>,
        status: Status,
        context: &Context<'_>,
    ) -> Transition {
        let before = self.state;
        let close = Step {
            before,
            after: State::Close,
        };
        let mut step = close;
        if before.is_closing() {
            return Transition::Unchecked(close);
        }
        if let Some(max_ack) = self.sides[(!direction).index()].max_ack()
            && self.last_kind != Kind::Syn
        {
            let established = before == State::Established && status.has(Status::ASSURED);
            if segment.seq == 0 && !established {
                // Most likely the answer to a SYN that was ignored.
                return Transition::Checked(close);
            }
            if earlier(segment.seq, max_ack) && !context.sysctls.is_on(Sysctl::TcpIgnoreInvalidRst)
            {
                return Transition::Invalid(Reason::TcpRst);
            }
            let follows_own_data =
                self.last_was(Kind::Ack, direction) && segment.seq == self.last_end;
            if !established || segment.seq == max_ack || follows_own_data {
                return Transition::Checked(close);
            }
            // Not the exact number: the peer may answer it with a challenge ACK, so the connection stands.
            step.after = before;
        }
        let answers_syn = status.has(Status::SEEN_REPLY) && self.last_was(Kind::Syn, !direction);
        let answers_ack = !status.has(Status::ASSURED) && self.last_kind == Kind::Ack;
        let answers_challenge_ack = before == State::SynSent
            && self.last_was(Kind::Ack, Direction::Reply)
            && segment.seq == self.last_ack;
        if (answers_syn || answers_ack) && segment.ack == self.last_end || answers_challenge_ack {
            Transition::Unchecked(step)
        } else {
            Transition::Checked(step)
        }
    }

    /// What the end has shown that sends in this direction.
    pub fn side(&self, direction: Direction) -> &Side {
        &self.sides[direction.index()]
    }

    /// Identical acknowledgements in a row.
    pub fn retransmissions(&self) -> u8 {
        self.retransmissions
    }

    fn any_side_has(&self, flag: Flags) -> bool {
        self.sides.iter().any(|side| side.flags.has(flag))
    }

    fn last_was(&self, kind: Kind, direction: Direction) -> bool {
        self.last_kind == kind && self.last_direction == direction
    }

    /// How long the entry may stay after a packet that left it in this state.
    fn timeout(&self, state: State, rst: bool, context: &Context<'_>) -> Duration {
        let sysctls = context.sysctls;
        let of_state = state
            .timeout()
            .map_or(SYN_SENT2_TIMEOUT, |sysctl| sysctls.timeout(sysctl));
        let capped = |sysctl| of_state.min(sysctls.timeout(sysctl));
        let unacknowledged = self.any_side_has(Flags::DATA_UNACKNOWLEDGED);
        let (retransmissions, most) = (
            u64::from(self.retransmissions),
            sysctls.get(Sysctl::TcpMaxRetrans),
        );
        // In this order; where a cap would not shorten the time-out, the next one is asked.
        if retransmissions >= most && of_state > sysctls.timeout(Sysctl::TcpTimeoutMaxRetrans) {
            return sysctls.timeout(Sysctl::TcpTimeoutMaxRetrans);
        }
        if rst && context.kernel.does(Behaviour::RstSetsClose) {
            return sysctls.timeout(Sysctl::TcpTimeoutClose);
        }
        if rst && state == State::Established || unacknowledged {
            let shorter = capped(Sysctl::TcpTimeoutUnacknowledged);
            if shorter < of_state {
                return shorter;
            }
        }
        if self.last_window == 0 {
            capped(Sysctl::TcpTimeoutMaxRetrans)
        } else {
            of_state
        }
    }
}

/// A packet that counts: state, time-out and ASSURED follow it.
fn settle(
    ct: &mut Conntrack,
    direction: Direction,
    segment: &Segment<'_>,
    step: Step,
    context: &Context<'_>,
) -> Outcome {
    let L4::Tcp(tcp) = &mut ct.l4 else {
        return Outcome::Invalid(Reason::TcpState);
    };
    let Step { before, after } = step;
    tcp.last_kind = segment.kind;
    tcp.last_direction = direction;
    tcp.state = after;
    if before != after {
        ct.cached.set(Cached::PROTOINFO);
        if after == State::FinWait {
            tcp.sides[direction.index()].flags.set(Flags::CLOSE_INIT);
        }
    }
    let mut timeout = tcp.timeout(after, segment.rst, context);
    if !ct.status.has(Status::SEEN_REPLY) {
        if segment.rst {
            return Outcome::Kill;
        }
        if segment.kind == Kind::Syn && before == State::SynSent {
            // A repeated SYN keeps nothing alive, else port reuse would.
            return Outcome::Accept(None);
        }
        if after == State::Established {
            timeout = timeout.min(context.sysctls.timeout(Sysctl::TcpTimeoutUnacknowledged));
        }
    } else if matches!(before, State::SynRecv | State::Established)
        && after == State::Established
        && ct.status.set(Status::ASSURED)
    {
        ct.cached.set(Cached::ASSURED);
    }
    Outcome::Accept(Some(timeout))
}

/// FIN and RST outside the window from both ends: they know an end that we missed, so the entry goes sooner
/// (`nf_tcp_handle_invalid`).
fn lower_timeout(
    ct: &mut Conntrack,
    direction: Direction,
    segment: &Segment<'_>,
    context: &Context<'_>,
) {
    let L4::Tcp(tcp) = &mut ct.l4 else { return };
    if !ct.status.has(Status::ASSURED) || !matches!(segment.kind, Kind::Fin | Kind::Rst) {
        return;
    }
    if tcp.last_direction != direction && matches!(tcp.last_kind, Kind::Fin | Kind::Rst) {
        let timeout = context.sysctls.timeout(Sysctl::TcpTimeoutUnacknowledged);
        let left = ct.expires.since(context.now);
        if left >= Duration::from_secs(120) && left > timeout {
            ct.expires = context.now + timeout;
        }
    } else {
        tcp.last_kind = segment.kind;
        tcp.last_direction = direction;
    }
}

/// The one time-out without a sysctl.
const SYN_SENT2_TIMEOUT: Duration = Duration::from_secs(120);
