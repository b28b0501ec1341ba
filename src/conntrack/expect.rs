//! The table of expectations: what may be inserted, what matches, what gives way.
//!
//! Source: net/netfilter/nf_conntrack_expect.c. Expectations are found by what they name exactly, the destination;
//! among several for one destination the newest is asked first.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use super::event::{Closed, ExpectationRecord};
use super::slots::Slots;
use crate::expectation::{Expectation, ExpectationId};
use crate::time::Timestamp;
use crate::tuple::{Protocol, Tuple};

/// What is expected now, by anybody.
#[derive(Default)]
pub struct Expectations {
    standing: Slots<Expected>,
    by_destination: HashMap<Destination, Vec<u32>>,
    by_id: HashMap<ExpectationId, u32>,
}

/// An expectation in the table.
pub struct Expected {
    pub record: Arc<ExpectationRecord>,
    /// Slot of the master in the conntrack table.
    pub master: u32,
    /// `None`: nothing matches it yet.
    pub active_from: Option<Timestamp>,
    pub expires: Timestamp,
    /// When it was taken back or timed out, though it is still in the table.
    pub dead: Option<(Timestamp, Closed)>,
}

/// What an expectation always names.
pub type Destination = (IpAddr, u16, Protocol);

/// What stands in the way of a new expectation (`__nf_ct_expect_check`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// The same master expects the same already: the old one gives way.
    Same,
    /// The same is expected in another class or by another master.
    Already,
    /// A packet could match both.
    Overlap,
}

impl Expectations {
    pub fn len(&self) -> usize {
        self.standing.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, slot: u32) -> Option<&Expected> {
        self.standing.get(slot)
    }

    pub fn insert(&mut self, expected: Expected) -> u32 {
        let destination = destination(&expected.record.expectation);
        let (id, expires) = (expected.record.id, expected.expires);
        let slot = self.standing.insert(expected);
        self.standing.schedule(slot, expires);
        self.by_destination
            .entry(destination)
            .or_default()
            .insert(0, slot);
        self.by_id.insert(id, slot);
        slot
    }

    pub fn remove(&mut self, slot: u32) -> Option<Expected> {
        let expected = self.standing.remove(slot)?;
        self.by_id.remove(&expected.record.id);
        let destination = destination(&expected.record.expectation);
        if let Some(slots) = self.by_destination.get_mut(&destination) {
            slots.retain(|&other| other != slot);
            if slots.is_empty() {
                self.by_destination.remove(&destination);
            }
        }
        Some(expected)
    }

    /// The newest active expectation that this first packet of a flow fits (`nf_ct_find_expectation`).
    pub fn find_active(&self, tuple: &Tuple) -> Option<u32> {
        self.find_where(tuple, |expectation| !expectation.flags.inactive)
    }

    /// The newest expectation that such a packet fits, active or not (`__nf_ct_expect_find`).
    pub fn find(&self, tuple: &Tuple) -> Option<u32> {
        self.find_where(tuple, |_| true)
    }

