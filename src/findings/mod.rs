//! What is known to go wrong with helpers, and where the capture shows it: a catalogue, an entry a way, each with what
//! it looks like on the wire, what looks the same and is not, and the small function that tells the two apart.
//!
//! An entry says what happened, not who did it or why. Adding one is an `Entry` in the file of its protocol.

mod amanda;
mod broadcast;
mod browser;
mod concerned;
mod controls;
mod found;
mod ftp;
mod h323;
mod holes;
mod irc;
mod place;
mod pptp;
mod sane;
mod sip;
mod state;
mod tftp;
mod userspace;
mod watch;
mod written;

pub use found::{Found, Sum};
pub use watch::Watch;

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::conntrack::Reason;
use crate::conntrack::event::{Closed, ConntrackRecord, Event, ExpectationRecord};
use crate::dialogue::{Dialogue, Heard, Line};
use crate::packet::Packet;
use crate::service::Service;
use crate::time::Timestamp;
use crate::tuple::{Direction, Tuple};

/// The catalogue, protocol by protocol.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    [
        ftp::ENTRIES,
        irc::ENTRIES,
        sip::wrapped::ENTRIES,
        sip::whose::ENTRIES,
        sip::number::ENTRIES,
        h323::ENTRIES,
        pptp::ENTRIES,
        tftp::ENTRIES,
        amanda::ENTRIES,
        sane::ENTRIES,
        broadcast::ENTRIES,
        userspace::ENTRIES,
        browser::ENTRIES,
        state::ENTRIES,
    ]
    .into_iter()
    .flatten()
}

/// Something that is known to go wrong.
#[derive(Debug)]
pub struct Entry {
    /// Lower case, words joined by hyphens; never changes its meaning.
    pub id: &'static str,
    /// What it is, in a line without its full stop.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// Kinds of helpers (`Spec::called`) whose control connections it is looked for in; none: all.
    pub helpers: &'static [&'static str],
    /// What it looks like on the wire, a sentence without its full stop.
    pub wire: &'static str,
    /// What looks the same and is not.
    pub alike: &'static str,
    /// Where it is described.
    pub references: &'static [&'static str],
    /// What tells it from what is like it.
    pub matcher: Matcher,
}

impl Entry {
    /// Whether it is looked for where a helper of this kind reads.
    fn concerns(&self, kind: &str) -> bool {
        self.helpers.is_empty() || self.helpers.contains(&kind)
    }

    /// What it makes of something that a message brought about.
    fn consequence(
        &self,
        dialogue: &Dialogue,
        heard: &Heard<'_>,
        event: &Event,
    ) -> Option<Evidence> {
        match (self.matcher, event) {
            (Matcher::Expected(shows), Event::ExpectationNew(record)) => {
                shows(dialogue, heard, record)
            }
            (Matcher::Declined(shows), Event::Declined { reason, bytes, .. }) => {
                shows(dialogue, heard, reason, bytes)
            }
            (Matcher::Declined(shows), Event::Refused { reason, .. }) => {
                shows(dialogue, heard, reason, &(0..heard.payload.len()))
            }
            (
                Matcher::Renewed(shows),
                Event::ExpectationRenewed {
                    expectation,
                    timeout,
                },
            ) => shows(dialogue, heard, expectation, *timeout),
            _ => None,
        }
    }
}

/// How much it matters to a firewall's owner.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize,
)]
pub enum Severity {
    /// Ordinary programs do it; it explains what the firewall did.
    Note,
    /// Odd, and harmless by itself.
    Low,
    /// A hole that somebody could have wanted.
    Medium,
    /// What no honest program sends.
    High,
}

impl Severity {
    /// As `--fail-on` and reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// When an entry's function is asked, and about what. What the dialogue remembers is from before the message, or
/// before the line.
#[derive(Clone, Copy, Debug)]
pub enum Matcher {
    /// Each message of a control connection.
    Message(fn(&Dialogue, &Heard<'_>) -> Option<Evidence>),
    /// Each line of protocols that speak in lines, where it ends.
    Line(fn(&Dialogue, &Heard<'_>, &Line) -> Option<Evidence>),
    /// Each expectation that a message made.
    Expected(fn(&Dialogue, &Heard<'_>, &ExpectationRecord) -> Option<Evidence>),
    /// Each command of a message that made no expectation, by its reason and its bytes.
    Declined(fn(&Dialogue, &Heard<'_>, &'static str, &Range<usize>) -> Option<Evidence>),
    /// Each expectation that a message gave so much more time.
    Renewed(fn(&Dialogue, &Heard<'_>, &ExpectationRecord, Duration) -> Option<Evidence>),
    /// Each end of an expectation but that of the capture, after it was counted.
    Closed(fn(&Dialogue, &ExpectationRecord, Closed) -> Option<Evidence>),
    /// Each RST of a control connection.
    Reset(fn(&Dialogue, Direction) -> Option<Evidence>),
    /// Each payload that has the addresses and ports of a control connection, and that conntrack does not take for part
    /// of it.
    Invalid(fn(&Dialogue, Direction, Reason, &[u8]) -> Option<Evidence>),
    /// A flow that an expectation let in.
    Guest(fn(&ExpectationRecord, &ConntrackRecord) -> Option<Evidence>),
    /// A flow to the address and port of an expectation, from somebody whom it does not let in.
    Stranger(fn(&ExpectationRecord, &ConntrackRecord) -> Option<Evidence>),
    /// A flow that fits an expectation which ended so, so long before.
    Late(fn(&ExpectationRecord, &ConntrackRecord, Closed, Duration) -> Option<Evidence>),
    /// A datagram that came in fragments.
    Fragmented(fn(&Packet<'_>) -> Option<Evidence>),
    /// A table has to hold more than before.
    Strain(fn(&Strain) -> Option<Evidence>),
}

/// What fills conntrack's tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strain {
    /// The table of conntracks was full for the first time.
    Conntracks,
    /// More expectations than ever are open that go back to control connections of one client; the table has room for
    /// so many of all clients.
    Expectations {
        /// Who opened the control connections.
        client: IpAddr,
        /// Expectations of his that are open now.
        open: u64,
        /// `nf_conntrack_expect_max`
        room: u64,
    },
}

/// What in the capture shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Numbers and addresses, in our words; nothing of the payload as it stands.
    pub detail: String,
    /// Frames that belong to it, beside its own.
    pub frames: Vec<u64>,
}

impl Evidence {
    /// Without further frames. It is `Some`, as a matcher returns it.
    pub fn of(detail: impl Into<String>) -> Option<Self> {
        Some(Self {
            detail: detail.into(),
            frames: Vec::new(),
        })
    }

    /// With frames that belong to it, likewise.
    pub fn with(detail: impl Into<String>, frames: impl Into<Vec<u64>>) -> Option<Self> {
        Some(Self {
            detail: detail.into(),
            frames: frames.into(),
        })
    }
}

/// An entry of the catalogue, found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was found.
    pub entry: &'static Entry,
    /// Where it shows.
    pub frame: u64,
    /// When that frame was captured.
    pub at: Timestamp,
    /// Whose helper it concerns, and on which connection it was found; none where no helper is involved.
    pub service: Option<Service>,
    /// The control connection, client to server.
    pub flow: Option<Tuple>,
    /// What shows it.
    pub evidence: Evidence,
}
