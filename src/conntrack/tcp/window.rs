//! The window of each direction: where a sender may send, and what it may acknowledge.
//!
//! Source: `tcp_in_window` in net/netfilter/nf_conntrack_proto_tcp.c, after Guido van Rooij, "Real Stateful TCP Packet
//! Filtering in IP Filter"; it names the four bounds I to IV. Sequence numbers wrap.

use super::super::config::Sysctl;
use super::super::{Context, Reason};
use super::segment::{
    OPTION_SACK_PERMITTED, OPTION_WINDOW_SCALE, Options, Segment, earlier, highest_sack, later,
};
use super::{Judged, Kind, State, Tcp};
use crate::tuple::Direction;

/// What one end has shown (`struct ip_ct_tcp_state`). Sequence numbers wrap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    /// Highest sequence number sent, plus one.
    pub end: u32,
    /// Highest sequence number the other end has allowed it to send.
    pub max_end: u32,
    /// Largest window it has offered; 0 until it has been seen.
    pub max_window: u32,
    /// Highest acknowledgement it has sent, once `Flags::ACKNOWLEDGED` is set.
    pub(super) max_ack: u32,
    /// Shift of its windows, at most 14 (RFC 7323).
    pub scale: u8,
    pub flags: Flags,
}

/// What is known of an end (`IP_CT_TCP_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// It offered to scale windows.
    pub const WINDOW_SCALE: Self = Self(1 << 0);
    pub const SACK_PERMITTED: Self = Self(1 << 1);
    pub const BE_LIBERAL: Self = Self(1 << 2);
    /// It sent the first FIN.
    pub const CLOSE_INIT: Self = Self(1 << 3);
    pub const DATA_UNACKNOWLEDGED: Self = Self(1 << 4);
    /// It acknowledged something.
    const ACKNOWLEDGED: Self = Self(1 << 5);

    pub fn has(self, flag: Self) -> bool {
        self.0 & flag.0 != 0
    }

    pub fn set(&mut self, flag: Self) {
        self.0 |= flag.0;
    }

    fn clear(&mut self, flag: Self) {
        self.0 &= !flag.0;
    }

    /// Nothing but this one, if it is set.
    pub fn only(self, flag: Self) -> Self {
        Self(self.0 & flag.0)
    }
}

pub enum Window {
    Within,
    Ignore,
    Invalid(Reason),
}

/// A segment and the window that it is held against: the four bounds of `tcp_in_window`. A number that is before one bound
/// and after another is meant to be so within half the range of sequence numbers, which wrap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The sender's.
    pub direction: Direction,
    pub seq: u32,
    /// Behind its last byte.
    pub end: u32,
    /// What it acknowledges at most, be it with a SACK.
    pub sack: u32,
    /// I: it begins before this, what the receiver allows.
    pub seq_before: u32,
    /// II: it ends after this, one window back. Of no account where the receiver has shown none yet.
    pub end_after: Option<u32>,
    /// III: it acknowledges less than this, what the receiver has sent.
    pub ack_before: u32,
    /// IV: it acknowledges more than this, one window back.
    pub ack_after: u32,
    /// How far behind what the receiver allows it ends, and how far it may for being let through all the same.
    pub overshot: u32,
    pub slack: u32,
    /// Whatever it misses, it is let through.
    pub is_liberal: bool,
}

/// A bound of the window, by the number that the kernel's comment gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    I,
    II,
    III,
    IV,
}

impl Held {
    pub fn keeps(&self, bound: Bound) -> bool {
        match bound {
            Bound::I => earlier(self.seq, self.seq_before),
            Bound::II => self.end_after.is_none_or(|floor| later(self.end, floor)),
            Bound::III => earlier(self.sack, self.ack_before),
            Bound::IV => later(self.sack, self.ack_after),
        }
    }

    /// The first that it misses, in the kernel's order.
    pub fn missed(&self) -> Option<Bound> {
        let mut bounds = [Bound::I, Bound::III, Bound::II, Bound::IV].into_iter();
        bounds.find(|&bound| !self.keeps(bound))
    }

    /// It misses the first by less than a window, and no other.
    pub fn is_near(&self) -> bool {
        let others = [Bound::II, Bound::III, Bound::IV];
        self.overshot <= self.slack && others.iter().all(|&bound| self.keeps(bound))
    }
}

impl Bound {
    /// What becomes of a segment that misses it.
    fn missed(self) -> Window {
        match self {
            Self::I => Window::Invalid(Reason::TcpSequenceAbove),
            Self::III => Window::Invalid(Reason::TcpAckAbove),
            Self::II | Self::IV => Window::Ignore,
        }
    }
}