    fn find_where(&self, tuple: &Tuple, counts: impl Fn(&Expectation) -> bool) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let slots = self
            .by_destination
            .get(&(tuple.dst, tuple.dport, tuple.protocol))?;
        slots.iter().copied().find(|&slot| {
            self.living(slot).is_some_and(|expected| {
                let expectation = &expected.record.expectation;
                counts(expectation) && fits(expectation, tuple)
            })
        })
    }

    fn living(&self, slot: u32) -> Option<&Expected> {
        self.get(slot).filter(|expected| expected.dead.is_none())
    }

    /// From now on it matches nothing and stands in nobody's way; but it still counts.
    pub fn kill(&mut self, slot: u32, now: Timestamp, why: Closed) {
        if let Some(expected) = self.standing.get_mut(slot) {
            expected.dead.get_or_insert((now, why));
        }
    }

    /// It has timed out, and stays until somebody comes across it or the collector comes by.
    pub fn linger(&mut self, slot: u32, now: Timestamp) {
        self.kill(slot, now, Closed::TimedOut);
        self.standing.schedule(slot, now + COLLECTION);
    }

    /// The dead ones that somebody meets who looks for a destination and stops at this slot, or nowhere. The kernel's
    /// lists hold those of other destinations, too, as a random seed decides; these are not met here.
    pub fn dead(&self, destination: Destination, stop: Option<u32>) -> Vec<u32> {
        let slots = self.by_destination.get(&destination);
        let slots = slots.map_or(&[][..], |slots| slots);
        let met = slots.iter().copied().take_while(|&slot| Some(slot) != stop);
        met.filter(|&slot| self.living(slot).is_none()).collect()
    }

    /// The first expectation that does not bear this one beside it, and why. `anybodys`: the same one of another
    /// master counts as the same, too (`NF_CT_EXP_F_SKIP_MASTER`).
    pub fn clash(&self, master: u32, new: &Expectation, anybodys: bool) -> Option<(u32, Clash)> {
        self.by_destination
            .get(&destination(new))?
            .iter()
            .find_map(|&slot| {
                let old = self.living(slot)?;
                let (own, expectation) = (old.master == master, &old.record.expectation);
                if (own || anybodys) && same(expectation, new) {
                    let replaceable = own && expectation.class == new.class;
                    let clash = if replaceable {
                        Clash::Same
                    } else {
                        Clash::Already
                    };
                    Some((slot, clash))
                } else {
                    overlap(expectation, new).then_some((slot, Clash::Overlap))
                }
            })
    }

    pub fn slot_of(&self, id: ExpectationId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Activates it and gives it a new time-out, even where the last one is over.
    pub fn renew(
        &mut self,
        id: ExpectationId,
        now: Timestamp,
        expires: Timestamp,
    ) -> Option<Arc<ExpectationRecord>> {
        let slot = self.slot_of(id)?;
        let expected = self.standing.get_mut(slot)?;
        Arc::make_mut(&mut expected.record)
            .expectation
            .flags
            .inactive = false;
        expected.dead = expected.dead.filter(|(_, why)| *why != Closed::TimedOut);
        expected.active_from.get_or_insert(now);
        expected.expires = expires;
        let record = Arc::clone(&expected.record);
        self.standing.schedule(slot, expires);
        Some(record)
    }

    /// The one that time is to end next, or to clear away, and when, if that is not after `now`.
    pub fn next_due(&mut self, now: Timestamp) -> Option<(Timestamp, u32)> {
        self.standing.next_due(now)
    }
}

pub fn destination(expectation: &Expectation) -> Destination {
    (
        expectation.dst_addr.value,
        expectation.dst_port.value,
        expectation.protocol,
    )
}

/// The destination is known to fit.
fn fits(expectation: &Expectation, tuple: &Tuple) -> bool {
    let addr = expectation
        .src_addr
        .as_ref()
        .is_none_or(|net| net.value.contains(&tuple.src));
    let port = expectation
        .src_port
        .as_ref()
        .is_none_or(|port| port.value == tuple.sport);
    addr && port
}

fn same(a: &Expectation, b: &Expectation) -> bool {
    let value = |net: &crate::expectation::Sourced<ipnet::IpNet>| net.value;
    a.src_addr.as_ref().map(value) == b.src_addr.as_ref().map(value)
        && a.src_port.as_ref().map(|port| port.value) == b.src_port.as_ref().map(|port| port.value)
}

/// Equal in what both compare (`expect_clash`).
fn overlap(a: &Expectation, b: &Expectation) -> bool {
    let addr = match (&a.src_addr, &b.src_addr) {
        (Some(a), Some(b)) => a.value.contains(&b.value) || b.value.contains(&a.value),
        _ => true,
    };
    let port = match (&a.src_port, &b.src_port) {
        (Some(a), Some(b)) => a.value == b.value,
        _ => true,
    };
    addr && port
}

/// The collector (`gc_worker`) comes by once a minute where little happens: half a minute late on the average.
const COLLECTION: Duration = Duration::from_secs(30);
