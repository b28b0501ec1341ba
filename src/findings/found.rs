//! Findings, summed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Entry, Finding, Severity};
use crate::service::Service;

/// Findings by entry and service, the worst first.
#[derive(Debug, Default)]
pub struct Found {
    sums: BTreeMap<(Reverse<Severity>, &'static str, Option<Service>), Sum>,
}

/// An entry of the catalogue, as often as it was found at one service.
#[derive(Debug)]
pub struct Sum {
    pub entry: &'static Entry,
    pub service: Option<Service>,
    pub times: u64,
    /// The first few.
    pub frames: Vec<u64>,
    /// Of the first.
    pub detail: String,
}

impl Found {
    pub fn add(&mut self, finding: &Finding) {
        let Finding {
            entry,
            service,
            frame,
            evidence,
            ..
        } = finding;
        let key = (Reverse(entry.severity), entry.id, *service);
        let sum = self.sums.entry(key).or_insert_with(|| Sum {
            entry,
            service: *service,
            times: 0,
            frames: Vec::new(),
            detail: evidence.detail.clone(),
        });
        sum.times += 1;
        if sum.frames.len() < EVIDENCE && sum.frames.last() != Some(frame) {
            sum.frames.push(*frame);
        }
    }

    pub fn sums(&self) -> impl Iterator<Item = &Sum> {
        self.sums.values()
    }

    /// How many of each severity there are at each service.
    pub fn by_service(&self) -> BTreeMap<(Service, Severity), u64> {
        let mut counts = BTreeMap::new();
        for sum in self.sums() {
            if let Some(service) = sum.service {
                *counts.entry((service, sum.entry.severity)).or_default() += sum.times;
            }
        }
        counts
    }

    pub fn worst(&self) -> Option<Severity> {
        self.sums().map(|sum| sum.entry.severity).max()
    }
}

/// Frames that are named as evidence.
const EVIDENCE: usize = 4;
