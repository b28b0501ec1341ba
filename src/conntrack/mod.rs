//! Connection tracking as Linux does it: a verdict for each packet, and the events that it causes.
//!
//! `Tracker::packet` is where everything happens: timers that are due first, then the packet. It follows the packet
//! through the netfilter hooks in their order: `nf_conntrack_in` (PREROUTING, -200), the assignment of helpers (-190),
//! the rules (which see the verdict of this moment), routing, and `nf_confirm` (POSTROUTING or LOCAL_IN, last), where
//! the helper reads the packet and a new conntrack enters the table.
//!
//! Not simulated: address translation, zones, marks, flow offload, synproxy, and clashes between packets that several
//! processors handle at once.

mod agenda;
pub mod config;
mod dccp;
mod entry;
pub mod event;
mod examined;
mod expect;
mod gre;
mod icmp;
mod reason;
mod sctp;
mod slots;
mod table;
pub mod tcp;
mod tracker;
mod transport;
mod udp;

pub use examined::{Examined, Flow};
pub use reason::Reason;
pub use tracker::{Entered, Tracker, WARMED_UP};
pub use transport::{has_ports, key, payload};

use crate::kernel::Kernel;
use crate::time::Timestamp;
use crate::tuple::Direction;
use config::Sysctls;
use event::{ConntrackId, Event};
use examined::Notes;

/// What a rule's `ct state` matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The first packets of a flow, before anybody answers.
    New,
    /// Of a flow that was answered, or an answer.
    Established,
    /// It begins a flow that was expected, or is an ICMP error about a flow.
    Related,
    /// It belongs to no flow and begins none.
    Invalid,
    /// Conntrack does not look at it: neighbour discovery, or what a rule said `notrack` of.
    Untracked,
    /// The packet never comes to the rules.
    None,
}

impl State {
    /// In the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::New,
        Self::Established,
        Self::Related,
        Self::Invalid,
        Self::Untracked,
        Self::None,
    ];

    /// nft's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Established => "established",
            Self::Related => "related",
            Self::Invalid => "invalid",
            Self::Untracked => "untracked",
            Self::None => "none",
        }
    }
}

/// What a packet is to conntrack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What `ct state` matches.
    pub state: State,
    /// `None` where it belongs to no flow.
    pub direction: Option<Direction>,
    /// What a rule's `ct helper` matches: the helper of the master.
    pub helper: Option<&'static str>,
    /// A helper reads the flow.
    pub attached: bool,
    /// It is INVALID to a flow that a helper reads or an expectation let in.
    pub stray: bool,
    /// Whether the packet went in and did not come out; `None` where the firewall takes it in itself.
    pub dropped: Option<bool>,
    /// Why it is invalid, or dropped, or never came to the rules.
    pub reason: Option<Reason>,
    /// The conntrack that it belongs to.
    pub conntrack: Option<ConntrackId>,
    /// Which of the packets of its direction it is there, counted from 1 up to the largest number;
    /// 0 where it belongs to none.
    pub nth: u32,
}

impl Default for Verdict {
    fn default() -> Self {
        Self::none(None)
    }
}

impl Verdict {
    /// Of a packet that never comes to the rules.
    fn none(reason: Option<Reason>) -> Self {
        Self {
            state: State::None,
            direction: None,
            helper: None,
            attached: false,
            stray: false,
            dropped: None,
            reason,
            conntrack: None,
            nth: 0,
        }
    }

    /// A helper or a rule dropped the packet.
    fn refuse(&mut self, reason: Reason) {
        self.dropped = self.dropped.map(|_| true);
        self.reason = Some(reason);
    }
}

/// Something that happened between two packets.
#[derive(Clone, Debug)]
pub struct Late {
    /// When it was due.
    pub at: Timestamp,
    /// What time did.
    pub event: Event,
}

/// A verdict and what happened: nothing by default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step<'t> {
    /// On this packet.
    pub verdict: Verdict,
    /// What time did since the packet before.
    pub late: &'t [Late],
    /// What this packet did.
    pub events: &'t [Event],
}

/// What conntrack knows of a packet that belongs to a flow (`enum ip_conntrack_info`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Info {
    state: State,
    direction: Direction,
}

/// What the protocols' trackers may ask for.
struct Context<'c> {
    now: Timestamp,
    sysctls: &'c Sysctls,
    kernel: &'c Kernel,
    gre_keys: &'c gre::Keymap,
    notes: Option<&'c Notes>,
}

impl Context<'_> {
    /// For who looks closely at this packet.
    #[inline]
    fn note(&self, judged: tcp::Judged) {
        if let Some(notes) = self.notes {
            notes.judged.set(Some(judged));
        }
    }
}
