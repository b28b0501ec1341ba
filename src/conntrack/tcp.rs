//! TCP: the state table, the window, and what a firewall in the middle makes of packets that fit neither.
//!
//! Source: net/netfilter/nf_conntrack_proto_tcp.c. The point of view is that of a box between the two ends: a
//! packet seen here may never have arrived, and packets may have taken another way. So a packet that could belong
//! to a connection which the two ends know and we do not is let through without being believed ("ignored").
//! RFC 793 names the states of an end; the same names mean here what both ends together have shown.

use std::time::Duration;

use etherparse::TcpHeaderSlice;

use super::config::Sysctl;
use super::entry::{Cached, Conntrack, L4, Outcome};
use super::event::Status;
use super::{Context, Info, Reason};
use crate::tuple::Direction;

/// `enum tcp_conntrack`, without the values that are no states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    #[default]
    None,
    SynSent,
    SynRecv,
    Established,
    FinWait,
    CloseWait,
    LastAck,
    TimeWait,
    Close,
    SynSent2,
}

impl State {
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
        matches!(self, Self::FinWait | Self::CloseWait | Self::LastAck | Self::TimeWait | Self::Close)
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

/// What a packet does to the state: the row of the table. The order decides when several flags are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Syn,
    SynAck,
    Fin,
    Ack,
    Rst,
    #[default]
    None,
}

/// A cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    State(State),
    /// Let it through and do not believe it.
    Ignore,
    Invalid,
}

/// The state after a packet of this kind.
pub fn next_state(direction: Direction, kind: Kind, state: State) -> Next {
    match kind {
        Kind::None => Next::Invalid,
        _ => TABLE[direction.index()][kind as usize][state as usize],
    }
}

/// What is remembered of a connection (`struct ip_ct_tcp`).
#[derive(Clone, Debug, Default)]
pub struct Tcp {
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
    ignored_syn: Side,
    challenge_ack_expected: bool,
    simultaneous_open: bool,
}

/// What one end has shown (`struct ip_ct_tcp_state`). Sequence numbers wrap.
#[derive(Clone, Copy, Debug, Default)]
struct Side {
    /// Highest sequence number sent, plus one.
    end: u32,
    /// Highest sequence number the other end has allowed it to send.
    max_end: u32,
    /// Largest window it has offered; 0 until it has been seen.
    max_window: u32,
    /// Highest acknowledgement it has sent.
    max_ack: Option<u32>,
    /// Shift of its windows, at most 14 (RFC 7323).
    scale: u8,
    /// It offered to scale windows.
    scales: bool,
    sack_permitted: bool,
    be_liberal: bool,
    /// It sent the first FIN.
    close_init: bool,
    data_unacknowledged: bool,
}

/// What the tracker reads of a segment.
struct Segment<'a> {
    kind: Kind,
    syn: bool,
    rst: bool,
    /// The ACK flag.
    acknowledges: bool,
    seq: u32,
    ack: u32,
    window: u16,
    /// Sequence number behind the segment: payload, SYN and FIN count.
    end: u32,
    options: &'a [u8],
}

