//! What a helper asks of the connection that it reads, as the tracker does it.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::Tracker;
use crate::conntrack::config::Sysctl;
use crate::conntrack::event::{Closed, Ended, Event, ExpectationRecord, Status};
use crate::conntrack::expect::{Clash, Expected, destination};
use crate::expectation::{Expectation, ExpectationId};
use crate::helper::{Master, Refused, Standing};
use crate::packet::route::Device;
use crate::packet::tunnel::Tunnel;
use crate::tuple::{Direction, Tuple};

/// A connection in the hands of its helper.
pub struct Helped<'t> {
    pub tracker: &'t mut Tracker,
    pub slot: u32,
    /// Number of the packet that the helper reads, what it was taken out of, its direction and its way out.
    pub packet: u64,
    pub tunnel: Option<Tunnel>,
    pub direction: Direction,
    pub device: Option<Device>,
}

impl Helped<'_> {
    fn insert_or_decline(
        &mut self,
        expectation: Expectation,
        anybodys: bool,
    ) -> Result<ExpectationId, Refused> {
        let bytes = expectation.named_in(self.packet);
        let result = self.insert(expectation, anybodys);
        if let Err(refused) = result {
            self.decline(refused.reason(), bytes);
        }
        result
    }

    /// `nf_ct_expect_related_report`, `__nf_ct_expect_check`
    fn insert(
        &mut self,
        expectation: Expectation,
        anybodys: bool,
    ) -> Result<ExpectationId, Refused> {
        if !self.tracker.has_heir(&expectation) {
            return Err(Refused::NoHelper);
        }
        let tracker = &mut *self.tracker;
        let clash = tracker
            .expectations
            .clash(self.slot, &expectation, anybodys);
        tracker.bury(destination(&expectation), clash.map(|(slot, _)| slot));
        match clash {
            Some((slot, Clash::Same)) => tracker.close(slot, Closed::Refreshed),
            Some((_, Clash::Already)) => return Err(Refused::Already),
            Some((_, Clash::Overlap)) => return Err(Refused::Clash),
            None => {}
        }
        let Some(ct) = tracker.table.get(self.slot) else {
            return Err(Refused::NotListed);
        };
        let Some(help) = ct.help() else {
            return Err(Refused::NotListed);
        };
        let policy = tracker
            .policies
            .get(help.spec.name)
            .and_then(|classes| classes.get(usize::from(expectation.class)));
        let Some(&policy) = policy else {
            return Err(Refused::NoRoom);
        };
        let record = ExpectationRecord {
            id: ExpectationId(tracker.expected + 1),
            master_id: ct.id,
            master: ct.original,
            helper: help.name,
            root: ct.root(help.name),
            packet: self.packet,
            tunnel: self.tunnel,
            direction: self.direction,
            at: tracker.now,
            timeout: policy.timeout,
            expectation,
        };
        tracker.make_room(self.slot, record.expectation.class, policy.max_expected);
        if tracker.expectations.len() as u64 >= tracker.config.sysctls.get(Sysctl::ExpectMax) {
            return Err(Refused::NoRoom);
        }
        tracker.expected += 1;
        let id = record.id;
        let record = Arc::new(record);
        let slot = tracker.expectations.insert(Expected {
            record: Arc::clone(&record),
            master: self.slot,
            active_from: (!record.expectation.flags.inactive).then_some(tracker.now),
            expires: tracker.now + record.timeout,
            dead: None,
        });
        let ct = tracker.table.get_mut(self.slot);
        if let Some(help) = ct.and_then(|ct| ct.help_mut()) {
            help.expectations.insert(0, slot);
        }
        tracker.events.push(Event::ExpectationNew(record));
        Ok(id)
    }

    fn standing(&self, slot: u32) -> Option<Standing<'_>> {
        let expected = self.tracker.expectations.get(slot)?;
        let ct = self.tracker.table.get(self.slot)?;
        let record = &expected.record;
        let same_role = record.master.protocol == ct.original.protocol
            && record.master.is_ipv6() == ct.original.is_ipv6();
        Some(Standing {
            id: record.id,
            is_own: expected.master == self.slot,
            same_helper: same_role && ct.help().is_some_and(|help| help.name == record.helper),
            expectation: &record.expectation,
        })
    }
}

impl Master for Helped<'_> {
    fn is_expected(&self) -> bool {
        let ct = self.tracker.table.get(self.slot);
        ct.is_some_and(|ct| ct.status.has(Status::EXPECTED))
    }

    fn is_listed(&self) -> bool {
        let tracker = &self.tracker;
        let ct = tracker.table.get(self.slot);
        let found = ct.and_then(|ct| tracker.table.find(&ct.original));
        found.is_some_and(|(slot, _)| slot == self.slot)
    }

    fn leaves_alike(&self, address: IpAddr) -> bool {
        self.device == Some(Device::to(address))
    }

    fn refresh(&mut self, timeout: Duration) {
        let expires = self.tracker.now + timeout;
        if let Some(ct) = self.tracker.table.get_mut(self.slot) {
            ct.expires = expires;
        }
    }

    fn expect(&mut self, expectation: Expectation) -> Result<ExpectationId, Refused> {
        self.insert_or_decline(expectation, false)
    }

    fn expect_unless_expected(
        &mut self,
        expectation: Expectation,
    ) -> Result<ExpectationId, Refused> {
        self.insert_or_decline(expectation, true)
    }

    fn expectations(&self) -> Vec<Standing<'_>> {
        let slots = self.tracker.siblings(self.slot, |_| true).into_iter();
        slots.filter_map(|slot| self.standing(slot)).collect()
    }

    fn find(&self, tuple: &Tuple) -> Option<Standing<'_>> {
        self.standing(self.tracker.expectations.find(tuple)?)
    }

    fn renew(&mut self, expectation: ExpectationId, timeout: Duration) {
        let now = self.tracker.now;
        let renewed = self
            .tracker
            .expectations
            .renew(expectation, now, now + timeout);
        if let Some(expectation) = renewed {
            self.tracker.events.push(Event::ExpectationRenewed {
                expectation,
                timeout,
            });
        }
    }

    fn withdraw(&mut self, expectation: ExpectationId) {
        if let Some(slot) = self.tracker.expectations.slot_of(expectation) {
            self.tracker.close(slot, Closed::Withdrawn);
        }
    }

    fn unexpect(&mut self, expectation: ExpectationId) {
        if let Some(slot) = self.tracker.expectations.slot_of(expectation) {
            self.tracker.unexpect(slot);
        }
    }

    fn kill(&mut self, tuple: &Tuple) -> bool {
        let Some((slot, _)) = self.tracker.table.find(tuple) else {
            return false;
        };
        self.tracker.end(slot, Ended::Killed);
        self.tracker.free(slot);
        true
    }

    fn map_gre_keys(&mut self, direction: Direction, keys: &Tuple) -> bool {
        let Some(ct) = self.tracker.table.get(self.slot) else {
            return false;
        };
        self.tracker.gre_keys.add(ct.id, direction, keys)
    }

    fn unmap_gre_keys(&mut self) {
        if let Some(ct) = self.tracker.table.get(self.slot) {
            self.tracker.gre_keys.remove(ct.id);
        }
    }

    fn decline(&mut self, reason: &'static str, bytes: Range<usize>) {
        if let Some(root) = self.tracker.root(self.slot) {
            self.tracker.events.push(Event::Declined {
                root,
                reason,
                bytes,
            });
        }
    }
}
