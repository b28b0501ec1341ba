//! What a rule set does to the traffic of a capture, held against what the traffic needs.
//!
//! Two firewalls are shown the same packets: one with all helpers attached and no rule, which says what each packet is
//! needed for, and one with the rules alone. What the first lets in as RELATED and somebody needs, the second has to
//! let in, too, and nothing else that is RELATED.

mod evidence;
mod flows;
mod needed;
mod reach;

use std::cell::OnceCell;
use std::collections::BTreeMap;

use ipnet::IpNet;

use crate::conntrack::State;
use crate::conntrack::config::Config;
use crate::firewall::{Firewall, Passed};
use crate::forgery::{self, Variant};
use crate::packet::{Packet, route};
use crate::proposal::{Proposal, Target};
use crate::replay::{Arrival, Passage};
use crate::ruleset::{RuleId, Ruleset, Seen};
use crate::time::Timestamp;
use crate::topology::Topology;
use flows::Flows;

pub use evidence::Evidence;
pub use needed::Need;

/// A rule set on trial.
pub struct Proof {
    evidence: Evidence,
    /// With the rules, and no helper that they do not attach.
    config: Config,
    topology: Option<Topology>,
    firewall: Firewall,
    reached: OnceCell<BTreeMap<&'static str, (u128, u128)>>,
    forged: OnceCell<Vec<Forged>>,
    flows: Flows,
    /// RELATED packets that are needed, and let in as such.
    pub accepted: u64,
    /// Those that are needed, and are not.
    pub lost: Frames,
    /// RELATED packets that are let in, and nobody needs.
    pub others: Frames,
    /// Packets that the rules drop, be they RELATED or not.
    pub dropped: Frames,
    /// By rule, the least number of needed packets that would not be let in without it.
    pub needs: BTreeMap<RuleId, u64>,
    /// By rule, packets of which nobody can say whether it holds.
    pub undecided: BTreeMap<RuleId, u64>,
}

/// A forged variant on trial.
pub struct Forged {
    /// What was said, and the packet that would use the hole.
    pub variant: Variant,
    /// Whether it gets through where all that is RELATED is accepted, and helpers read whatever comes to their ports.
    pub through_bare: bool,
    /// Whether the probe passes with these rules.
    pub through_rules: bool,
}

/// How many, and the first of them by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// How many packets.
    pub times: u64,
    /// The first few, by number.
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
    /// Of these rules, on a firewall that is set up as `config` says but attaches no helper by itself. Nobody needs what
    /// connections from or to `bypass` ask for. Which interface addresses are behind says the topology.
    pub fn new(
        config: &Config,
        rules: Ruleset,
        bypass: &[IpNet],
        topology: Option<&Topology>,
    ) -> Self {
        Self::by(Evidence::new(config, bypass), rules, topology)
    }

    /// With the evidence of a replay that is over, or has come as far as this one.
    pub fn by(evidence: Evidence, rules: Ruleset, topology: Option<&Topology>) -> Self {
        let config = evidence.config().unassigned();
        Self {
            evidence,
            reached: OnceCell::new(),
            forged: OnceCell::new(),
            firewall: Firewall::with_rules(config.clone(), rules, topology.cloned()),
            topology: topology.cloned(),
            config,
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
        let need = self.evidence.observe(passage);
        match &passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => {}
            Arrival::Unseen(why, _) => {
                let late = self.firewall.unseen(passage.clock, *why);
                self.flows.observe(&late, &[]);
            }
            Arrival::Packet(packet, _) => self.packet(passage.clock, packet, need),
        }
    }

    /// Takes in a packet, and what it is needed for by the evidence.
    pub fn packet(&mut self, clock: Timestamp, packet: &Packet<'_>, need: Option<Need>) {
        let (ours, passed) = self.firewall.judge(clock, packet);
        let hangs_on = self.flows.observe(&ours, &passed.hangs_on);
        let mut passed = passed.clone();
        // Without its rules a flow would be NEW, and errors about it would be RELATED all the same.
        if need == Some(Need::Flow) {
            passed.hangs_on = hangs_on.to_vec();
        }
        let verdict = ours.verdict;
        let is_related = verdict.state == State::Related && verdict.dropped != Some(true);
        self.count(packet.number, need.is_some(), is_related, &passed);
    }

    /// Takes in a packet without its flow, which has to do with no helper: this is what conntrack says of it, be they
    /// attached or not.
    pub fn packet_seen(&mut self, packet: &Packet<'_>, need: Option<Need>, seen: Seen) {
        let arrives = route::fate(packet, &self.config.local).leaves() != Some(false);
        let is_related = seen.state == State::Related && arrives;
        let passed = self.firewall.judge_seen(packet, seen);
        self.count(packet.number, need.is_some(), is_related, &passed);
    }

    fn count(&mut self, frame: u64, is_needed: bool, is_related: bool, passed: &Passed) {
        match (is_needed, is_related && !passed.dropped) {
            (true, true) => {
                self.accepted += 1;
                for rule in &passed.hangs_on {
                    *self.needs.entry(*rule).or_default() += 1;
                }
            }
            (true, false) => self.lost.add(frame),
            (false, true) => self.others.add(frame),
            (false, false) => {}
        }
        if passed.dropped {
            self.dropped.add(frame);
        }
        for &rule in &passed.undecided {
            *self.undecided.entry(rule).or_default() += 1;
        }
    }

    /// Of each rule of a proposal, whose rule set for nft this is the proof of, the needed packets that would not pass
    /// without it.
    pub fn lost_without(&self, proposal: &Proposal) -> impl Iterator<Item = u64> {
        let laid = proposal.ruleset(Target::Nftables);
        let numbered = laid.rules().map(|(id, rule)| (rule.place.line, id));
        let numbered: BTreeMap<usize, RuleId> = numbered.collect();
        (1..=proposal.rules.len()).map(move |number| {
            let id = numbered.get(&number);
            id.and_then(|id| self.needs.get(id)).copied().unwrap_or(0)
        })
    }

    /// By helper, the pairs of address and port that a forger could open: where all that is RELATED is accepted, and
    /// with the rules.
    pub fn reach(&self) -> &BTreeMap<&'static str, (u128, u128)> {
        self.reached.get_or_init(|| {
            let ours = self.evidence.reach.through(&self.firewall);
            let bare = self.evidence.reach.through(&self.evidence.bare());
            let ours = |helper| ours.get(helper).copied().unwrap_or(0);
            bare.into_iter()
                .map(|(helper, before)| (helper, (before, ours(helper))))
                .collect()
        })
    }

    /// Expectations that `reach` leaves out.
    pub fn reach_omitted(&self) -> u64 {
        self.evidence.reach.omitted
    }

    /// The forged variants of the capture's control traffic, and which of them get through.
    pub fn forged(&self) -> &[Forged] {
        self.forged.get_or_init(|| {
            let variants = self.evidence.forger.variants().into_iter();
            variants.map(|variant| self.tried(variant)).collect()
        })
    }

    fn tried(&self, variant: Variant) -> Forged {
        let (rules, topology) = (self.rules().clone(), self.topology.clone());
        let firewall = Firewall::with_rules(self.config.clone(), rules, topology);
        Forged {
            through_bare: forgery::passes(&variant, self.evidence.bare()),
            through_rules: forgery::passes(&variant, firewall),
            variant,
        }
    }

    /// What was proved, or not.
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
