//! Helpers at work, and what becomes of what they expect.

use std::sync::Arc;

use super::Tracker;
use crate::conntrack::config::Sysctl;
use crate::conntrack::entry::Related;
use crate::conntrack::event::{Closed, Event, ExpectationId, ExpectationRecord, Status};
use crate::conntrack::expect::{Clash, Expected};
use crate::conntrack::transport::payload;
use crate::conntrack::{Info, Reason, State};
use crate::expectation::Expectation;
use crate::helper::{Effect, Message};
use crate::packet::Packet;
use crate::tuple::Tuple;

impl Tracker {
    /// Whoever sends the first packet that fits an expectation uses it up, whatever the packet is worth: an INVALID
    /// one burns it (`nf_ct_find_expectation`).
    pub(super) fn take_expectation(&mut self, tuple: &Tuple, packet: u64) -> Option<Box<Related>> {
        let slot = self.expectations.find(tuple)?;
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
        Some(Box::new(Related {
            expectation: record.id,
            master: record.master,
            helper: record.helper,
        }))
    }

    /// Shows the packet to the flow's helper and does what it asks for.
    pub(super) fn help(
        &mut self,
        slot: u32,
        info: Info,
        packet: &Packet<'_>,
    ) -> Result<(), Reason> {
        let Some(ct) = self.table.get_mut(slot) else {
            return Ok(());
        };
        let Some(help) = &mut ct.help else {
            return Ok(());
        };
        let Some((seq, payload)) = payload(ct.original.protocol, packet.transport_bytes()) else {
            return Ok(());
        };
        let message = Message {
            packet: packet.number,
            direction: info.direction,
            established: info.state == State::Established,
            seq,
            payload,
            tuples: [&ct.original, &ct.reply],
        };
        let (name, tuple, id) = (help.spec.name, ct.original, ct.id);
        for effect in help.helper.message(&message) {
            match effect {
                Effect::Expect(expectation) => {
                    self.expect(slot, info, packet.number, expectation)?
                }
                Effect::Decline { reason, .. } => {
                    self.events.push(Event::Declined {
                        master: id,
                        tuple,
                        helper: name,
                        reason,
                    });
                }
                Effect::Drop(reason) => return Err(Reason::Helper(reason)),
            }
        }
        Ok(())
    }

    /// `nf_ct_expect_related`
    pub(super) fn expect(
        &mut self,
        master: u32,
        info: Info,
        packet: u64,
        expectation: Expectation,
    ) -> Result<(), Reason> {
        const REFUSED: Reason = Reason::Helper("cannot add expectation");
        match self.expectations.clash(master, &expectation) {
            Some(Clash::Same(slot)) => self.close(slot, Closed::Refreshed),
            Some(Clash::Overlap) => return Err(REFUSED),
            None => {}
        }
        let Some(ct) = self.table.get(master) else {
            return Err(REFUSED);
        };
        let Some(help) = &ct.help else {
            return Err(REFUSED);
        };
        let policy = self
            .policies
            .get(help.spec.name)
            .and_then(|classes| classes.get(usize::from(expectation.class)));
        let Some(&policy) = policy else {
            return Err(REFUSED);
        };
        let record = ExpectationRecord {
            id: ExpectationId(self.expected + 1),
            master_id: ct.id,
            master: ct.original,
            helper: help.spec.name,
            packet,
            direction: info.direction,
            at: self.now,
            timeout: expectation.timeout.unwrap_or(policy.timeout),
            expectation,
        };
        let of_class = |slot: &&u32| {
            self.expectations
                .get(**slot)
                .is_some_and(|old| old.record.expectation.class == record.expectation.class)
        };
        let siblings = help.expectations.iter().filter(of_class).count() as u64;
        if policy.max_expected != 0 && siblings >= u64::from(policy.max_expected) {
            // Newest first, so the last is the oldest.
            if let Some(&oldest) = help.expectations.iter().rfind(of_class) {
                self.close(oldest, Closed::Evicted);
            }
        }
        if self.expectations.len() as u64 >= self.config.sysctls.get(Sysctl::ExpectMax) {
            return Err(REFUSED);
        }
        self.expected += 1;
        let record = Arc::new(record);
        let expires = self.now + record.timeout;
        let slot = self.expectations.insert(Expected {
            record: Arc::clone(&record),
            master,
            expires,
        });
        if let Some(help) = self.table.get_mut(master).and_then(|ct| ct.help.as_mut()) {
            help.expectations.insert(0, slot);
        }
        self.events.push(Event::ExpectationNew(record));
        Ok(())
    }

    pub(super) fn remove_expectations(&mut self, master: u32, why: Closed) {
        let help = self.table.get(master).and_then(|ct| ct.help.as_ref());
        let slots = help.map_or_else(Vec::new, |help| help.expectations.clone());
        for slot in slots {
            self.close(slot, why);
        }
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
        let left = expected.expires.since(self.now);
        self.events.push(Event::ExpectationDestroy {
            expectation: expected.record,
            why,
            left,
        });
    }
}
