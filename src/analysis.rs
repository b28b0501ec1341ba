//! One replay and all that is made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use serde::{Deserialize, Serialize};

use crate::capture::Account;
use crate::compare::{Comparison, Deviation};
use crate::conntrack::Step;
use crate::conntrack::config::Config;
use crate::discovery::Discovery;
use crate::excerpt::{Excerpt, Incomplete, Kept};
use crate::exposure::{ClosedExpectation, EndedConntrack, Exposure};
use crate::findings::{Found, Watch};
use crate::firewall::Firewall;
use crate::helper::Spec;
use crate::kernel::Kernel;
use crate::proof::{Evidence, Proof};
use crate::proposal::{Proposal, Target, Wishes, conntrackd, set_up};
use crate::replay::Passage;
use crate::ruleset::Ruleset;
use crate::ruleset::nftables::{self, Unwritable};
use crate::verdict::{Grounds, Verdict};
use crate::what_if::WhatIf;

/// Everything that a report is made of.
pub struct Analysis {
    /// What is to be said of the captures besides their packets.
    pub account: Account,
    /// What was opened, to whom, for how long, and the services that it was for.
    pub exposure: Exposure,
    /// What the control connections carried, and what of the catalogue was found.
    pub watch: Watch,
    /// Findings, summed by entry and service.
    pub found: Found,
    /// Control protocols on ports without a helper.
    pub discovery: Discovery,
    /// What it says about rules, until they are proved.
    pub evidence: Evidence,
    /// What the proof is shown.
    pub excerpt: Excerpt,
    /// Other firewalls that were asked for.
    pub what_if: Vec<WhatIf>,
    /// The rules that are recommended, empty before `propose`.
    pub proposal: Proposal,
    /// The proposal for `nft -f`.
    pub nft: String,
    /// Of the proposal.
    pub proof: Result<Proof, Incomplete>,
    /// What belongs with the rules.
    pub set_up: Vec<set_up::Step>,
    /// Of conntrackd, what the rules ask for.
    pub conntrackd: Vec<conntrackd::Instance>,
    /// Helpers that are assigned to some port, by the names that rules use.
    pub assigned: BTreeMap<&'static str, &'static Spec>,
    /// Of these, the ones that help only what the firewall itself broadcasts, where no address is known to be its own.
    pub cannot_fire: BTreeSet<&'static str>,
    /// In the order in which they ended.
    pub expectations: Listed<ClosedExpectation>,
    /// Flows that came for an expectation.
    pub related: Listed<EndedConntrack>,
    /// Where another kernel disagrees, if one was asked.
    pub compared: Option<Compared>,
    /// How many earlier ones it is made of; 0 for one of captures.
    pub audits: u64,
}

/// What two kernels make of the same packets.
pub struct Compared {
    /// The series that the capture is replayed through.
    pub here: Kernel,
    /// The series that was asked as well.
    pub there: Kernel,
    /// Both, and how often they differed.
    pub comparison: Comparison,
    /// Where they differed.
    pub deviations: Listed<Deviation>,
}

impl Analysis {
    /// Of a firewall that is set up like this, and for rules that are wished so, before the first frame.
    pub fn new(config: &Config, wishes: Wishes) -> Self {
        let proposal = Proposal {
            wishes,
            ..Proposal::default()
        };
        let helpers = || config.assignments.iter().map(|assigned| assigned.helper);
        let cannot_fire = helpers()
            .filter(|helper| helper.spec.own_broadcasts_only() && !config.has_broadcast_network())
            .map(|helper| helper.name)
            .collect();
        Self {
            exposure: Exposure::new(config),
            watch: Watch::new(config),
            found: Found::default(),
            discovery: Discovery::default(),
            what_if: Vec::new(),
            evidence: Evidence::new(config, &proposal.wishes.bypass),
            excerpt: Excerpt::new(known(&proposal, config)),
            proposal,
            nft: String::new(),
            proof: Err(Incomplete::NotKept),
            account: Account::default(),
            set_up: Vec::new(),
            conntrackd: Vec::new(),
            assigned: helpers().map(|helper| (helper.name, helper.spec)).collect(),
            cannot_fire,
            expectations: Listed::default(),
            related: Listed::default(),
            compared: None,
            audits: 0,
        }
    }

