//! The same packets, seen by another kernel: what a kernel upgrade changes for this traffic.
//!
//! Compared are the verdict on each packet, what is expected at it, and what comes of each expectation. Not compared:
//! time-outs, and how long a conntrack stays; where these matter to the traffic, a later verdict shows it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::conntrack::config::Config;
use crate::conntrack::event::{Closed, Event, ExpectationRecord};
use crate::conntrack::{Step, Tracker, Verdict};
use crate::expectation::{Expectation, ExpectationId, network};
use crate::replay::{Arrival, Passage};
use crate::time::Timestamp;

/// Another kernel, shown what the replay's is shown.
pub struct Comparison {
    tracker: Tracker,
    /// How often each thing differed.
    pub counts: BTreeMap<Aspect, u64>,
    /// What differed since these were last taken.
    pub deviations: Vec<Deviation>,
    clock: Timestamp,
    pairs: Pairs,
}

/// What may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Aspect {
    /// `ct state`
    State,
    /// `ct direction`
    Direction,
    /// `ct helper`, the master's
    Helper,
    /// Whether the packet came out again.
    Dropped,
    /// An expectation that only one of the two made, or that they made differently.
    Expected,
    /// What an expectation came to.
    Outcome,
}

/// Two kernels disagree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// The packet, or the one after which it showed.
    pub frame: u64,
    /// What differs.
    pub aspect: Aspect,
    /// In the kernel that the capture is replayed through.
    pub here: String,
    /// In the other.
    pub there: String,
}

impl Aspect {
    /// As reports and tables call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::State => "ct state",
            Self::Direction => "ct direction",
            Self::Helper => "ct helper",
            Self::Dropped => "dropped",
            Self::Expected => "expectation",
            Self::Outcome => "its end",
        }
    }
}

impl Comparison {
    /// With a firewall that is set up as the first is, but for the kernel.
    pub fn new(other: Config) -> Self {
        Self {
            tracker: Tracker::new(other),
            counts: BTreeMap::new(),
            deviations: Vec::new(),
            clock: Timestamp::default(),
            pairs: Pairs::default(),
        }
    }

    /// Shows the other kernel the frame and compares.
    pub fn observe(&mut self, passage: &Passage<'_>) {
        let (here, there) = match &passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => return,
            Arrival::Unseen(why, step) => (step, self.tracker.unseen(passage.clock, *why)),
            Arrival::Packet(packet, step) => (step, self.tracker.packet(passage.clock, packet)),
        };
        self.clock = passage.clock;
        let mut found = Vec::new();
        verdicts(&here.verdict, &there.verdict, &mut found);
        self.pairs.compare(here, &there, &mut found);
        self.note(passage.number, found);
    }

    /// After the last frame: what is still open ends. To be called for each of the last steps.
    pub fn observe_end(&mut self, frame: u64, here: &Step<'_>) {
        let mut found = Vec::new();
        self.pairs.compare(here, &Step::default(), &mut found);
        self.note(frame, found);
    }

    /// After all of these: it ends there, too.
    pub fn finish(&mut self, frame: u64) {
        let mut found = Vec::new();
        while let Some(there) = self.tracker.finish(self.clock) {
            self.pairs.compare(&Step::default(), &there, &mut found);
        }
        self.note(frame, found);
    }

    fn note(&mut self, frame: u64, found: Vec<(Aspect, String, String)>) {
        for (aspect, here, there) in found {
            *self.counts.entry(aspect).or_default() += 1;
            self.deviations.push(Deviation {
                frame,
                aspect,
                here,
                there,
            });
        }
    }
}

type Found = Vec<(Aspect, String, String)>;

fn verdicts(here: &Verdict, there: &Verdict, found: &mut Found) {
    let mut compare = |aspect, here: &dyn fmt::Display, there: &dyn fmt::Display| {
        found.push((aspect, here.to_string(), there.to_string()));
    };
    if here.state != there.state {
        compare(Aspect::State, &here.state.name(), &there.state.name());
    }
    let direction = |verdict: &Verdict| verdict.direction.map_or("-", |direction| direction.name());
    if here.direction != there.direction {
        compare(Aspect::Direction, &direction(here), &direction(there));
    }
    if here.helper != there.helper {
        compare(
            Aspect::Helper,
            &here.helper.unwrap_or("-"),
            &there.helper.unwrap_or("-"),
        );
    }
    if here.dropped != there.dropped {
        compare(Aspect::Dropped, &why_dropped(here), &why_dropped(there));
    }
}

