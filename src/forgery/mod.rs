//! Forged variants of the capture's own control traffic.
//!
//! A rule that accepts `ct state related` lets in whatever control payloads ask for. So, of the messages that made an
//! expectation, some are taken with the dialogue that led to them, and told again in other words: with another port,
//! another address, other ends. Behind each comes the packet that would use the hole, the probe. What becomes of it
//! under a rule set is what a forger of such messages could get through there.
//!
//! Nothing here knows a protocol. An expectation says which bytes named its port; an address is looked for in the forms
//! in which control protocols write one.

mod base;
mod body;
mod dialogue;
mod form;
mod kind;
pub mod probe;
mod strangers;
mod stream;
mod trial;
mod variation;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::conntrack::Step;
use crate::conntrack::config::Config;
use crate::conntrack::event::{ConntrackRecord, Event, ExpectationRecord};
use crate::firewall::Firewall;
use crate::packet::Packet;
use crate::service::Service;
use crate::time::Timestamp;
use crate::tuple::{Direction, Protocol, Tuple};
use base::Base;
use dialogue::Dialogues;

pub use kind::Kind;
pub use trial::{passes, verdict};

/// A dialogue, forged or as it was, and what it is to make a hole for.
#[derive(Clone, Debug)]
pub struct Variant {
    /// The service of the control connection.
    pub service: Service,
    /// What a rule's `ct helper` would match on the probe.
    pub helper: &'static str,
    /// What is forged.
    pub kind: Kind,
    /// Number of the frame whose message was forged; where none was, of the one that asks for the hole.
    pub frame: u64,
    /// In order; the last one is the probe.
    pub datagrams: Vec<Datagram>,
    /// What the probe tries. Of GRE the `sport` is the key that no packet carries.
    pub probe: Tuple,
}

/// An IP packet without a link layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// On the capture's clock.
    pub at: Timestamp,
    /// From the IP header on, with checksums that are right.
    pub bytes: Vec<u8>,
}

/// Picks from a replay what is worth forging. Its memory is bounded: `dialogue::MOST_KEPT` bytes for the flows alive, and
/// `MOST_BASES` dialogues of at most three times `dialogue::MOST_BYTES` each.
pub struct Forger {
    /// A firewall with nothing but helpers: what makes a hole there is worth a variant.
    config: Config,
    dialogues: Dialogues,
    bases: Vec<Base>,
    tried: BTreeMap<Class, Tried>,
    trials: usize,
}

/// Expectations that are alike: one of them will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Class {
    service: Service,
    helper: &'static str,
    protocol: Protocol,
    class: u8,
    /// On whose word.
    direction: Direction,
    to_client: bool,
    from_anybody: bool,
}

impl Class {
    fn of(record: &ExpectationRecord) -> Self {
        let expectation = &record.expectation;
        Self {
            service: Service::of(&record.root),
            helper: record.helper,
            protocol: expectation.protocol,
            class: expectation.class,
            direction: record.direction,
            to_client: expectation.dst_addr.value == record.root.tuple.src,
            from_anybody: expectation.src_addr.is_none(),
        }
    }
}

/// What came of a class so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tried {
    Found,
    InVain(u8),
}

impl Forger {
    /// For a capture that is replayed through this firewall.
    pub fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            dialogues: Dialogues::default(),
            bases: Vec::new(),
            tried: BTreeMap::new(),
            trials: 0,
        }
    }

    /// Takes in what a packet did; none, if it never came to the rules, did nothing itself.
    pub fn observe(&mut self, clock: Timestamp, packet: Option<&Packet<'_>>, step: &Step<'_>) {
        for late in step.late {
            self.dialogues.forget(&late.event);
        }
        if let Some(packet) = packet {
            self.dialogues.add(clock, packet, step);
        }
        for event in step.events {
            match event {
                Event::ExpectationNew(record) if !record.expectation.flags.inactive => {
                    self.consider(record);
                }
                // Only now is it of use, if it was inactive.
                Event::ExpectationRenewed { expectation, .. } => self.consider(expectation),
                Event::ConntrackNew(record) => self.note_visitor(record),
                event => self.dialogues.forget(event),
            }
        }
    }

    /// Of each dialogue the one that is not forged comes first.
    pub fn variants(&self) -> Vec<Variant> {
        let all = |base| Kind::ALL.map(|kind| variation::variant(base, kind));
        self.bases.iter().flat_map(all).flatten().collect()
    }

    /// Takes the expectation if it is the first of its class that its dialogue alone brings about.
    fn consider(&mut self, record: &Arc<ExpectationRecord>) {
        let class = Class::of(record);
        let failures = match self.tried.get(&class) {
            Some(Tried::Found | Tried::InVain(MOST_FAILURES..)) => return,
            Some(&Tried::InVain(failures)) => failures,
            None => 0,
        };
        if self.trials == MOST_TRIALS || self.bases.len() == MOST_BASES {
            return;
        }
        let Some(said) = self.dialogues.of(record.master_id) else {
            return;
        };
        self.trials += 1;
        let base = Base::new(Arc::clone(record), said, &self.config.local);
        let works = variation::variant(&base, Kind::Genuine)
            .is_some_and(|genuine| passes(&genuine, self.bare()));
        if works {
            self.bases.push(base);
        }
        let tried = match works {
            true => Tried::Found,
            false => Tried::InVain(failures + 1),
        };
        self.tried.insert(class, tried);
    }

    fn bare(&self) -> Firewall {
        Firewall::new(self.config.clone())
    }

    /// Who came by a hole that is kept.
    fn note_visitor(&mut self, record: &ConntrackRecord) {
        let Some(expectation) = record.expectation else {
            return;
        };
        let mut bases = self.bases.iter_mut();
        if let Some(base) = bases.find(|base| base.record.id == expectation) {
            base.visitor.get_or_insert(record.original.src);
        }
    }
}

/// Expectations that are varied.
const MOST_BASES: usize = 64;
/// Dialogues that are tried, whether they turn out to be of use or not.
const MOST_TRIALS: usize = 4 * MOST_BASES;
/// Dialogues of one class that may turn out to be of no use.
const MOST_FAILURES: u8 = 8;
