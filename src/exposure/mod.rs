//! What the helpers opened, to whom, on whose word, and what came of it.
//!
//! Fed with a replay, frame by frame. Totals and sums are kept for the whole run; single expectations and conntracks
//! are handed out as they end, so memory follows what is alive.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::conntrack::event::{
    Closed, ConntrackId, ConntrackRecord, Ended, Event, ExpectationRecord, Root, Status,
};
use crate::conntrack::{Reason, State, Step, Verdict};
use crate::expectation::ExpectationId;
use crate::packet::{Packet, link};
use crate::replay::{Arrival, Passage};
use crate::service::Service;
use crate::time::Timestamp;
use crate::tuple::{Protocol, Tuple};

/// What is learnt from a replay.
#[derive(Debug, Default)]
pub struct Exposure {
    pub totals: Totals,
    /// Every service that a helper was attached to.
    pub services: BTreeMap<Service, Use>,
    /// RELATED without a helper: ICMP errors, by family and type.
    pub icmp_errors: BTreeMap<IcmpError, Count>,
    /// What ended since the caller last emptied these.
    pub expectations: Vec<ClosedExpectation>,
    pub conntracks: Vec<EndedConntrack>,
    /// The service of each flow alive that a helper reads, or that a helper's expectation let in.
    flows: HashMap<ConntrackId, Service>,
    /// Expectations alive that any number of flows may come for, with the packet of the first that came.
    permanent: HashMap<ExpectationId, (Arc<ExpectationRecord>, Option<u64>)>,
}

/// Sums over all frames.
#[derive(Debug, Default)]
pub struct Totals {
    pub frames: u64,
    /// Frames without an IP packet.
    pub not_ip: u64,
    /// Frames of link types that are not read, by LINKTYPE_ number.
    pub unread_links: BTreeMap<u16, u64>,
    /// Packets that the snap length cut off.
    pub cut: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Frames whose timestamp lies before an earlier one's.
    pub backwards: u64,
    /// Packets and IP bytes, by `State`.
    states: [Count; 6],
    pub reasons: BTreeMap<Reason, u64>,
    pub dropped: u64,
    pub conntracks: BTreeMap<Protocol, Flows>,
    /// TCP connections whose beginning the capture does not hold.
    pub picked_up: u64,
    /// Conntracks that gave way because the table was full.
    pub early_drops: u64,
}

/// Conntracks of one protocol.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flows {
    pub all: u64,
    /// Nobody answered.
    pub unreplied: u64,
    pub assured: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub packets: u64,
    /// IP bytes.
    pub bytes: u64,
    /// The first packet's number.
    pub first: u64,
}

impl Count {
    fn add(&mut self, packet: u64, bytes: u64) {
        if self.packets == 0 {
            self.first = packet;
        }
        self.packets += 1;
        self.bytes += bytes;
    }
}

impl Totals {
    pub fn state(&self, state: State) -> Count {
        self.states[state as usize]
    }

    /// From the first frame to the last.
    pub fn duration(&self) -> Duration {
        self.first
            .zip(self.last)
            .map_or(Duration::ZERO, |(first, last)| last.since(first))
    }
}

/// What became of a service's helper.
#[derive(Debug, Default)]
pub struct Use {
    /// Control connections.
    pub controls: u64,
    /// Who opened them, the first thousand addresses.
    pub clients: BTreeSet<IpAddr>,
    /// Control connections of others.
    pub clients_omitted: u64,
    /// Packet that opened the first of them.
    pub first_packet: u64,
    pub expectations: u64,
    /// Those that a flow came for.
    pub used: u64,
    /// Those that a packet matched of which no flow came: INVALID, or dropped.
    pub burned: u64,
    /// How long all of them stood open together.
    pub open: Duration,
    /// Commands that made no expectation, by reason.
    pub declined: BTreeMap<&'static str, u64>,
    /// Packets that the helper dropped, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Flows that came for an expectation, by the ends that they joined.
    pub related: BTreeMap<Ends, Related>,
}

impl Use {
    pub fn related_flows(&self) -> u64 {
        self.related.values().map(|related| related.flows).sum()
    }

    pub fn verdict(&self) -> Worth {
        if self.related.is_empty() {
            Worth::Inert
        } else {
            Worth::Needed
        }
    }
}

/// Whether the traffic needs the helper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// Flows came for its expectations, which would be NEW without it.
    Needed,
    /// It was attached, and no flow came of it.
    Inert,
}