/// The tracker of a TCP packet (`nf_conntrack_tcp_packet`).
pub(super) fn packet(ct: &mut Conntrack, info: Info, transport: &[u8], context: &Context<'_>) -> Outcome {
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
    let L4::Tcp(tcp) = &mut ct.l4 else { return Outcome::Invalid(Reason::TcpState) };
    let direction = info.direction;
    let (step, checked) = match tcp.transition(direction, &segment, ct.status, context) {
        Transition::Checked(step) => (step, true),
        Transition::Unchecked(step) => (step, false),
        Transition::Ignore => return Outcome::Accept(None),
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

enum Window {
    Within,
    Ignore,
    Invalid(Reason),
}

impl Tcp {
    /// The first packet of a conntrack (`tcp_new`).
    fn open(segment: &Segment<'_>, context: &Context<'_>) -> Result<Self, Reason> {
        let window = u32::from(segment.window).max(1);
        let mut first = Side { end: segment.end, max_end: segment.end, max_window: window, ..Side::default() };
        let mut second = Side::default();
        match next_state(Direction::Original, segment.kind, State::None) {
            Next::State(State::SynSent) => first.read_options(segment.options),
            Next::State(_) if context.sysctls.is_on(Sysctl::TcpLoose) => {
                // Picked up in the middle: what was agreed on in the handshake is unknown.
                first.max_end = segment.end.wrapping_add(window);
                for side in [&mut first, &mut second] {
                    side.sack_permitted = true;
                    side.be_liberal = true;
                }
            }
            Next::State(_) => return Err(Reason::TcpNotLoose),
            _ => return Err(Reason::TcpNew),
        }
        Ok(Self { sides: [first, second], ..Self::default() })
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
                let closed = self.sides.iter().any(|side| side.close_init);
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
                if direction == Direction::Reply && segment.kind == Kind::Ack && self.simultaneous_open =>
            {
                checked(State::Established)
            }
            State::Close if segment.kind == Kind::Rst => self.reset(direction, segment, status, context),
            _ => checked(after),
        }
    }

    /// A packet that may belong to a connection which we do not know: noted, in case the other end answers it.
    fn ignore(&mut self, direction: Direction, segment: &Segment<'_>) -> Transition {
        if segment.kind == Kind::SynAck && self.last_was(Kind::Syn, !direction) && segment.ack == self.last_end {
            // It answers a SYN that we ignored: both ends agree, so we follow them.
            self.sides[(!direction).index()] = Side {
                end: self.last_end,
                max_end: self.last_end,
                max_window: u32::from(self.last_window).max(1),
                ..self.ignored_syn
            };
            let answering = &mut self.sides[direction.index()];
            *answering = Side { be_liberal: answering.be_liberal, ..Side::default() };
            self.challenge_ack_expected = false;
            return Transition::Checked(Step { before: State::SynSent, after: State::SynRecv });
        }
        self.last_kind = segment.kind;
        self.last_direction = direction;
        self.last_seq = segment.seq;
        self.last_end = segment.end;
        self.last_window = segment.window;
        if segment.kind == Kind::Syn && direction == Direction::Original {
            self.ignored_syn = Side::default();
            self.ignored_syn.read_options(segment.options);
            self.simultaneous_open = false;
            self.challenge_ack_expected = self.state == State::LastAck;
        }
        if self.state == State::SynSent && segment.kind == Kind::Ack && direction == Direction::Reply {
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
        let close = Step { before, after: State::Close };
        let mut step = close;
        if before.is_closing() {
            return Transition::Unchecked(close);
        }
        if let Some(max_ack) = self.sides[(!direction).index()].max_ack
            && self.last_kind != Kind::Syn
        {
            let established = before == State::Established && status.has(Status::ASSURED);
            if segment.seq == 0 && !established {
                // Most likely the answer to a SYN that was ignored.
                return Transition::Checked(close);
            }
            if earlier(segment.seq, max_ack) && !context.sysctls.is_on(Sysctl::TcpIgnoreInvalidRst) {
                return Transition::Invalid(Reason::TcpRst);
            }
            let follows_own_data = self.last_was(Kind::Ack, direction) && segment.seq == self.last_end;
            if !established || segment.seq == max_ack || follows_own_data {
                return Transition::Checked(close);
            }
            // Not the exact number: the peer may answer it with a challenge ACK, so the connection stands.
            step.after = before;
        }
        let answers_syn = status.has(Status::SEEN_REPLY) && self.last_was(Kind::Syn, !direction);
        let answers_ack = !status.has(Status::ASSURED) && self.last_kind == Kind::Ack;
        let answers_challenge_ack =
            before == State::SynSent && self.last_was(Kind::Ack, Direction::Reply) && segment.seq == self.last_ack;
        if (answers_syn || answers_ack) && segment.ack == self.last_end || answers_challenge_ack {
            Transition::Unchecked(step)
        } else {
            Transition::Checked(step)
        }
    }

    fn last_was(&self, kind: Kind, direction: Direction) -> bool {
        self.last_kind == kind && self.last_direction == direction
    }

    /// Whether the segment lies where its sender may send and acknowledges what its receiver has sent
    /// (`tcp_in_window`, which names the four bounds I to IV); if so, what it shows of both is noted.
    fn in_window(&mut self, direction: Direction, segment: &Segment<'_>, context: &Context<'_>) -> Window {
        let state = self.state;
        let [original, reply] = &mut self.sides;
        let (sender, receiver) = match direction {
            Direction::Original => (original, reply),
            Direction::Reply => (reply, original),
        };
        let &Segment { mut seq, mut ack, mut end, .. } = segment;
        let mut sack = if receiver.sack_permitted { highest_sack(segment.options, ack) } else { ack };

        if sender.max_window == 0 {
            if segment.syn {
                sender.start(receiver, direction, segment);
                if !segment.acknowledges {
                    return Window::Within;
                }
            } else {
                sender.pick_up(receiver, segment, sack);
            }
        } else if segment.syn && later(end, sender.end) && matches!(state, State::SynSent | State::SynRecv) {
            // RFC 793: a TCP that starts again uses larger sequence numbers.
            sender.start(receiver, direction, segment);
            if direction == Direction::Reply && !segment.acknowledges {
                return Window::Within;
            }
        }
        if !segment.acknowledges || segment.rst && ack == 0 {
            // Nothing acknowledged, or a stack that sets the flag and leaves the number at zero.
            ack = receiver.end;
            sack = ack;
        }
        if segment.rst && seq == 0 && state == State::SynSent {
            // The answer to a SYN.
            seq = sender.end;
            end = sender.end;
        }

        let liberal = sender.be_liberal || context.sysctls.is_on(Sysctl::TcpBeLiberal);
        let outside = |window| if liberal { Window::Within } else { window };
        let sequence_floor = sender.end.wrapping_sub(receiver.max_window).wrapping_sub(1);
        let ack_floor = receiver.end.wrapping_sub(sender.max_window.max(MAX_ACK_WINDOW)).wrapping_sub(1);
        let ack_is_old = !later(sack, ack_floor);
        let acks_unsent = !earlier(sack, receiver.end.wrapping_add(1));

        if !earlier(seq, sender.max_end.wrapping_add(1)) {
            let overshot = end.wrapping_sub(sender.max_end).wrapping_add(1);
            let near = receiver.max_window != 0 && later(end, sequence_floor) && overshot <= receiver.max_window;
            if !near || ack_is_old || acks_unsent {
                return outside(Window::Invalid(Reason::TcpSequenceAbove));
            }
            // A little more than the window allows. If the peer acknowledges it, we must know of it.
            sender.end = end;
            sender.data_unacknowledged = true;
            return outside(Window::Ignore);
        }
        if acks_unsent {
            return outside(Window::Invalid(Reason::TcpAckAbove));
        }
        if receiver.max_window != 0 && !later(end, sequence_floor) || ack_is_old {
            return outside(Window::Ignore);
        }

        let scale = if segment.syn { 0 } else { sender.scale };
        let window = u32::from(segment.window) << scale;
        sender.max_window = sender.max_window.max(window.wrapping_add(sack.wrapping_sub(ack)));
        if later(end, sender.end) {
            sender.end = end;
            sender.data_unacknowledged = true;
        }
        if segment.acknowledges && sender.max_ack.is_none_or(|known| later(ack, known)) {
            sender.max_ack = Some(ack);
        }
        if receiver.max_window != 0 && later(end, sender.max_end) {
            receiver.max_window = receiver.max_window.wrapping_add(end.wrapping_sub(sender.max_end));
        }
        let allowed = sack.wrapping_add(window);
        if later(allowed, receiver.max_end.wrapping_sub(1)) {
            // A closed window still admits a probe of one byte.
            receiver.max_end = allowed.wrapping_add(u32::from(window == 0));
        }
        if ack == receiver.end {
            receiver.data_unacknowledged = false;
        }
        if segment.kind == Kind::Ack {
            self.count_retransmission(direction, seq, ack, end, segment.window);
        }
        Window::Within
    }

    fn count_retransmission(&mut self, direction: Direction, seq: u32, ack: u32, end: u32, window: u16) {
        let last = (self.last_direction, self.last_seq, self.last_ack, self.last_end, self.last_window);
        if last == (direction, seq, ack, end, window) {
            self.retransmissions = self.retransmissions.wrapping_add(1);
        } else {
            (self.last_direction, self.last_seq, self.last_ack, self.last_end, self.last_window) =
                (direction, seq, ack, end, window);
            self.retransmissions = 0;
        }
    }

    /// How long the entry may stay after a packet that left it in this state.
    fn timeout(&self, state: State, rst: bool, context: &Context<'_>) -> Duration {
        let sysctls = context.sysctls;
        let of_state = state.timeout().map_or(SYN_SENT2_TIMEOUT, |sysctl| sysctls.timeout(sysctl));
        let capped = |sysctl| of_state.min(sysctls.timeout(sysctl));
        let unacknowledged = self.sides.iter().any(|side| side.data_unacknowledged);
        let (retransmissions, most) = (u64::from(self.retransmissions), sysctls.get(Sysctl::TcpMaxRetrans));
        // In this order; where a cap would not shorten the time-out, the next one is asked.
        if retransmissions >= most && of_state > sysctls.timeout(Sysctl::TcpTimeoutMaxRetrans) {
            return sysctls.timeout(Sysctl::TcpTimeoutMaxRetrans);
        }
        if rst && context.profile.rst_sets_close_timeout {
            return sysctls.timeout(Sysctl::TcpTimeoutClose);
        }
        if rst && state == State::Established || unacknowledged {
            let shorter = capped(Sysctl::TcpTimeoutUnacknowledged);
            if shorter < of_state {
                return shorter;
            }
        }
        if self.last_window == 0 { capped(Sysctl::TcpTimeoutMaxRetrans) } else { of_state }
    }
}

impl Side {
    /// A SYN, or the SYN/ACK that answers one (`tcp_init_sender`).
    fn start(&mut self, receiver: &mut Self, direction: Direction, segment: &Segment<'_>) {
        self.end = segment.end;
        self.max_end = segment.end;
        self.max_window = u32::from(segment.window).max(1);
        self.read_options(segment.options);
        // RFC 7323, 2.2: windows are scaled only if both ends said so.
        if direction == Direction::Reply && !(self.scales && receiver.scales) {
            self.scale = 0;
            receiver.scale = 0;
        }
    }

    /// The first packet from a side whose history is lost: it is believed.
    fn pick_up(&mut self, receiver: &mut Self, segment: &Segment<'_>, sack: u32) {
        self.end = segment.end;
        self.max_window = (u32::from(segment.window) << self.scale).max(1);
        self.max_end = segment.end.wrapping_add(self.max_window);
        if receiver.max_window == 0 {
            receiver.end = sack;
            receiver.max_end = sack;
        } else if sack == receiver.end.wrapping_add(1) {
            // The answer to a keep-alive.
            receiver.end = sack;
        }
    }

    /// What a SYN offers (`tcp_options`). A header without options leaves what is known; with options, leniency
    /// alone survives, because the other flags are forgotten (`max_ack` with the flag that says it is set).
    fn read_options(&mut self, options: &[u8]) {
        if options.is_empty() {
            return;
        }
        let Self { end, max_end, max_window, be_liberal, .. } = *self;
        *self = Self { end, max_end, max_window, be_liberal, ..Self::default() };
        for (kind, value) in Options(options) {
            match (kind, value) {
                (OPTION_SACK_PERMITTED, []) => self.sack_permitted = true,
                (OPTION_WINDOW_SCALE, &[scale]) => {
                    self.scale = scale.min(MAX_SCALE);
                    self.scales = true;
                }
                _ => {}
            }
        }
    }
}

impl<'a> Segment<'a> {
    /// Refuses what no TCP sends (`tcp_error`). Checksums are not looked at.
    fn parse(transport: &'a [u8]) -> Result<Self, Reason> {
        let header = TcpHeaderSlice::from_slice(transport).map_err(|_| Reason::TcpHeader)?;
        let (syn, fin, rst, ack, urg) = (header.syn(), header.fin(), header.rst(), header.ack(), header.urg());
        // PSH, ECE and CWR go with anything.
        let possible = match (syn, fin, rst, ack) {
            (true, false, false, false) => true,
            (true, false, false, true) => !urg,
            (false, false, true, _) => !urg,
            (false, _, false, true) => true,
            _ => false,
        };
        if !possible {
            return Err(Reason::TcpFlags);
        }
        let kind = match (rst, syn, fin, ack) {
            (true, ..) => Kind::Rst,
            (_, true, _, false) => Kind::Syn,
            (_, true, _, true) => Kind::SynAck,
            (_, _, true, _) => Kind::Fin,
            (_, _, _, true) => Kind::Ack,
            _ => Kind::None,
        };
        let seq = header.sequence_number();
        // A datagram is at most 64 KiB long.
        let payload = (transport.len() - header.slice().len()) as u32;
        Ok(Self {
            kind,
            syn,
            acknowledges: ack,
            rst,
            seq,
            ack: header.acknowledgment_number(),
            window: header.window_size(),
            end: seq.wrapping_add(payload).wrapping_add(u32::from(syn)).wrapping_add(u32::from(fin)),
            options: &transport[TCP_HEADER..header.slice().len()],
        })
    }
}

/// TCP options as kind and value, up to the first that is broken.
struct Options<'a>(&'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0 {
                [OPTION_NOP, ref rest @ ..] => self.0 = rest,
                [] | [OPTION_END, ..] => return None,
                [kind, length, ..] => {
                    let value = self.0.get(2..usize::from(length))?;
                    self.0 = &self.0[usize::from(length)..];
                    return Some((kind, value));
                }
                _ => return None,
            }
        }
    }
}

