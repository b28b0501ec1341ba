//! Helpers at work, and what becomes of what they expect.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::{Tracker, queue};
use crate::conntrack::config::Sysctl;
use crate::conntrack::entry::{Help, Related};
use crate::conntrack::event::{Closed, Ended, Event, ExpectationRecord, Root, Status};
use crate::conntrack::expect::{Clash, Destination, Expected, destination};
use crate::conntrack::transport::payload;
use crate::conntrack::{Info, Reason, State};
use crate::expectation::{Expectation, ExpectationId};
use crate::helper::{Dropped, Master, Message, Refused, Registered, Standing};
use crate::kernel::Behaviour;
use crate::packet::Packet;
use crate::packet::route::{self, Device, Exit, Fate};
use crate::tuple::{Direction, Tuple};

impl Tracker {
    /// Whoever sends the first packet that fits an expectation uses it up, whatever the packet is worth: an INVALID
    /// one burns it (`nf_ct_find_expectation`).
    pub(super) fn take_expectation(
        &mut self,
        tuple: &Tuple,
        packet: u64,
    ) -> Option<Arc<ExpectationRecord>> {
        let slot = self.expectations.find_active(tuple);
        self.bury((tuple.dst, tuple.dport, tuple.protocol), slot);
        let slot = slot?;
        let expected = self.expectations.get(slot)?;
        let record = Arc::clone(&expected.record);
        // A master that is not confirmed has not been seen by the other end yet.
        if !self
            .table
            .get(expected.master)?
            .status
            .has(Status::CONFIRMED)
        {
            return None;
        }
        if !record.expectation.flags.permanent {
            self.close(slot, Closed::Matched { packet });
        }
        if record.expectation.flags.paired {
            // `pptp_expectfn`: what was expected the other way round is this same flow.
            let other = tuple
                .inverse()
                .and_then(|inverse| self.expectations.find(&inverse));
            if let Some(other) = other {
                self.unexpect(other);
            }
        }
        Some(record)
    }

    /// `nf_ct_unexpect_related`
    fn unexpect(&mut self, slot: u32) {
        if self.config.kernel.does(Behaviour::ExpectationStamps) {
            self.expectations.kill(slot, self.now, Closed::Withdrawn);
        } else {
            self.close(slot, Closed::Withdrawn);
        }
    }

    /// Its time is over, or the collector has come for what is left of it.
    pub(super) fn time_out(&mut self, slot: u32) {
        let is_dead = |expected: &Expected| expected.dead.is_some();
        if self.config.kernel.does(Behaviour::ExpectationStamps)
            && !self.expectations.get(slot).is_some_and(is_dead)
        {
            self.expectations.linger(slot, self.now);
        } else {
            self.close(slot, Closed::TimedOut);
        }
    }

    /// Whoever looks through the expectations of a destination removes the dead ones, as far as it comes.
    fn bury(&mut self, destination: Destination, stop: Option<u32>) {
        for slot in self.expectations.dead(destination, stop) {
            self.close(slot, Closed::Withdrawn);
        }
    }

    /// What an expected flow has of the expectation: who its master is, and a helper of its own where one was meant
    /// for it.
    pub(super) fn inherit(&self, record: &ExpectationRecord) -> (Box<Related>, Option<Box<Help>>) {
        let related = Related {
            expectation: record.id,
            master: record.master,
            master_id: record.master_id,
            root: record.root,
            helper: record.helper,
        };
        let heir = record.expectation.helper.and_then(|heir| {
            // One that expects its own kind means itself, under its own name.
            let own = self.config.modules.registered_as(record.helper);
            own.filter(|own| own.spec.name == heir)
                .or_else(|| self.config.modules.registered_as(heir))
        });
        (Box::new(related), heir.map(|heir| self.start(heir)))
    }

    /// conntrackd's helpers are registered for a protocol each (`ctnetlink_glue_attach_expect`).
    fn has_heir(&self, expectation: &Expectation) -> bool {
        let heir = expectation
            .helper
            .and_then(|heir| self.config.modules.registered_as(heir));
        heir.is_none_or(|heir| {
            !heir.spec.in_userspace() || self.config.runs_for(heir.spec, expectation.protocol)
        })
    }

    pub(super) fn start(&self, helper: &Registered) -> Box<Help> {
        let &Registered { name, spec, .. } = helper;
        Box::new(Help {
            name,
            spec,
            helper: Some((spec.start)(&self.config.modules, &self.config.kernel)),
            expectations: Vec::new(),
        })
    }