    /// Shows one frame, and what became of it, to all that learn from the replay.
    pub fn observe(&mut self, passage: &Passage<'_>) {
        self.exposure.observe(passage);
        self.discovery.observe(passage);
        let mut need = None;
        // Most are.
        if !passage.is_quiet() {
            self.watch.observe(passage);
            need = self.evidence.observe(passage);
        }
        self.excerpt.observe(passage, need);
        if let Some(compared) = &mut self.compared {
            compared.comparison.observe(passage);
        }
        for other in &mut self.what_if {
            other.observe(passage);
        }
    }

    /// After the last frame, each of the steps of the replay's own end.
    pub fn observe_end(&mut self, step: &Step<'_>) {
        self.exposure.finish(step);
        if let Some(compared) = &mut self.compared {
            let frames = self.exposure.totals.frames;
            compared.comparison.observe_end(frames, step);
        }
    }

    /// After all of these.
    pub fn finish(&mut self) {
        self.watch.finish();
        if let Some(compared) = &mut self.compared {
            compared.comparison.finish(self.exposure.totals.frames);
        }
        self.what_if.iter_mut().for_each(WhatIf::finish);
    }

    /// Rows of the longest of the tables that wait for `collect`.
    pub fn held(&self) -> usize {
        let exposure = &self.exposure;
        let ended = exposure.conntracks.len().max(exposure.expectations.len());
        let said = exposure.refusals.len().max(self.watch.findings.len());
        ended.max(said).max(self.deviations().len())
    }

    /// Those that wait for `collect`.
    pub fn deviations(&self) -> &[Deviation] {
        let compared = self.compared.as_ref();
        compared.map_or(&[], |compared| &compared.comparison.deviations)
    }

    /// Sums and lists what ended, and forgets it, so that memory does not grow with the capture.
    pub fn collect(&mut self) {
        let Self {
            exposure,
            watch,
            compared,
            ..
        } = self;
        if let Some(compared) = compared {
            compared
                .comparison
                .deviations
                .drain(..)
                .for_each(|deviation| compared.deviations.push(deviation));
        }
        watch.findings.drain(..).for_each(|finding| {
            let is_listed = |service| exposure.services.contains_key(service);
            let counts = finding.service.as_ref().is_some_and(is_listed);
            self.found.add(&finding, counts);
        });
        exposure.refusals.clear();
        exposure
            .expectations
            .drain(..)
            .for_each(|closed| self.expectations.push(closed));
        exposure
            .conntracks
            .drain(..)
            .filter(|ended| ended.expected_by.is_some())
            .for_each(|ended| self.related.push(ended));
    }

    /// The rules for what was seen, and what belongs with them.
    ///
    /// # Errors
    ///
    /// Where the rules cannot be written for nft.
    pub fn propose(&mut self, config: &Config) -> Result<(), Unwritable> {
        let wishes = self.proposal.wishes.clone();
        self.proposal = Proposal::of(&self.exposure, &config.modules, &config.local, wishes);
        self.nft = nftables::write(&self.proposal.ruleset(Target::Nftables))?;
        let attached: BTreeSet<&str> = self.proposal.attached().collect();
        let (needed, unneeded): (Vec<_>, Vec<_>) = self
            .assigned
            .iter()
            .partition(|(name, _)| attached.contains(**name));
        let specs = |named: Vec<(&&str, &&'static Spec)>| -> Vec<&'static Spec> {
            named.into_iter().map(|(_, spec)| *spec).collect()
        };
        self.set_up = set_up::steps(config, &specs(needed), &specs(unneeded));
        self.conntrackd = conntrackd::instances(&self.proposal.rules, &config.modules);
        Ok(())
    }

    /// The proposal, written and read again, against the packets that it may treat differently.
    pub fn prove(&mut self, config: &Config) {
        let rules = Ruleset::read(&self.nft, 0);
        let Proposal {
            wishes, interfaces, ..
        } = &self.proposal;
        let none = Evidence::new(config, &wishes.bypass);
        let evidence = mem::replace(&mut self.evidence, none);
        let proof = Proof::by(evidence, rules, interfaces.as_ref());
        self.proof = match self.exposure.opened_nothing() {
            true => Ok(proof),
            false => shown(&mut self.excerpt, proof),
        };
    }

    /// What is to be said of the helper on each service.
    pub fn verdicts(&self) -> Vec<Verdict<'_>> {
        let grounds = Grounds {
            exposure: &self.exposure,
            summaries: &self.watch.summaries,
            discovery: &self.discovery,
            findings: self.found.by_service(),
            assigned: &self.assigned,
            cannot_fire: &self.cannot_fire,
        };
        grounds.verdicts()
    }

