//! Which RELATED packets somebody needs.

use hashbrown::HashSet;
use ipnet::IpNet;

use crate::conntrack::event::{ConntrackId, ConntrackRecord, Event};
use crate::conntrack::{State, Step};
use crate::packet::Packet;
use crate::proposal;
use crate::ruleset::Family;
use crate::tuple::Protocol;

/// What a RELATED packet is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It begins a flow that came for an expectation.
    Flow,
    /// Ends of a flow wait for it.
    IcmpError,
}

/// Told from a firewall that lets in all that is RELATED.
pub struct Needed {
    bypass: Vec<IpNet>,
    /// Those alive.
    flows: HashSet<ConntrackId>,
}

impl Needed {
    pub fn new(bypass: &[IpNet]) -> Self {
        Self {
            bypass: bypass.to_vec(),
            flows: HashSet::new(),
        }
    }

    /// What the packet is needed for, if it is RELATED: for a flow that came for an expectation and began then, or as an
    /// ICMP error that ends of flows wait for.
    pub fn observe(&mut self, packet: &Packet<'_>, step: &Step<'_>) -> Option<Need> {
        for event in step.late.iter().map(|late| &late.event).chain(step.events) {
            match event {
                Event::ConntrackNew(record) if self.is_needed(record) => {
                    self.flows.insert(record.id);
                }
                Event::ConntrackDestroy(record, _) => {
                    self.flows.remove(&record.id);
                }
                _ => {}
            }
        }
        let verdict = step.verdict;
        if verdict.state != State::Related || verdict.dropped == Some(true) {
            return None;
        }
        if icmp(packet).is_some() {
            return is_needed_error(packet).then_some(Need::IcmpError);
        }
        let flow = verdict.conntrack.filter(|id| self.flows.contains(id));
        flow.map(|_| Need::Flow)
    }

    fn is_needed(&self, record: &ConntrackRecord) -> bool {
        let Some(root) = record.root.filter(|_| record.expectation.is_some()) else {
            return false;
        };
        let goes_past =
            |net: &IpNet| net.contains(&root.tuple.src) || net.contains(&root.tuple.dst);
        !record.is_picked_up() && !self.bypass.iter().any(goes_past)
    }
}

/// Whether a packet is an ICMP error that ends of flows wait for.
fn is_needed_error(packet: &Packet<'_>) -> bool {
    icmp(packet).is_some_and(|(family, kind)| proposal::kept(family).contains(&kind))
}

/// Family and type of an ICMP packet.
fn icmp(packet: &Packet<'_>) -> Option<(Family, u8)> {
    let kind = *packet.transport_bytes().first()?;
    match packet.transport?.0 {
        Protocol::ICMP => Some((Family::Ipv4, kind)),
        Protocol::ICMPV6 => Some((Family::Ipv6, kind)),
        _ => None,
    }
}
