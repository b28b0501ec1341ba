//! What the helpers opened, to whom, on whose word, and what came of it.
//!
//! Fed with a replay, frame by frame. Totals and sums are kept for the whole run; single expectations and conntracks
//! are handed out as they end, so memory follows what is alive.

mod closed;
mod hours;
mod logged;
mod possible;
mod rooms;
mod totals;
mod usage;

pub use closed::{ClosedExpectation, EndedConntrack, Outcome, Refusal, Visitor};
pub use hours::{Hour, Hours};
pub use logged::{LoggedBy, Rule};
pub use possible::Possible;
pub use rooms::Rooms;
pub use totals::{Count, Flows, IcmpError, IcmpErrors, Link, Totals, Tunnels};
pub use usage::{Ends, Ports, Refusals, Related, Use};

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;
use ipnet::IpNet;

use crate::conntrack::config::Config;
use crate::conntrack::event::{
    Closed, ConntrackId, ConntrackRecord, Ended, Event, ExpectationRecord, Root, Status,
};
use crate::conntrack::{State, Step, Verdict};
use crate::expectation::{ExpectationId, Origin};
use crate::helper::{self, Modules};
use crate::kernel::Kernel;
use crate::packet::Packet;
use crate::packet::link::{NFLOG, nflog};
use crate::packet::route::{self, Fate};
use crate::packet::tunnel::Tunnel;
use crate::replay::{Arrival, Passage};
use crate::service::Service;
use crate::time::{Tick, Timestamp};
use crate::tuple::Protocol;

/// What is learnt from a replay.
#[derive(Debug)]
pub struct Exposure {
    pub totals: Totals,
    /// The services that a helper was attached to, while there is room.
    pub services: BTreeMap<Service, Use>,
    /// RELATED without a helper: ICMP errors, by family and type.
    pub icmp_errors: BTreeMap<IcmpError, IcmpErrors>,
    /// By which interface the ends of helped flows sent, by its name in the capture; `None` for one that used several.
    pub interfaces: BTreeMap<IpAddr, Option<String>>,
    pub rooms: Rooms,
    /// What ended since the caller last emptied these.
    pub expectations: Vec<ClosedExpectation>,
    pub conntracks: Vec<EndedConntrack>,
    pub refusals: Vec<Refusal>,
    /// The service of each flow alive that a helper reads, or that a helper's expectation let in.
    flows: HashMap<ConntrackId, Service>,
    alive: HashMap<ExpectationId, Alive>,
    modules: Modules,
    kernel: Kernel,
    local: Vec<IpNet>,
}

/// What is remembered of an expectation while it is alive.
#[derive(Clone, Debug)]
struct Alive {
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
    /// Of a firewall that is set up so.
    pub fn new(config: &Config) -> Self {
        Self {
            totals: Totals::default(),
            services: BTreeMap::new(),
            icmp_errors: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            rooms: Rooms::default(),
            expectations: Vec::new(),
            conntracks: Vec::new(),
            refusals: Vec::new(),
            flows: HashMap::new(),
            alive: HashMap::new(),
            modules: config.modules.clone(),
            kernel: config.kernel,
            local: config.local.clone(),
        }
    }

    /// Takes in one frame.
    pub fn observe(&mut self, passage: &Passage<'_>) {
        let totals = &mut self.totals;
        totals.frames += 1;
        totals.first.get_or_insert(passage.at);
        totals.last = totals.last.max(Some(passage.at));
        match passage.tick {
            Tick::Forward => {}
            Tick::Leap => totals.leaps += 1,
            Tick::Late => totals.late += 1,
            Tick::SetBack => totals.set_back += 1,
        }
        let link = totals.links.entry(passage.link).or_default();
        link.frames += 1;
        if passage.link == NFLOG
            && let Some(logged) = nflog::logged(passage.frame)
        {
            totals.logged.add(passage.number, &logged);
        }
        match &passage.arrival {
            Arrival::Other(why) => *link.without_ip.entry(*why).or_default() += 1,
            Arrival::Duplicate => link.duplicates += 1,
            Arrival::Unseen(_, step) => self.step(passage, None, step),
            Arrival::Packet(packet, step) => self.step(passage, Some(packet), step),
        }
    }

