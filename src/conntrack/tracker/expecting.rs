//! Helpers at work, and what becomes of what they expect.

use std::sync::Arc;
use std::time::Duration;

use super::helped::Helped;
use super::{Tracker, queue};
use crate::conntrack::entry::{Help, Related};
use crate::conntrack::event::{Closed, Event, ExpectationRecord, Root, Status};
use crate::conntrack::expect::{Destination, Expected};
use crate::conntrack::transport::payload;
use crate::conntrack::{Info, Reason, State};
use crate::expectation::Expectation;
use crate::helper::{Dropped, Message, Registered};
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
    pub(super) fn unexpect(&mut self, slot: u32) {
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
    pub(super) fn bury(&mut self, destination: Destination, stop: Option<u32>) {
        for slot in self.expectations.dead(destination, stop) {
            self.close(slot, Closed::Withdrawn);
        }
    }

    /// What an expected flow has of the expectation: who its master is, and a helper of its own where one was meant
    /// for it.
    pub(super) fn inherit(&self, record: &ExpectationRecord) -> (Related, Option<Help>) {
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
        (related, heir.map(|heir| self.start(heir)))
    }

    /// conntrackd's helpers are registered for a protocol each (`ctnetlink_glue_attach_expect`).
    pub(super) fn has_heir(&self, expectation: &Expectation) -> bool {
        let heir = expectation
            .helper
            .and_then(|heir| self.config.modules.registered_as(heir));
        heir.is_none_or(|heir| {
            !heir.spec.in_userspace() || self.config.runs_for(heir.spec, expectation.protocol)
        })
    }

    pub(super) fn start(&self, helper: &Registered) -> Help {
        let &Registered { name, spec, .. } = helper;
        Help {
            name,
            spec,
            helper: Some((spec.start)(&self.config.modules, &self.config.kernel)),
            expectations: Vec::new(),
        }
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
        let Some(help) = ct.help() else {
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
        let taken = ct.help_mut().and_then(|help| help.helper.take());
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
            tuples: [ct.original, ct.reply()],
            is_own: matches!(fate, Fate::Sent | Fate::Broadcast | Fate::Looped),
            own_broadcast,
        };
        if let Some(notes) = &self.notes {
            notes.was_read.set(true);
        }
        let result = helper.message(
            &message,
            &mut Helped {
                tracker: self,
                slot,
                packet: packet.number,
                tunnel: packet.tunnel.copied(),
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
    pub(super) fn root(&self, slot: u32) -> Option<Root> {
        let ct = self.table.get(slot)?;
        let help = ct.help()?;
        Some(ct.root(help.name))
    }

    /// The flow leaves the table, which some helpers want to know (`nf_ct_helper_destroy`).
    pub(super) fn dismiss_helper(&mut self, slot: u32) {
        let Some(ct) = self.table.get_mut(slot) else {
            return;
        };
        let tuples = [ct.original, ct.reply()];
        let Some(mut helper) = ct.help_mut().and_then(|help| help.helper.take()) else {
            return;
        };
        helper.destroy(
            &tuples,
            &mut Helped {
                tracker: self,
                slot,
                packet: 0,
                tunnel: None,
                direction: Direction::Original,
                device: None,
            },
        );
        self.give_back(slot, helper);
    }

    fn give_back(&mut self, slot: u32, helper: Box<dyn crate::helper::Helper>) {
        if let Some(help) = self.table.get_mut(slot).and_then(|ct| ct.help_mut()) {
            help.helper = Some(helper);
        }
    }

    pub(super) fn remove_expectations(&mut self, master: u32, why: Closed) {
        for slot in self.siblings(master, |_| true) {
            self.close(slot, why);
        }
    }

    /// Where a class is full its oldest gives way, unless the dead do (`evict_oldest_expect`).
    pub(super) fn make_room(&mut self, master: u32, class: u8, most: u32) {
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
    pub(super) fn siblings(&self, master: u32, are_so: impl Fn(&Expected) -> bool) -> Vec<u32> {
        let help = self.table.get(master).and_then(|ct| ct.help());
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
            .and_then(|ct| ct.help_mut())
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