/// The highest right edge that a SACK option names, if beyond the acknowledgement (`tcp_sack`).
fn highest_sack(options: &[u8], ack: u32) -> u32 {
    let is_sack = |&(kind, value): &(u8, &[u8])| kind == OPTION_SACK && value.len() >= 8 && value.len().is_multiple_of(8);
    let Some((_, blocks)) = Options(options).find(is_sack) else { return ack };
    blocks.chunks_exact(8).fold(ack, |highest, block| {
        let edge = u32::from_be_bytes([block[4], block[5], block[6], block[7]]);
        if later(edge, highest) { edge } else { highest }
    })
}

/// A packet that counts: state, time-out and ASSURED follow it.
fn settle(ct: &mut Conntrack, direction: Direction, segment: &Segment<'_>, step: Step, context: &Context<'_>) -> Outcome {
    let L4::Tcp(tcp) = &mut ct.l4 else { return Outcome::Invalid(Reason::TcpState) };
    let Step { before, after } = step;
    tcp.last_kind = segment.kind;
    tcp.last_direction = direction;
    tcp.state = after;
    if before != after {
        ct.cached.set(Cached::PROTOINFO);
        if after == State::FinWait {
            tcp.sides[direction.index()].close_init = true;
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
fn lower_timeout(ct: &mut Conntrack, direction: Direction, segment: &Segment<'_>, context: &Context<'_>) {
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

/// Sequence numbers wrap: earlier and later are meant within half their range.
fn earlier(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}

fn later(a: u32, b: u32) -> bool {
    earlier(b, a)
}

const TCP_HEADER: usize = 20;
const OPTION_END: u8 = 0;
const OPTION_NOP: u8 = 1;
const OPTION_WINDOW_SCALE: u8 = 3;
const OPTION_SACK_PERMITTED: u8 = 4;
const OPTION_SACK: u8 = 5;
/// RFC 7323, 2.3
const MAX_SCALE: u8 = 14;
/// How far behind an acknowledgement may be, whatever the window (`MAXACKWINCONST`).
const MAX_ACK_WINDOW: u32 = 66_000;
/// The one time-out without a sysctl.
const SYN_SENT2_TIMEOUT: Duration = Duration::from_secs(120);

/// Direction, kind (without `Kind::None`, which is always invalid), state.
///
/// "Original" is the direction of the packet that opened the conntrack, mostly the client's.
#[rustfmt::skip]
const TABLE: [[[Next; 10]; 5]; 2] = {
    use Next::{Ignore as IG, Invalid as IV};
    const SS: Next = Next::State(State::SynSent);
    const SR: Next = Next::State(State::SynRecv);
    const ES: Next = Next::State(State::Established);
    const FW: Next = Next::State(State::FinWait);
    const CW: Next = Next::State(State::CloseWait);
    const LA: Next = Next::State(State::LastAck);
    const TW: Next = Next::State(State::TimeWait);
    const CL: Next = Next::State(State::Close);
    const S2: Next = Next::State(State::SynSent2);
    [
        [
            // NONE SS  SR  ES  FW  CW  LA  TW  CL  S2
            // SYN: opens, or is repeated before anybody answered. Once there was an answer it may open a
            // connection of which we do not know that the old one is over, so it is let through unbelieved.
            // After TIME_WAIT and CLOSE the tuple may be used again.
            [   SS, SS, IG, IG, IG, IG, IG, SS, SS, S2],
            // SYN/ACK: from the caller only in a simultaneous open.
            [   IV, IV, SR, IV, IV, IV, IV, IV, IV, SR],
            // FIN: the first closes one half, the second the other.
            [   IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
            // ACK: the first without a SYN is a connection picked up in the middle. After a FIN it acknowledges
            // that FIN, whichever end sent it.
            [   ES, IV, ES, ES, CW, CW, TW, TW, CL, IV],
            // RST: closes, if `reset` believes it.
            [   IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
        [
            // NONE SS  SR  ES  FW  CW  LA  TW  CL  S2
            // SYN: both called at once; or the other end opens the old tuple anew.
            [   IV, S2, IV, IV, IV, IV, IV, SS, IV, S2],
            // SYN/ACK: the answer; later it may answer a SYN that we ignored.
            [   IV, SR, IG, IG, IG, IG, IG, IG, IG, SR],
            [   IV, IV, FW, FW, LA, LA, LA, TW, CL, IV],
            // ACK: in answer to a SYN it is a challenge from a connection that we do not know.
            [   IV, IG, SR, ES, CW, CW, TW, TW, CL, IG],
            [   IV, CL, CL, CL, CL, CL, CL, CL, CL, CL],
        ],
    ]
};