    /// Shows the packet, at this end of its way, to the flow's helper, which does what it wants.
    pub(super) fn help(
        &mut self,
        slot: u32,
        info: Info,
        packet: &Packet<'_>,
        fate: Fate,
        exit: Exit,
    ) -> Result<(), Reason> {
        let Some(ct) = self.table.get_mut(slot) else {
            return Ok(());
        };
        let Some(help) = &ct.help else {
            return Ok(());
        };
        let is_queued = help.spec.in_userspace();
        if is_queued {
            match queue::arrives(packet, ct, help.spec, fate, exit) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(dropped) => return Err(self.refuse(slot, dropped)),
            }
        }
        let transport = packet.transport_bytes();
        let Some((seq, header, payload)) = payload(ct.original.protocol, transport) else {
            return Ok(());
        };
        let taken = ct.help.as_mut().and_then(|help| help.helper.take());
        let Some(mut helper) = taken else {
            return Ok(());
        };
        let own_broadcast = (fate == Fate::Broadcast && exit == Exit::Own)
            .then(|| route::broadcast_network(packet.dst, &self.config.local))
            .flatten();
        let message = Message {
            packet: packet.number,
            direction: info.direction,
            established: info.state == State::Established,
            seq,
            header,
            payload,
            tuples: [ct.original, ct.reply],
            own_broadcast,
        };
        let result = helper.message(
            &message,
            &mut Helped {
                tracker: self,
                slot,
                packet: packet.number,
                direction: info.direction,
                device: Some(Device::of(packet, fate)),
            },
        );
        self.give_back(slot, helper);
        if is_queued {
            self.return_from_queue(slot);
        }
        result.map_err(|dropped| self.refuse(slot, dropped))
    }

    fn refuse(&mut self, slot: u32, Dropped(reason): Dropped) -> Reason {
        if let Some(root) = self.root(slot) {
            self.events.push(Event::Refused { root, reason });
        }
        Reason::Helper(reason)
    }

    /// The flow that this one's helper comes from.
    fn root(&self, slot: u32) -> Option<Root> {
        let ct = self.table.get(slot)?;
        let help = ct.help.as_ref()?;
        Some(ct.root(help.name))
    }

    /// The flow leaves the table, which some helpers want to know (`nf_ct_helper_destroy`).
    pub(super) fn dismiss_helper(&mut self, slot: u32) {
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
        let tuples = [ct.original, ct.reply];
        let Some(mut helper) = ct.help.as_mut().and_then(|help| help.helper.take()) else {
            return;
        };
        helper.destroy(
            &tuples,
            &mut Helped {
                tracker: self,
                slot,
                packet: 0,
                direction: Direction::Original,
                device: None,
            },
        );
        self.give_back(slot, helper);
    }

    fn give_back(&mut self, slot: u32, helper: Box<dyn crate::helper::Helper>) {
        if let Some(help) = self.table.get_mut(slot).and_then(|ct| ct.help.as_mut()) {
            help.helper = Some(helper);
        }
    }

    pub(super) fn remove_expectations(&mut self, master: u32, why: Closed) {
        for slot in self.siblings(master, |_| true) {
            self.close(slot, why);
        }
    }

    /// Where a class is full its oldest gives way, unless the dead do (`evict_oldest_expect`).
    fn make_room(&mut self, master: u32, class: u8, most: u32) {
        let is_full = |siblings: &[u32]| most != 0 && siblings.len() as u64 >= u64::from(most);
        if !is_full(&self.siblings(master, |old| old.record.expectation.class == class)) {
            return;
        }
        for dead in self.siblings(master, |old| old.dead.is_some()) {
            self.close(dead, Closed::Withdrawn);
        }
        let siblings = self.siblings(master, |old| old.record.expectation.class == class);
        if is_full(&siblings)
            && let Some(&oldest) = siblings.last()
        {
            self.close(oldest, Closed::Evicted);
        }
    }

    /// Those of a master's expectations that are so, newest first.
    fn siblings(&self, master: u32, are_so: impl Fn(&Expected) -> bool) -> Vec<u32> {
        let help = self.table.get(master).and_then(|ct| ct.help.as_ref());
        let slots = help.map_or(&[][..], |help| &help.expectations);
        let slots = slots.iter().copied();
        slots
            .filter(|&slot| self.expectations.get(slot).is_some_and(&are_so))
            .collect()
    }

    /// `nf_ct_unlink_expect`
    pub(super) fn close(&mut self, slot: u32, why: Closed) {
        let Some(expected) = self.expectations.remove(slot) else {
            return;
        };
        if let Some(help) = self
            .table
            .get_mut(expected.master)
            .and_then(|ct| ct.help.as_mut())
        {
            help.expectations.retain(|&other| other != slot);
        }
        let (end, why) = expected.dead.unwrap_or((self.now, why));
        let from = expected.active_from;
        self.events.push(Event::ExpectationDestroy {
            open: from.map_or(Duration::ZERO, |from| end.since(from)),
            left: expected.expires.since(self.now),
            expectation: expected.record,
            why,
        });
    }
}

/// A connection in the hands of its helper.
struct Helped<'t> {
    tracker: &'t mut Tracker,
    slot: u32,
    /// Number of the packet that the helper reads, its direction and its way out.
    packet: u64,
    direction: Direction,
    device: Option<Device>,
}

impl Helped<'_> {
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
            return Err(Refused::NoRoom);
        };
        let Some(help) = &ct.help else {
            return Err(Refused::NoRoom);
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
        if let Some(help) = ct.and_then(|ct| ct.help.as_mut()) {
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
            same_helper: same_role
                && ct
                    .help
                    .as_ref()
                    .is_some_and(|help| help.name == record.helper),
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
        self.insert(expectation, false)
    }

    fn expect_unless_expected(
        &mut self,
        expectation: Expectation,
    ) -> Result<ExpectationId, Refused> {
        self.insert(expectation, true)
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
