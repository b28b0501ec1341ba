//! What a rule set does to the traffic of a capture, held against what the traffic needs.
//!
//! Two firewalls are shown the same packets: one with all helpers attached and no rule, which says what each packet is
//! needed for, and one with the rules alone. What the first lets in as RELATED and somebody needs, the second has to
//! let in, too, and nothing else that is RELATED.

mod flows;
mod needed;

use std::collections::BTreeMap;

use crate::conntrack::State;
use crate::conntrack::config::Config;
use crate::firewall::Firewall;
use crate::proposal::Wishes;
use crate::replay::{Arrival, Passage};
use crate::ruleset::{RuleId, Ruleset};
use flows::Flows;
use needed::Needed;

/// A rule set on trial.
pub struct Proof {
    firewall: Firewall,
    needed: Needed,
    flows: Flows,
    /// RELATED packets that are needed, and let in as such.
    pub accepted: u64,
    /// Those that are needed, and are not.
    pub lost: Frames,
    /// RELATED packets that are let in, and nobody needs.
    pub others: Frames,
    /// Packets that the rules drop, be they RELATED or not.
    pub dropped: Frames,
    /// By rule, needed packets that would not be let in without it.
    pub needs: BTreeMap<RuleId, u64>,
    /// By rule, packets of which nobody can say whether it holds.
    pub undecided: BTreeMap<RuleId, u64>,
}

/// How many, and the first of them by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    pub times: u64,
    pub first: Vec<u64>,
}

impl Frames {
    fn add(&mut self, frame: u64) {
        self.times += 1;
        if self.first.len() < LISTED {
            self.first.push(frame);
        }
    }
}

impl Proof {
    /// Of these rules, on a firewall that is set up as `config` says but attaches no helper by itself.
    pub fn new(config: &Config, rules: Ruleset, wishes: &Wishes) -> Self {
        let config = Config {
            assignments: Vec::new(),
            ..config.clone()
        };
        Self {
            needed: Needed::new(wishes),
            firewall: Firewall::with_rules(config, rules),
            flows: Flows::default(),
            accepted: 0,
            lost: Frames::default(),
            others: Frames::default(),
            dropped: Frames::default(),
            needs: BTreeMap::new(),
            undecided: BTreeMap::new(),
        }
    }

    /// Takes in a frame of the replay in which all helpers are attached.
    pub fn observe(&mut self, passage: &Passage<'_>) {
        match &passage.arrival {
            Arrival::Other => {}
            Arrival::Unseen(why, _) => {
                let late = self.firewall.unseen(passage.clock, *why);
                self.flows.observe(&late, &[]);
            }
            Arrival::Packet(packet, step) => {
                let needed = self.needed.observe(packet, step);
                let Some((ours, passed)) = self.firewall.judge(passage.clock, packet) else {
                    return;
                };
                let hangs_on = self.flows.observe(&ours, &passed.hangs_on);
                let verdict = ours.verdict;
                let is_in = verdict.state == State::Related
                    && !passed.dropped
                    && verdict.dropped != Some(true);
                match (needed, is_in) {
                    (true, true) => {
                        self.accepted += 1;
                        for rule in hangs_on {
                            *self.needs.entry(*rule).or_default() += 1;
                        }
                    }
                    (true, false) => self.lost.add(passage.number),
                    (false, true) => self.others.add(passage.number),
                    (false, false) => {}
                }
                if passed.dropped {
                    self.dropped.add(passage.number);
                }
                for &rule in &passed.undecided {
                    *self.undecided.entry(rule).or_default() += 1;
                }
            }
        }
    }

    pub fn rules(&self) -> &Ruleset {
        static NONE: Ruleset = Ruleset {
            chains: Vec::new(),
            unread: Vec::new(),
        };
        self.firewall.rules().unwrap_or(&NONE)
    }

    /// Whether the rules let in all that is needed, nothing else, and nothing about them is unknown.
    pub fn holds(&self) -> bool {
        let unread = self.rules().unread.is_empty();
        self.lost.times == 0 && self.others.times == 0 && self.undecided.is_empty() && unread
    }
}

/// Frames that are named.
const LISTED: usize = 20;