    /// Takes in what was still open when the capture ended.
    pub fn finish(&mut self, step: &Step<'_>) {
        let number = self.totals.frames;
        let late = step.late.iter().map(|late| (late.at, &late.event));
        self.events((number, None), false, late);
    }

    /// No packet was RELATED, and none could have been: there is nothing for rules to accept, or to drop.
    pub fn opened_nothing(&self) -> bool {
        let expected = self.services.values().any(|service| service.expected > 0);
        !expected && self.totals.state(State::Related).packets == 0
    }

    /// For whom the sums are enough.
    pub fn forget_rows(&mut self) {
        self.expectations.clear();
        self.conntracks.clear();
        self.refusals.clear();
    }

    fn step(&mut self, passage: &Passage<'_>, packet: Option<&Packet<'_>>, step: &Step<'_>) {
        let bytes = packet.map_or(0, |packet| packet.datagram.len()) as u64;
        let Verdict {
            state,
            reason,
            dropped,
            ..
        } = step.verdict;
        self.totals.count(state).add(passage.number, bytes);
        self.totals.dropped += u64::from(dropped == Some(true));
        if let Some(packet) = packet {
            self.totals.families[usize::from(packet.src.is_ipv6())] += 1;
            self.totals.tunnel(packet);
        }
        if let Some(reason) = reason {
            *self.totals.reasons.entry(reason).or_default() += 1;
        }
        if packet.is_some_and(|packet| packet.captured < packet.datagram.len()) {
            self.totals.cut += 1;
        }
        if let Some(error) = packet
            .filter(|_| state == State::Related)
            .and_then(icmp_error)
        {
            let errors = self.icmp_errors.entry(error).or_default();
            errors.seen.add(passage.number, bytes);
            match packet.map(|packet| route::fate(packet, &self.local)) {
                Some(Fate::Forwarded) => errors.forwarded.add(passage.number),
                Some(Fate::Delivered) => errors.delivered.add(passage.number),
                _ => {}
            }
        }
        if !step.late.is_empty() || !step.events.is_empty() {
            let late = step.late.iter().map(|late| (late.at, &late.event));
            self.events((passage.number, None), false, late);
            let events = step.events.iter();
            let refused = events
                .clone()
                .any(|event| matches!(event, Event::Refused { .. }));
            let events = events.map(|event| (passage.clock, event));
            let tunnel = packet.and_then(|packet| packet.tunnel);
            self.events((passage.number, tunnel), refused, events);
        }
        if let Some((packet, name)) = packet.zip(passage.interface_name)
            && step.verdict.nth == 1
            && packet.tunnel.is_none()
            && let Some(id) = step.verdict.conntrack
            && self.flows.contains_key(&id)
        {
            self.came_by(packet.src, name);
        }
    }

    /// The first packet of a direction comes by the interface that its sender is behind, unless it came in a tunnel. Where a router's capture holds
    /// packets as they come and as they go, that is the first of the two.
    fn came_by(&mut self, sender: IpAddr, name: &str) {
        // One letter too many is enough: no interface has such a name.
        let name = &name[..name.ceil_char_boundary(LONGEST_NAME + 1)];
        if let Some(known) = self.interfaces.get_mut(&sender) {
            if known.as_deref() != Some(name) {
                *known = None;
            }
        } else if let Some(known) = self.rooms.senders.entry(&mut self.interfaces, sender) {
            *known = Some(name.to_owned());
        }
    }

    /// What a packet did, out of which tunnel, and whether its helper dropped it; or what time did before.
    fn events<'e>(
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

fn icmp_error(packet: &Packet<'_>) -> Option<IcmpError> {
    let (protocol, _) = packet.transport?;
    let kind = *packet.transport_bytes().first()?;
    matches!(protocol, Protocol::ICMP | Protocol::ICMPV6).then_some(IcmpError { protocol, kind })
}

/// Bytes of an interface's name (`IFNAMSIZ`, less the zero).
const LONGEST_NAME: usize = 15;