fn why_dropped(verdict: &Verdict) -> String {
    match (verdict.dropped, verdict.reason) {
        (Some(true), Some(reason)) => format!("yes: {}", reason.name()),
        (Some(true), None) => "yes".to_owned(),
        _ => "no".to_owned(),
    }
}

/// Expectations that both kernels made at the same packet.
#[derive(Default)]
struct Pairs {
    /// By side, from the number in one to that in the other, until it ends.
    partners: [HashMap<ExpectationId, ExpectationId>; 2],
    /// By side, how those ended whose partner has not.
    ended: [HashMap<ExpectationId, Closed>; 2],
}

impl Pairs {
    fn compare(&mut self, here: &Step<'_>, there: &Step<'_>, found: &mut Found) {
        if [here, there]
            .iter()
            .all(|step| step.late.is_empty() && step.events.is_empty())
        {
            return;
        }
        let [here, mut there] = [here, there].map(Changes::of);
        for made in here.made {
            let same = |other: &Made| other.expectation == made.expectation;
            if let Some(at) = there.made.iter().position(same) {
                // As a rule the first.
                let Some(partner) = there.made.remove(at) else {
                    continue;
                };
                self.partners[0].insert(made.id, partner.id);
                self.partners[1].insert(partner.id, made.id);
            } else {
                found.push((Aspect::Expected, describe(&made), NOTHING.to_owned()));
            }
        }
        for made in there.made {
            found.push((Aspect::Expected, NOTHING.to_owned(), describe(&made)));
        }
        for (side, ended) in [here.ended, there.ended].into_iter().enumerate() {
            for (made, why) in ended {
                self.end(side, &made, why, found);
            }
        }
    }

    /// When it left the table does not matter, but why.
    fn end(&mut self, side: usize, made: &Made, why: Closed, found: &mut Found) {
        let other = 1 - side;
        let Some(partner) = self.partners[side].remove(&made.id) else {
            return;
        };
        let Some(others) = self.ended[other].remove(&partner) else {
            self.ended[side].insert(made.id, why);
            return;
        };
        if others != why {
            let [here, there] = if side == 0 {
                [why, others]
            } else {
                [others, why]
            };
            let text = |why: Closed| match why {
                Closed::Matched { packet } => format!("{}: used at {packet}", describe(made)),
                _ => format!("{}: {}", describe(made), why.name()),
            };
            found.push((Aspect::Outcome, text(here), text(there)));
        }
    }
}

struct Made {
    id: ExpectationId,
    expectation: Expectation,
}

/// What a step made and ended.
#[derive(Default)]
struct Changes {
    made: VecDeque<Made>,
    ended: Vec<(Made, Closed)>,
}

impl Changes {
    fn of(step: &Step<'_>) -> Self {
        let made = |record: &ExpectationRecord| Made {
            id: record.id,
            expectation: record.expectation.clone(),
        };
        let mut changes = Self::default();
        let late = step.late.iter().map(|late| &late.event);
        for event in late.chain(step.events) {
            match event {
                Event::ExpectationNew(record) => changes.made.push_back(made(record)),
                Event::ExpectationDestroy {
                    expectation, why, ..
                } => changes.ended.push((made(expectation), *why)),
                _ => {}
            }
        }
        changes
    }
}

fn describe(made: &Made) -> String {
    let expectation = &made.expectation;
    let source = expectation.src_addr.as_ref();
    let source = source.map_or_else(|| "anybody".to_owned(), |net| network(net.value));
    let port = expectation.src_port.as_ref();
    let port = port.map_or_else(String::new, |port| format!(" port {}", port.value));
    let destination = SocketAddr::new(expectation.dst_addr.value, expectation.dst_port.value);
    format!("{} {source}{port} to {destination}", expectation.protocol)
}

const NOTHING: &str = "-";
