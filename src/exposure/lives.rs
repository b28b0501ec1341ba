//! What becomes of expectations and of the flows that come for them: from the events of steps to rows and sums.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use super::{
    ClosedExpectation, EndedConntrack, Ends, Exposure, Outcome, Possible, Refusal, Visitor,
};
use crate::conntrack::event::{
    Closed, ConntrackRecord, Ended, Event, ExpectationRecord, Root, Status,
};
use crate::expectation::Origin;
use crate::helper;
use crate::packet::tunnel::Tunnel;
use crate::service::Service;
use crate::time::Timestamp;

/// What is remembered of an expectation while it is alive.
#[derive(Clone, Debug)]
pub(super) struct Alive {
    record: Arc<ExpectationRecord>,
    visitor: Option<Visitor>,
    /// It took the place of one that was the same; and of one that somebody had come for.
    continues: bool,
    was_used: bool,
    renewed: u64,
}

/// Expectations that this step ended, and whose sequel may follow in the same step.
#[derive(Default)]
struct Sequels {
    /// Matched: the flow is told right behind it.
    matched: Option<(Alive, Duration)>,
    /// Made again: the new one is told right behind it.
    refreshed: Option<Alive>,
}

impl Exposure {
    /// What a packet did, out of which tunnel, and whether its helper dropped it; or what time did before.
    pub(super) fn events<'e>(
        &mut self,
        (number, tunnel): (u64, Option<Tunnel>),
        dropped: bool,
        events: impl Iterator<Item = (Timestamp, &'e Event)>,
    ) {
        let mut sequels = Sequels::default();
        let mut is_told = false;
        for (at, event) in events {
            match event {
                Event::ExpectationNew(record) => self.made(record, &mut sequels),
                Event::ExpectationRenewed { expectation, .. } => {
                    if let Some(alive) = self.alive.get_mut(&expectation.id) {
                        alive.renewed += 1;
                    }
                    if let Some(service) = self.rooms.service(&mut self.services, &expectation.root)
                    {
                        service.refreshed += 1;
                    }
                }
                Event::ExpectationDestroy {
                    expectation,
                    why,
                    open,
                    ..
                } => {
                    let Some(alive) = self.alive.remove(&expectation.id) else {
                        continue;
                    };
                    if matches!(why, Closed::Matched { .. }) {
                        sequels.matched = Some((alive, *open));
                        continue;
                    }
                    if *why == Closed::Refreshed {
                        sequels.refreshed = Some(alive.clone());
                    }
                    self.ended_unmatched((number, at), alive, *why, *open);
                }
                Event::ConntrackNew(record) => {
                    self.came(at, record, &mut sequels);
                    self.opened(record);
                }
                Event::ConntrackDestroy(record, ended) => self.ended(record, *ended),
                Event::Declined {
                    root,
                    reason,
                    bytes,
                } => {
                    is_told |= helper::is_of_conntrack(reason);
                    let bytes = Some(bytes.clone());
                    self.refused((number, tunnel, at), root, reason, bytes, dropped);
                }
                Event::Refused { root, reason } if !is_told => {
                    self.refused((number, tunnel, at), root, reason, None, true);
                }
                Event::Refused { .. } => {}
                Event::ConntrackUpdate(_) => {}
            }
        }
        if let Some((alive, open)) = sequels.matched {
            let at = alive.record.at + open;
            self.close(at, alive, Outcome::Burned, Some(number), open);
        }
    }

    fn made(&mut self, record: &Arc<ExpectationRecord>, sequels: &mut Sequels) {
        let before = sequels.refreshed.take_if(|before| {
            before.record.master_id == record.master_id
                && before.record.expectation.tuple() == record.expectation.tuple()
        });
        let continues = before.is_some();
        let was_used = |before: Alive| before.was_used || before.visitor.is_some();
        let alive = Alive {
            record: Arc::clone(record),
            visitor: None,
            continues,
            was_used: before.is_some_and(was_used),
            renewed: 0,
        };
        self.alive.insert(record.id, alive);
        let is_third_host = record.third_host().is_some();
        let Some(service) = self.rooms.service(&mut self.services, &record.root) else {
            return;
        };
        if continues {
            service.refreshed += 1;
        } else {
            service.expected += 1;
            service.to_third_hosts += u64::from(is_third_host);
            service.hours.made(record.at, &mut self.rooms.hours);
        }
    }

    /// Time, its helper or the end of its master closed it; or the same one was made again.
    fn ended_unmatched(
        &mut self,
        (number, at): (u64, Timestamp),
        alive: Alive,
        why: Closed,
        open: Duration,
    ) {
        let by_packet = matches!(why, Closed::Refreshed | Closed::Evicted);
        let (outcome, packet) = match alive.visitor {
            Some(visitor) => (Outcome::Used, Some(visitor.packet)),
            None => (Outcome::Unused(why), by_packet.then_some(number)),
        };
        self.close(at, alive, outcome, packet, open);
    }

    /// Where the new flow was expected, the expectation has its visitor.
    fn came(&mut self, at: Timestamp, record: &ConntrackRecord, sequels: &mut Sequels) {
        let visitor = Visitor {
            src: record.original.src,
            sport: record.original.sport,
            packet: record.life.first_packet,
            at,
        };
        let came_for = sequels
            .matched
            .take_if(|(alive, _)| record.expectation == Some(alive.record.id));
        if let Some((mut alive, open)) = came_for {
            self.related(&alive.record, record);
            alive.visitor = Some(visitor);
            self.close(at, alive, Outcome::Used, Some(visitor.packet), open);
        } else if let Some(id) = record.expectation
            && let Some(alive) = self.alive.get_mut(&id)
        {
            alive.visitor.get_or_insert(visitor);
            let expected = Arc::clone(&alive.record);
            self.related(&expected, record);
        }
    }

