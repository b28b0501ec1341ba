//! Findings, summed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Entry, Finding, Severity};
use crate::room::{FOUND_AT, Room};
use crate::service::Service;

/// Findings by entry and service, the worst first.
#[derive(Debug, Default)]
pub struct Found {
    sums: BTreeMap<(Reverse<Severity>, &'static str, Option<Service>), Sum>,
    /// By entry. What finds none is summed without its service.
    rooms: BTreeMap<&'static str, Room>,
    /// How many these are.
    pub omitted: u64,
    by_service: BTreeMap<(Service, Severity), u64>,
}

/// An entry of the catalogue, as often as it was found at one service.
#[derive(Debug)]
pub struct Sum {
    /// What was found.
    pub entry: &'static Entry,
    /// `None` where no helper is involved, and for what was found at more services than are told apart.
    pub service: Option<Service>,
    /// How often.
    pub times: u64,
    /// The first few.
    pub frames: Vec<u64>,
    /// Of the first.
    pub detail: String,
}

impl Found {
    /// Adds a finding; `counts` where the verdict on its service is to know of it.
    pub fn add(&mut self, finding: &Finding, counts: bool) {
        let Finding {
            entry,
            service,
            frame,
            evidence,
            ..
        } = finding;
        if let Some(service) = service.filter(|_| counts) {
            let key = (service, entry.severity);
            *self.by_service.entry(key).or_default() += 1;
        }
        let mut key = (Reverse(entry.severity), entry.id, *service);
        if service.is_some() && !self.sums.contains_key(&key) {
            let room = self.rooms.entry(entry.id);
            if !room.or_insert(Room::new(FOUND_AT)).take() {
                self.omitted += 1;
                key.2 = None;
            }
        }
        let sum = self.sums.entry(key).or_insert_with(|| Sum {
            entry,
            service: key.2,
            times: 0,
            frames: Vec::new(),
            detail: evidence.detail.clone(),
        });
        sum.times += 1;
        if sum.frames.len() < EVIDENCE && sum.frames.last() != Some(frame) {
            sum.frames.push(*frame);
        }
    }

    /// The worst first.
    pub fn sums(&self) -> impl Iterator<Item = &Sum> {
        self.sums.values()
    }

    /// How many of each severity there are at each service.
    pub fn by_service(&self) -> &BTreeMap<(Service, Severity), u64> {
        &self.by_service
    }

    /// `None` where nothing was found.
    pub fn worst(&self) -> Option<Severity> {
        self.sums().map(|sum| sum.entry.severity).max()
    }
}

/// Frames that are named as evidence.
const EVIDENCE: usize = 4;
