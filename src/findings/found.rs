//! Findings, summed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Entry, Finding, Severity};
use crate::room::{FOUND_AT, Room};
use crate::service::Service;
use crate::stored;

/// Findings by entry and service, the worst first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Found {
    #[serde(with = "by_place")]
    sums: BTreeMap<Place, Sum>,
    /// By entry. What finds none is summed without its service.
    #[serde(with = "stored::by_word")]
    rooms: BTreeMap<&'static str, Room>,
    /// How many these are.
    pub omitted: u64,
    #[serde(with = "stored::pairs")]
    by_service: BTreeMap<(Service, Severity), u64>,
}

/// An entry of the catalogue. (As with `stored::Word`.)
type Known = &'static Entry;

/// What sums are told apart by, in their order.
type Place = (Reverse<Severity>, &'static str, Option<Service>);

/// An entry of the catalogue, as often as it was found at one service.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sum {
    /// What was found.
    #[serde(with = "by_id")]
    pub entry: Known,
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
    /// The same with so many more frames before it.
    pub fn count_on(&mut self, frames: u64) {
        let evidence = self.sums.values_mut().flat_map(|sum| &mut sum.frames);
        evidence.for_each(|frame| *frame += frames);
    }

    /// Takes in what was found in another replay; `counts` as in `add`.
    pub fn absorb(&mut self, other: Self, counts: impl Fn(&Service) -> bool) {
        self.omitted += other.omitted;
        for (place, times) in other.by_service {
            if counts(&place.0) {
                *self.by_service.entry(place).or_default() += times;
            }
        }
        for sum in other.sums.into_values() {
            let known = self.sum(sum.entry, sum.service, sum.times, &sum.detail);
            known.times += sum.times;
            for frame in sum.frames {
                known.note(frame);
            }
        }
    }

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
        let sum = self.sum(entry, *service, 1, &evidence.detail);
        sum.times += 1;
        sum.note(*frame);
    }

    /// What an entry comes to at a service, or at all for which there is no room: to that, `times` more are to be added.
    fn sum(
        &mut self,
        entry: &'static Entry,
        service: Option<Service>,
        times: u64,
        detail: &str,
    ) -> &mut Sum {
        let mut place = (Reverse(entry.severity), entry.id, service);
        if service.is_some() && !self.sums.contains_key(&place) {
            let room = self.rooms.entry(entry.id);
            if !room.or_insert(Room::new(FOUND_AT)).take() {
                self.omitted += times;
                place.2 = None;
            }
        }
        self.sums.entry(place).or_insert_with(|| Sum {
            entry,
            service: place.2,
            times: 0,
            frames: Vec::new(),
            detail: detail.to_owned(),
        })
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

impl Sum {
    fn note(&mut self, frame: u64) {
        if self.frames.len() < EVIDENCE && self.frames.last() != Some(&frame) {
            self.frames.push(frame);
        }
    }
}

/// An entry, by its name in the catalogue.
mod by_id {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::findings::{Entry, all};

    pub fn serialize<S: Serializer>(entry: &Entry, into: S) -> Result<S::Ok, S::Error> {
        into.serialize_str(entry.id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<&'static Entry, D::Error> {
        let id = String::deserialize(from)?;
        let entry = all().find(|entry| entry.id == id);
        entry.ok_or_else(|| D::Error::custom("a finding that the catalogue does not have"))
    }
}

/// Sums have their places in themselves.
mod by_place {
    use std::cmp::Reverse;
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Place, Sum};

    pub fn serialize<S: Serializer>(
        sums: &BTreeMap<Place, Sum>,
        into: S,
    ) -> Result<S::Ok, S::Error> {
        into.collect_seq(sums.values())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<BTreeMap<Place, Sum>, D::Error> {
        let place = |sum: &Sum| (Reverse(sum.entry.severity), sum.entry.id, sum.service);
        let sums = Vec::<Sum>::deserialize(from)?.into_iter();
        Ok(sums.map(|sum| (place(&sum), sum)).collect())
    }
}

/// Frames that are named as evidence.
const EVIDENCE: usize = 4;