impl Tcp {
    /// Whether the segment lies where its sender may send and acknowledges what its receiver has sent
    /// (`tcp_in_window`, which names the four bounds I to IV); if so, what it shows of both is noted.
    pub(super) fn in_window(
        &mut self,
        direction: Direction,
        segment: &Segment<'_>,
        context: &Context<'_>,
    ) -> Window {
        let state = self.state;
        let [original, reply] = &mut self.sides;
        let (sender, receiver) = match direction {
            Direction::Original => (original, reply),
            Direction::Reply => (reply, original),
        };
        let &Segment {
            mut seq,
            mut ack,
            mut end,
            ..
        } = segment;
        let mut sack = if receiver.flags.has(Flags::SACK_PERMITTED) {
            highest_sack(segment.options, ack)
        } else {
            ack
        };

        if sender.max_window == 0 {
            if segment.syn {
                sender.start(receiver, direction, segment);
                if !segment.acknowledges {
                    context.note(Judged::Begun);
                    return Window::Within;
                }
            } else {
                sender.pick_up(receiver, segment, sack);
            }
        } else if segment.syn
            && later(end, sender.end)
            && matches!(state, State::SynSent | State::SynRecv)
        {
            // RFC 793: a TCP that starts again uses larger sequence numbers.
            sender.start(receiver, direction, segment);
            if direction == Direction::Reply && !segment.acknowledges {
                context.note(Judged::Begun);
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

        let held = Held {
            direction,
            seq,
            end,
            sack,
            seq_before: sender.max_end.wrapping_add(1),
            end_after: (receiver.max_window != 0)
                .then_some(sender.end.wrapping_sub(receiver.max_window).wrapping_sub(1)),
            ack_before: receiver.end.wrapping_add(1),
            ack_after: receiver
                .end
                .wrapping_sub(sender.max_window.max(MAX_ACK_WINDOW))
                .wrapping_sub(1),
            slack: receiver.max_window,
            overshot: end.wrapping_sub(sender.max_end).wrapping_add(1),
            is_liberal: sender.flags.has(Flags::BE_LIBERAL)
                || context.sysctls.is_on(Sysctl::TcpBeLiberal),
        };
        context.note(Judged::Held(held));
        if let Some(bound) = held.missed() {
            let mut window = bound.missed();
            if bound == Bound::I && held.is_near() {
                // A little more than the window allows. If the peer acknowledges it, we must know of it.
                sender.end = end;
                sender.flags.set(Flags::DATA_UNACKNOWLEDGED);
                window = Window::Ignore;
            }
            return if held.is_liberal {
                Window::Within
            } else {
                window
            };
        }

        let scale = if segment.syn { 0 } else { sender.scale };
        let window = u32::from(segment.window) << scale;
        sender.max_window = sender
            .max_window
            .max(window.wrapping_add(sack.wrapping_sub(ack)));
        if later(end, sender.end) {
            sender.end = end;
            sender.flags.set(Flags::DATA_UNACKNOWLEDGED);
        }
        if segment.acknowledges && sender.max_ack().is_none_or(|known| later(ack, known)) {
            sender.max_ack = ack;
            sender.flags.set(Flags::ACKNOWLEDGED);
        }
        if receiver.max_window != 0 && later(end, sender.max_end) {
            receiver.max_window = receiver
                .max_window
                .wrapping_add(end.wrapping_sub(sender.max_end));
        }
        let allowed = sack.wrapping_add(window);
        if later(allowed, receiver.max_end.wrapping_sub(1)) {
            // A closed window still admits a probe of one byte.
            receiver.max_end = allowed.wrapping_add(u32::from(window == 0));
        }
        if ack == receiver.end {
            receiver.flags.clear(Flags::DATA_UNACKNOWLEDGED);
        }
        if segment.kind == Kind::Ack {
            self.count_retransmission(direction, seq, ack, end, segment.window);
        }
        Window::Within
    }

    fn count_retransmission(
        &mut self,
        direction: Direction,
        seq: u32,
        ack: u32,
        end: u32,
        window: u16,
    ) {
        let last = (
            self.last_direction,
            self.last_seq,
            self.last_ack,
            self.last_end,
            self.last_window,
        );
        if last == (direction, seq, ack, end, window) {
            self.retransmissions = self.retransmissions.wrapping_add(1);
        } else {
            (
                self.last_direction,
                self.last_seq,
                self.last_ack,
                self.last_end,
                self.last_window,
            ) = (direction, seq, ack, end, window);
            self.retransmissions = 0;
        }
    }
}

impl Side {
    /// Highest acknowledgement it has sent.
    pub fn max_ack(&self) -> Option<u32> {
        let has_any = self.flags.has(Flags::ACKNOWLEDGED);
        has_any.then_some(self.max_ack)
    }

    /// A SYN, or the SYN/ACK that answers one (`tcp_init_sender`).
    fn start(&mut self, receiver: &mut Self, direction: Direction, segment: &Segment<'_>) {
        self.end = segment.end;
        self.max_end = segment.end;
        self.max_window = u32::from(segment.window).max(1);
        self.read_options(segment.options);
        // RFC 7323, 2.2: windows are scaled only if both ends said so.
        let both_scale =
            self.flags.has(Flags::WINDOW_SCALE) && receiver.flags.has(Flags::WINDOW_SCALE);
        if direction == Direction::Reply && !both_scale {
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
    pub fn read_options(&mut self, options: &[u8]) {
        if options.is_empty() {
            return;
        }
        self.scale = 0;
        self.flags = self.flags.only(Flags::BE_LIBERAL);
        for (kind, value) in Options(options) {
            match (kind, value) {
                (OPTION_SACK_PERMITTED, []) => self.flags.set(Flags::SACK_PERMITTED),
                (OPTION_WINDOW_SCALE, &[scale]) => {
                    self.scale = scale.min(MAX_SCALE);
                    self.flags.set(Flags::WINDOW_SCALE);
                }
                _ => {}
            }
        }
    }
}

/// RFC 7323, 2.3
const MAX_SCALE: u8 = 14;
/// How far behind an acknowledgement may be, whatever the window (`MAXACKWINCONST`).
const MAX_ACK_WINDOW: u32 = 66_000;
