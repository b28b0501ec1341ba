//! The expectations alive: where they lead, and how many go back to one client; and the last that ended unused.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::conntrack::event::{Closed, ExpectationRecord};
use crate::time::Timestamp;
use crate::tuple::{Protocol, Tuple};

#[derive(Default)]
pub struct Holes {
    by_place: HashMap<Place, Vec<Arc<ExpectationRecord>>>,
    /// By the client whose control connection it all began with.
    held: HashMap<IpAddr, Held>,
    /// Those that ended and let nobody in, the newest last.
    past: VecDeque<Past>,
}

/// An expectation that ended.
pub struct Past {
    pub record: Arc<ExpectationRecord>,
    pub why: Closed,
    pub at: Timestamp,
}

type Place = (IpAddr, u16, Protocol);

/// Expectations alive, now and at most.
#[derive(Default)]
struct Held {
    now: u64,
    most: u64,
}

impl Holes {
    /// How many its client has now, if it never had so many since it had none.
    pub fn open(&mut self, record: &Arc<ExpectationRecord>) -> Option<u64> {
        let place = self.by_place.entry(leads_to(record)).or_default();
        place.push(Arc::clone(record));
        let held = self.held.entry(record.root.tuple.src).or_default();
        held.now += 1;
        let is_more = held.now > held.most;
        held.most = held.most.max(held.now);
        is_more.then_some(held.now)
    }

    pub fn renew(&mut self, record: &Arc<ExpectationRecord>) {
        let place = self.by_place.get_mut(&leads_to(record));
        let mut known = place.into_iter().flatten();
        if let Some(known) = known.find(|known| known.id == record.id) {
            known.clone_from(record);
        }
    }

    pub fn close(&mut self, record: &Arc<ExpectationRecord>, why: Closed, at: Timestamp) {
        if !matches!(why, Closed::Matched { .. } | Closed::Refreshed) {
            if self.past.len() == REMEMBERED {
                self.past.pop_front();
            }
            let record = Arc::clone(record);
            self.past.push_back(Past { record, why, at });
        }
        let place = leads_to(record);
        if let Some(open) = self.by_place.get_mut(&place) {
            open.retain(|other| other.id != record.id);
            if open.is_empty() {
                self.by_place.remove(&place);
            }
        }
        let client = record.root.tuple.src;
        if let Some(held) = self.held.get_mut(&client) {
            held.now = held.now.saturating_sub(1);
            if held.now == 0 {
                self.held.remove(&client);
            }
        }
    }

    /// The newest that would have let in such a flow, had it not ended less than a minute before.
    pub fn missed(&self, flow: &Tuple, at: Timestamp) -> Option<&Past> {
        let place = (flow.dst, flow.dport, flow.protocol);
        self.past.iter().rev().find(|past| {
            let expected = &past.record.expectation;
            let from = expected.src_addr.as_ref();
            let port = expected.src_port.as_ref();
            leads_to(&past.record) == place
                && at.since(past.at) < A_MINUTE
                && from.is_none_or(|from| from.value.contains(&flow.src))
                && port.is_none_or(|port| port.value == flow.sport)
        })
    }

    /// Those that lead to where a flow goes, the newest first.
    pub fn led_to(&self, flow: &Tuple) -> impl Iterator<Item = &Arc<ExpectationRecord>> {
        let place = (flow.dst, flow.dport, flow.protocol);
        self.by_place.get(&place).into_iter().flatten().rev()
    }
}

fn leads_to(record: &ExpectationRecord) -> Place {
    let expectation = &record.expectation;
    (
        expectation.dst_addr.value,
        expectation.dst_port.value,
        expectation.protocol,
    )
}

/// Expectations that ended which are remembered.
const REMEMBERED: usize = 32;
const A_MINUTE: Duration = Duration::from_secs(60);
