//! What is printed and written: a file a format.

pub mod catalogue;
pub mod events;
pub mod frames;
pub mod json;
mod layout;
pub mod reference;
pub mod rules;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ipnet::IpNet;

use crate::compare::{Comparison, Deviation};
use crate::discovery::Discovery;
use crate::expectation::Expectation;
use crate::exposure::{ClosedExpectation, EndedConntrack, Exposure};
use crate::findings::{Found, Watch};
use crate::helper::Spec;
use crate::kernel::Kernel;
use crate::proof::Proof;
use crate::proposal::{Proposal, conntrackd, set_up};
use crate::tuple::{self, Tuple};
use crate::verdict::{Grounds, Verdict};
use crate::what_if::WhatIf;

/// Everything that a report is made of.
pub struct Analysis {
    pub exposure: Exposure,
    /// What the control connections carried, and what of the catalogue was found.
    pub watch: Watch,
    pub found: Found,
    pub discovery: Discovery,
    /// Other firewalls that were asked for.
    pub what_if: Vec<WhatIf>,
    pub proposal: Proposal,
    /// The proposal for `nft -f`.
    pub nft: String,
    /// Of the proposal; `None` where the capture cannot be read a second time.
    pub proof: Option<Proof>,
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
    pub related: Listed<EndedConntrack>,
    /// Where another kernel disagrees, if one was asked.
    pub compared: Option<Compared>,
}

/// What two kernels make of the same packets.
pub struct Compared {
    pub here: Kernel,
    pub there: Kernel,
    pub comparison: Comparison,
    pub deviations: Listed<Deviation>,
}

impl Analysis {
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

/// The first rows of a table that may be long, and how many more there were.
pub struct Listed<T> {
    pub rows: Vec<T>,
    pub omitted: u64,
}

impl<T> Listed<T> {
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
const MOST_LISTED: usize = 100;

/// An expectation in the two parts that ctnetlink reports: what the first packet must be, and which bits of that count.
struct Expected {
    tuple: Tuple,
    mask_src: IpAddr,
    mask_dst: IpAddr,
    mask_sport: u16,
}

impl Expected {
    fn of(expectation: &Expectation) -> Self {
        let dst = expectation.dst_addr.value;
        let src = expectation.src_addr.as_ref();
        let any = tuple::unspecified(dst);
        Self {
            tuple: expectation.tuple(),
            mask_src: src.map_or(any, |src| src.value.netmask()),
            mask_dst: IpNet::from(dst).netmask(),
            mask_sport: if expectation.src_port.is_some() {
                u16::MAX
            } else {
                0
            },
        }
    }
}