impl Worth {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Inert => "inert",
        }
    }
}

/// The ends of expected flows: who opened them, to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ends {
    /// What `ct helper` matches: the helper of the master, which may have inherited it.
    pub helper: &'static str,
    pub protocol: Protocol,
    pub src: IpAddr,
    pub dst: IpAddr,
}

/// Expected flows between the same ends.
#[derive(Debug)]
pub struct Related {
    pub flows: u64,
    /// Packets that opened flows, the first few.
    pub packets: Vec<u64>,
    /// Lowest and highest destination port.
    pub ports: (u16, u16),
}

/// An ICMP error that belonged to a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IcmpError {
    pub protocol: Protocol,
    pub kind: u8,
}

/// An expectation from its beginning to its end.
#[derive(Clone, Debug)]
pub struct ClosedExpectation {
    pub record: Arc<ExpectationRecord>,
    pub outcome: Outcome,
    /// The packet that closed it; none where time or the end of the capture did.
    pub packet: Option<u64>,
    /// How long it stood open.
    pub open: Duration,
}

/// What an expectation was good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// A flow came for it.
    Used,
    /// A packet matched it that opened no flow, being INVALID or dropped: gone.
    Burned,
    /// Nobody came.
    Unused(Closed),
}

impl Outcome {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Burned => "burned",
            Self::Unused(why) => why.name(),
        }
    }
}

/// A conntrack from its beginning to its end.
#[derive(Clone, Debug)]
pub struct EndedConntrack {
    pub record: ConntrackRecord,
    pub ended: Ended,
    /// Where it was expected: the service whose helper expected it.
    pub expected_by: Option<Service>,
}

impl Exposure {
    /// Takes in one frame.
    pub fn observe(&mut self, passage: &Passage<'_>) {
        let totals = &mut self.totals;
        totals.frames += 1;
        totals.first.get_or_insert(passage.at);
        match totals.last {
            Some(last) if passage.at < last => totals.backwards += 1,
            _ => totals.last = Some(passage.at),
        }
        match &passage.arrival {
            Arrival::Other => {
                totals.not_ip += 1;
                if !link::is_known(passage.link) {
                    *totals.unread_links.entry(passage.link).or_default() += 1;
                }
            }
            Arrival::Unseen(_, step) => self.step(passage, None, step),
            Arrival::Packet(packet, step) => self.step(passage, Some(packet), step),
        }
    }

    /// Takes in what was still open when the capture ended.
    pub fn finish(&mut self, step: &Step<'_>) {
        let number = self.totals.frames;
        self.events(number, step.late.iter().map(|late| &late.event));
    }

