//! What an analysis comes to, without the packets: what `merge` makes one audit of.
//!
//! Each analysis has a conntrack of its own. Of several, the frames are counted on, as if their captures had been read one
//! behind the other; and where no flow goes on from one to the next, so that one conntrack would have seen nothing else,
//! verdicts, findings and rules are those of a single run over all of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::{Analysis, Listed};
use crate::capture::Account;
use crate::compare::{Aspect, Deviation};
use crate::dialogue::Summaries;
use crate::discovery::Discovery;
use crate::excerpt::Incomplete;
use crate::exposure::{ClosedExpectation, EndedConntrack, Exposure};
use crate::findings::Found;
use crate::service::Service;
use crate::time::Timestamp;

/// The parts of an [`Analysis`] that can be added to another's.
#[derive(Serialize, Deserialize)]
pub struct Sums {
    account: Account,
    exposure: Exposure,
    summaries: Summaries,
    found: Found,
    discovery: Discovery,
    expectations: Listed<ClosedExpectation>,
    related: Listed<EndedConntrack>,
    /// In the order in which they were asked for.
    what_if: Vec<Exposure>,
    compared: Option<Compared>,
    audits: u64,
}

/// Where another kernel disagreed.
#[derive(Serialize, Deserialize)]
struct Compared {
    counts: BTreeMap<Aspect, u64>,
    deviations: Listed<Deviation>,
}

impl From<Analysis> for Sums {
    fn from(analysis: Analysis) -> Self {
        let what_if = analysis.what_if.into_iter();
        Self {
            account: analysis.account,
            exposure: analysis.exposure,
            summaries: analysis.watch.summaries,
            found: analysis.found,
            discovery: analysis.discovery,
            expectations: analysis.expectations,
            related: analysis.related,
            what_if: what_if.map(|other| other.exposure).collect(),
            compared: analysis.compared.map(|compared| Compared {
                counts: compared.comparison.counts,
                deviations: compared.deviations,
            }),
            audits: analysis.audits.max(1),
        }
    }
}

impl Sums {
    /// The timestamp of the first frame; `None` where there was none.
    pub fn begins(&self) -> Option<Timestamp> {
        self.exposure.totals.first
    }

    /// All services that it speaks of.
    pub fn services(&self) -> impl Iterator<Item = Service> {
        let exposures = self.what_if.iter().chain([&self.exposure]);
        let used = exposures.flat_map(|exposure| &exposure.services);
        let used = used.flat_map(|(service, usage)| {
            // A master's helper, which may have been inherited, stands in rules as well.
            let inherited = usage.related.keys().map(|ends| Service {
                helper: ends.helper,
                ..*service
            });
            inherited.chain([*service])
        });
        let discovery = &self.discovery;
        let heard = self.summaries.services.keys();
        let heard = heard
            .chain(discovery.services.keys())
            .chain(discovery.reversed.keys());
        let found = self.found.sums().filter_map(|sum| sum.service);
        let expectations = self.expectations.rows.iter();
        let expectations = expectations.flat_map(|closed| {
            let service = Service::of(&closed.record.root);
            let inherited = Service {
                helper: closed.record.helper,
                ..service
            };
            [service, inherited]
        });
        let related = self.related.rows.iter();
        let related = related.filter_map(|ended| ended.expected_by);
        used.chain(heard.copied())
            .chain(found)
            .chain(expectations)
            .chain(related)
    }

    /// Adds them to an analysis that was asked for the same, behind the frames that it has.
    pub fn add_to(mut self, analysis: &mut Analysis) {
        self.count_on(analysis.exposure.totals.frames);
        analysis.audits += self.audits;
        analysis.account.absorb(self.account);
        analysis.exposure.absorb(self.exposure);
        analysis.watch.summaries.absorb(self.summaries);
        let services = &analysis.exposure.services;
        let is_listed = |service: &_| services.contains_key(service);
        analysis.found.absorb(self.found, is_listed);
        analysis.discovery.absorb(self.discovery);
        analysis.expectations.absorb(self.expectations);
        analysis.related.absorb(self.related);
        for (other, sums) in analysis.what_if.iter_mut().zip(self.what_if) {
            other.exposure.absorb(sums);
        }
        if let Some((known, other)) = analysis.compared.as_mut().zip(self.compared) {
            for (aspect, times) in other.counts {
                *known.comparison.counts.entry(aspect).or_default() += times;
            }
            known.deviations.absorb(other.deviations);
        }
        analysis.proof = Err(Incomplete::NoPackets);
    }

    /// The same with so many more frames before it.
    fn count_on(&mut self, frames: u64) {
        self.exposure.count_on(frames);
        self.summaries.count_on(frames);
        self.found.count_on(frames);
        self.discovery.count_on(frames);
        let expectations = self.expectations.rows.iter_mut();
        expectations.for_each(|closed| closed.count_on(frames));
        let related = self.related.rows.iter_mut();
        related.for_each(|ended| ended.record.life.first_packet += frames);
        let what_if = self.what_if.iter_mut();
        what_if.for_each(|exposure| exposure.count_on(frames));
        if let Some(compared) = &mut self.compared {
            let deviations = compared.deviations.rows.iter_mut();
            deviations.for_each(|deviation| deviation.frame += frames);
        }
    }
}
