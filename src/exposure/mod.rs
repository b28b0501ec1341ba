//! What the helpers opened, to whom, on whose word, and what came of it.
//!
//! Fed with a replay, frame by frame. Totals and sums are kept for the whole run; single expectations and conntracks
//! are handed out as they end, so memory follows what is alive.

mod closed;
mod hours;
mod lives;
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

use hashbrown::HashMap;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use lives::Alive;

use crate::conntrack::config::Config;
use crate::conntrack::event::{ConntrackId, Event};
use crate::conntrack::{State, Step, Verdict};
use crate::expectation::ExpectationId;
use crate::helper::Modules;
use crate::kernel::Kernel;
use crate::packet::Packet;
use crate::packet::link::{NFLOG, nflog};
use crate::packet::route::{self, Fate};
use crate::replay::{Arrival, Passage};
use crate::service::Service;
use crate::stored;
use crate::time::Tick;
use crate::tuple::Protocol;

/// What is learnt from a replay.
#[derive(Debug, Serialize, Deserialize)]
pub struct Exposure {
    /// Sums over all frames.
    pub totals: Totals,
    /// The services that a helper was attached to, while there is room.
    #[serde(with = "stored::pairs")]
    pub services: BTreeMap<Service, Use>,
    /// RELATED without a helper: ICMP errors, by family and type.
    #[serde(with = "stored::pairs")]
    pub icmp_errors: BTreeMap<IcmpError, IcmpErrors>,
    /// By which interface the ends of helped flows sent, by its name in the capture; `None` for one that used several.
    pub interfaces: BTreeMap<IpAddr, Option<String>>,
    /// What bounds the tables, and what they had no room for.
    pub rooms: Rooms,
    /// What ended since the caller last emptied these.
    #[serde(skip)]
    pub expectations: Vec<ClosedExpectation>,
    /// Likewise.
    #[serde(skip)]
    pub conntracks: Vec<EndedConntrack>,
    /// Likewise, of commands that made no expectation.
    #[serde(skip)]
    pub refusals: Vec<Refusal>,
    /// The service of each flow alive that a helper reads, or that a helper's expectation let in.
    #[serde(skip)]
    flows: HashMap<ConntrackId, Service>,
    #[serde(skip)]
    alive: HashMap<ExpectationId, Alive>,
    #[serde(skip)]
    modules: Modules,
    #[serde(skip)]
    kernel: Kernel,
    #[serde(skip)]
    local: Vec<IpNet>,
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

    /// The series that is simulated.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// No packet was RELATED, and none could have been: there is nothing for rules to accept, or to drop.
    pub fn opened_nothing(&self) -> bool {
        let expected = self.services.values().any(|service| service.expected > 0);
        !expected && self.totals.state(State::Related).packets == 0
    }

    /// The same with so many more frames before it.
    pub fn count_on(&mut self, frames: u64) {
        self.totals.count_on(frames);
        let services = self.services.values_mut();
        services.for_each(|usage| usage.count_on(frames));
        let errors = self.icmp_errors.values_mut();
        errors.for_each(|errors| errors.count_on(frames));
    }

    /// Takes in the sums of another replay, whose frames count on from these. Its conntracks are others. What finds no room are
    /// its last services in their order: which came first is not known any more.
    pub fn absorb(&mut self, other: Self) {
        self.totals.absorb(other.totals);
        for (service, usage) in other.services {
            match self.rooms.absorbed(&mut self.services, service, &usage) {
                Some(known) => known.absorb(usage, &mut self.rooms),
                None => self.rooms.omit(&usage),
            }
        }
        for (error, errors) in other.icmp_errors {
            self.icmp_errors.entry(error).or_default().absorb(errors);
        }
        for (sender, interface) in other.interfaces {
            match self.interfaces.get_mut(&sender) {
                Some(known) if *known == interface => {}
                Some(known) => *known = None,
                None => {
                    let senders = &mut self.rooms.senders;
                    if let Some(known) = senders.entry(&mut self.interfaces, sender) {
                        *known = interface;
                    }
                }
            }
        }
        self.rooms.absorb(&other.rooms);
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
            self.totals.merged += u64::from(is_merged(packet));
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
            let tunnel = packet.and_then(|packet| packet.tunnel.copied());
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

    /// The first packet of a direction comes by the interface that its sender is behind, unless it came in a tunnel. Where
    /// a router's capture holds packets as they come and as they go, that is the first of the two.
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
}

/// Whether it may be several segments of TCP that an offload had merged, or not yet cut, when they were captured.
fn is_merged(packet: &Packet<'_>) -> bool {
    let is_tcp = matches!(packet.transport, Some((Protocol::TCP, _)));
    is_tcp && packet.datagram.len() > ETHERNET_MTU && !packet.fragmented
}

fn icmp_error(packet: &Packet<'_>) -> Option<IcmpError> {
    let (protocol, _) = packet.transport?;
    let kind = *packet.transport_bytes().first()?;
    matches!(protocol, Protocol::ICMP | Protocol::ICMPV6).then_some(IcmpError { protocol, kind })
}

/// Bytes of an interface's name (`IFNAMSIZ`, less the zero).
const LONGEST_NAME: usize = 15;

/// Bytes.
const ETHERNET_MTU: usize = 1500;