    fn step(&mut self, passage: &Passage<'_>, packet: Option<&Packet<'_>>, step: &Step<'_>) {
        let bytes = packet.map_or(0, |packet| packet.datagram.len()) as u64;
        let Verdict {
            state,
            reason,
            dropped,
            ..
        } = step.verdict;
        self.totals.states[state as usize].add(passage.number, bytes);
        self.totals.dropped += u64::from(dropped == Some(true));
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
            self.icmp_errors
                .entry(error)
                .or_default()
                .add(passage.number, bytes);
        }
        if !step.late.is_empty() || !step.events.is_empty() {
            self.events(passage.number, step.late.iter().map(|late| &late.event));
            self.events(passage.number, step.events.iter());
        }
    }

    fn events<'e>(&mut self, number: u64, events: impl Iterator<Item = &'e Event>) {
        // A flow that comes for an expectation is told right behind the expectation's end.
        let mut matched: Option<(Arc<ExpectationRecord>, Duration)> = None;
        for event in events {
            match event {
                Event::ExpectationNew(record) => {
                    let service = Service::of(&record.root);
                    self.services.entry(service).or_default().expectations += 1;
                    if record.expectation.flags.permanent {
                        self.permanent.insert(record.id, (Arc::clone(record), None));
                    }
                }
                Event::ExpectationDestroy {
                    expectation,
                    why,
                    open,
                    ..
                } => {
                    if matches!(why, Closed::Matched { .. }) {
                        matched = Some((Arc::clone(expectation), *open));
                        continue;
                    }
                    let used = self.permanent.remove(&expectation.id);
                    let (outcome, packet) = match used.and_then(|(_, first)| first) {
                        Some(first) => (Outcome::Used, Some(first)),
                        None => (
                            Outcome::Unused(*why),
                            matches!(why, Closed::Refreshed | Closed::Evicted).then_some(number),
                        ),
                    };
                    self.close(Arc::clone(expectation), outcome, packet, *open);
                }
                Event::ConntrackNew(record) => {
                    let came_for =
                        matched.take_if(|(expected, _)| record.expectation == Some(expected.id));
                    if let Some((expected, open)) = came_for {
                        self.related(&expected, record);
                        self.close(expected, Outcome::Used, Some(number), open);
                    } else if let Some((expected, first)) = record
                        .expectation
                        .and_then(|id| self.permanent.get_mut(&id))
                    {
                        first.get_or_insert(number);
                        let expected = Arc::clone(expected);
                        self.related(&expected, record);
                    }
                    self.opened(record);
                }
                Event::ConntrackDestroy(record, ended) => self.ended(record, *ended),
                Event::Declined { root, reason, .. } => {
                    let service = self.services.entry(Service::of(root)).or_default();
                    *service.declined.entry(reason).or_default() += 1;
                }
                Event::Refused { root, reason } => {
                    let service = self.services.entry(Service::of(root)).or_default();
                    *service.dropped.entry(reason).or_default() += 1;
                }
                Event::ConntrackUpdate(_) | Event::ExpectationRenewed { .. } => {}
            }
        }
        if let Some((expected, open)) = matched {
            self.close(expected, Outcome::Burned, Some(number), open);
        }
    }

    fn close(
        &mut self,
        record: Arc<ExpectationRecord>,
        outcome: Outcome,
        packet: Option<u64>,
        open: Duration,
    ) {
        let service = self.services.entry(Service::of(&record.root)).or_default();
        service.open += open;
        service.used += u64::from(outcome == Outcome::Used);
        service.burned += u64::from(outcome == Outcome::Burned);
        self.expectations.push(ClosedExpectation {
            record,
            outcome,
            packet,
            open,
        });
    }

    fn opened(&mut self, record: &ConntrackRecord) {
        if record.original.protocol == Protocol::TCP && record.state == Some("ESTABLISHED") {
            self.totals.picked_up += 1;
        }
        let Some(helper) = record.helper else { return };
        if record.expectation.is_some() {
            // What inherits its helper belongs to the service that it was expected for.
            return;
        }
        let tuple = record.original;
        let key = Service::of(&Root { helper, tuple });
        let service = self.services.entry(key).or_default();
        if service.controls == 0 {
            service.first_packet = record.life.first_packet;
        }
        service.controls += 1;
        let client = record.original.src;
        if service.clients.len() < LISTED {
            service.clients.insert(client);
        } else {
            service.clients_omitted += u64::from(!service.clients.contains(&client));
        }
        self.flows.insert(record.id, key);
    }

    /// A flow that came for an expectation.
    fn related(&mut self, expected: &ExpectationRecord, record: &ConntrackRecord) {
        let key = Service::of(&expected.root);
        self.flows.insert(record.id, key);
        let Tuple {
            src,
            dst,
            dport,
            protocol,
            ..
        } = record.original;
        let service = self.services.entry(key).or_default();
        let related = service
            .related
            .entry(Ends {
                helper: expected.helper,
                protocol,
                src,
                dst,
            })
            .or_insert_with(|| Related {
                flows: 0,
                packets: Vec::new(),
                ports: (dport, dport),
            });
        related.flows += 1;
        related.ports = (related.ports.0.min(dport), related.ports.1.max(dport));
        if related.packets.len() < EVIDENCE {
            related.packets.push(record.life.first_packet);
        }
    }

    fn ended(&mut self, record: &ConntrackRecord, ended: Ended) {
        let flows = self
            .totals
            .conntracks
            .entry(record.original.protocol)
            .or_default();
        flows.all += 1;
        flows.unreplied += u64::from(!record.status.has(Status::SEEN_REPLY));
        flows.assured += u64::from(record.status.has(Status::ASSURED));
        self.totals.early_drops += u64::from(ended == Ended::EarlyDrop);
        let service = self.flows.remove(&record.id);
        let expected_by = service.filter(|_| record.expectation.is_some());
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

/// Clients of a service that are listed; of others only the connections are counted.
const LISTED: usize = 1000;
/// Packets that are named as evidence.
const EVIDENCE: usize = 3;