    /// Helpers that were waiting for a control connection and saw none.
    pub fn not_seen(&self) -> impl Iterator<Item = &'static str> {
        let services = self.exposure.services.iter();
        let seen: BTreeSet<&str> = services
            .flat_map(|(service, r#use)| {
                let inherited = r#use.related.keys().map(|ends| ends.helper);
                inherited.chain([service.helper])
            })
            .collect();
        self.assigned
            .keys()
            .copied()
            .filter(move |name| !seen.contains(name))
    }

    /// What a longer capture could still show, for each kind of verdict that there is: its name and that.
    pub fn could_change(&self) -> BTreeMap<&'static str, &'static str> {
        let verdicts = self.verdicts();
        let mut kinds: BTreeMap<_, _> = verdicts
            .iter()
            .map(|verdict| (verdict.worth.name(), verdict.worth.could_change()))
            .collect();
        if self.not_seen().next().is_some() {
            kinds.insert(
                "not seen",
                "a control connection, which shows what it is for",
            );
        }
        kinds
    }

    /// What helpers do other than their users expect, of those that had something to read.
    pub fn defects(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let services = self.exposure.services.keys();
        let at_work: BTreeSet<&str> = services.map(|service| service.helper).collect();
        self.assigned
            .iter()
            .filter(move |(name, _)| at_work.contains(**name))
            .flat_map(|(name, spec)| spec.defects.iter().map(|defect| (*name, *defect)))
    }
}

/// A firewall with those rules alone that do not depend on what is seen: there are some where interfaces are known.
fn known(proposal: &Proposal, config: &Config) -> Option<Firewall> {
    let topology = proposal.wishes.topology.clone()?;
    let rules = proposal.ruleset(Target::Nftables);
    Some(Firewall::with_rules(
        config.unassigned(),
        rules,
        Some(topology),
    ))
}

/// The proof, when it has seen all.
fn shown(excerpt: &mut Excerpt, mut proof: Proof) -> Result<Proof, Incomplete> {
    let mut packets = excerpt.packets()?;
    while let Some(Kept {
        clock,
        packet,
        need,
        seen,
    }) = packets.next()?
    {
        match seen {
            None => proof.packet(clock, &packet, need),
            Some(seen) => proof.packet_seen(&packet, need, seen),
        }
    }
    Ok(proof)
}

/// The first rows of a table that may be long, and how many more there were.
#[derive(Serialize, Deserialize)]
pub struct Listed<T> {
    /// At most `MOST_LISTED`.
    pub rows: Vec<T>,
    /// How many rows found no place.
    pub omitted: u64,
}

impl<T> Listed<T> {
    /// Adds the rows of another such table.
    pub fn absorb(&mut self, other: Self) {
        other.rows.into_iter().for_each(|row| self.push(row));
        self.omitted += other.omitted;
    }

    /// Adds a row, or counts it where there are enough.
    pub fn push(&mut self, row: T) {
        if self.rows.len() < MOST_LISTED {
            self.rows.push(row);
        } else {
            self.omitted += 1;
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            omitted: 0,
        }
    }
}

/// Rows that a terminal is shown.
pub const MOST_LISTED: usize = 100;