    /// Adds one that was closed to the sums of its service.
    fn count(&mut self, at: Timestamp, alive: &Alive, outcome: Outcome, open: Duration) {
        let record = &alive.record;
        let to_anybody = record.expectation.src_addr.is_none();
        let Some(service) = self.services.get_mut(&Service::of(&record.root)) else {
            return;
        };
        let hours = &mut self.rooms.hours;
        service.open += open;
        if to_anybody {
            service.open_to_anybody += open;
        }
        match (outcome, alive.visitor) {
            (Outcome::Used, Some(visitor)) if !alive.was_used => {
                service.used += 1;
                service.hours.used(visitor.at, hours);
            }
            (Outcome::Used, _) => {}
            (Outcome::Burned, _) => service.burned += 1,
            (Outcome::Unused(why), _) => {
                service.evicted += u64::from(why == Closed::Evicted);
                if !alive.was_used {
                    service.open_for_nothing += open;
                }
            }
        }
        // One that had to be activated stood open at the end of its life; some ends are told later than they were.
        let from = match record.expectation.flags.inactive {
            true => at - open,
            false => record.at,
        };
        service.hours.open(from, from + open, to_anybody, hours);
    }

    fn close(
        &mut self,
        at: Timestamp,
        alive: Alive,
        outcome: Outcome,
        packet: Option<u64>,
        open: Duration,
    ) {
        self.count(at, &alive, outcome, open);
        let record = alive.record;
        let possible = Possible::of(&record, &self.modules, &self.kernel);
        self.expectations.push(ClosedExpectation {
            record,
            outcome,
            packet,
            open,
            continues: alive.continues,
            renewed: alive.renewed,
            visitor: alive.visitor,
            possible,
        });
    }

    fn refused(
        &mut self,
        (frame, tunnel, at): (u64, Option<Tunnel>, Timestamp),
        root: &Root,
        reason: &'static str,
        bytes: Option<Range<usize>>,
        dropped: bool,
    ) {
        if let Some(service) = self.rooms.service(&mut self.services, root) {
            let refusals = service.refusals.entry(reason).or_default();
            refusals.seen.add(frame);
            refusals.dropped += u64::from(dropped);
        }
        self.refusals.push(Refusal {
            frame,
            tunnel,
            at,
            service: Service::of(root),
            client: root.tuple.src,
            reason,
            bytes,
            dropped,
        });
    }

    fn opened(&mut self, record: &ConntrackRecord) {
        let picked_up = record.is_picked_up();
        self.totals.picked_up += u64::from(picked_up);
        let Some(helper) = record.helper else { return };
        if record.expectation.is_some() {
            // What inherits its helper belongs to the service that it was expected for.
            return;
        }
        let tuple = record.original;
        let key = Service::of(&Root { helper, tuple });
        self.flows.insert(record.id, key);
        let Some(service) = self.rooms.services.entry(&mut self.services, key) else {
            return;
        };
        if service.controls == 0 {
            service.first_packet = record.life.first_packet;
        }
        service.controls += 1;
        service.picked_up += u64::from(picked_up);
        service.add_client(tuple.src, &mut self.rooms.clients);
    }

    /// A flow that came for an expectation.
    fn related(&mut self, expected: &ExpectationRecord, record: &ConntrackRecord) {
        let key = Service::of(&expected.root);
        self.flows.insert(record.id, key);
        let tuple = &record.original;
        if record.is_picked_up() {
            if let Some(service) = self.services.get_mut(&key) {
                service.begun_before.add(record.life.first_packet);
            }
            return;
        }
        let ends = Ends {
            client: expected.root.tuple.src,
            helper: expected.helper,
            protocol: tuple.protocol,
            src: tuple.src,
            dst: tuple.dst,
        };
        let negotiated = expected.expectation.dst_port.origin != Origin::Helper;
        let rooms = &mut self.rooms;
        if let Some(service) = rooms.needed(&mut self.services, key)
            && let Some(related) = rooms.related(&mut service.related, ends)
        {
            // One that is listed only now had no room for what came before.
            service.expected = service.expected.max(1);
            let first_packet = record.life.first_packet;
            related.add(tuple.dport, negotiated, first_packet, &mut rooms.ports);
        }
    }

    fn ended(&mut self, record: &ConntrackRecord, ended: Ended) {
        let unreplied = !record.status.has(Status::SEEN_REPLY);
        let flows = self
            .totals
            .conntracks
            .entry(record.original.protocol)
            .or_default();
        flows.all += 1;
        flows.unreplied += u64::from(unreplied);
        flows.assured += u64::from(record.status.has(Status::ASSURED));
        self.totals.early_drops += u64::from(ended == Ended::EarlyDrop);
        let service = self.flows.remove(&record.id);
        let expected_by = service.filter(|_| record.expectation.is_some());
        if let Some(service) = service.filter(|_| expected_by.is_none()) {
            // No more than were counted when they began.
            if let Some(service) = self.services.get_mut(&service)
                && service.unanswered < service.controls
            {
                service.unanswered += u64::from(unreplied);
            }
        }
        self.conntracks.push(EndedConntrack {
            record: record.clone(),
            ended,
            expected_by,
        });
    }
}
