//! What bounds the sums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ends, Related, Use};
use crate::conntrack::event::Root;
use crate::room::{CLIENTS, ENDS, HOURS, PORTS, Room, SENDERS, SERVICES};
use crate::service::Service;

/// Room for the tables of an exposure.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rooms {
    /// Counts control connections of services that found none.
    pub services: Room,
    /// For services for which a flow came when there was no room left above: rules are made of these. Counts such flows.
    pub needed: Room,
    /// Beside the first ends of each service. Counts flows.
    pub ends: Room,
    /// Counts flows' senders.
    pub senders: Room,
    /// For `Use::clients`, `Ports::seen` and `Use::hours`.
    pub clients: Room,
    /// For `Ports::seen`.
    pub ports: Room,
    /// For `Use::hours`.
    pub hours: Room,
}

impl Default for Rooms {
    fn default() -> Self {
        Self {
            services: Room::new(SERVICES),
            needed: Room::new(SERVICES),
            ends: Room::new(ENDS),
            senders: Room::new(SENDERS),
            clients: Room::new(CLIENTS),
            ports: Room::new(PORTS),
            hours: Room::new(HOURS),
        }
    }
}

impl Rooms {
    /// Counts what found no room elsewhere.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.services.absorb(&other.services);
        self.needed.absorb(&other.needed);
        self.ends.absorb(&other.ends);
        self.senders.absorb(&other.senders);
        self.clients.absorb(&other.clients);
        self.ports.absorb(&other.ports);
        self.hours.absorb(&other.hours);
    }

    /// Flows that came for an expectation, and that no rule is made for.
    pub fn flows_omitted(&self) -> u64 {
        self.needed.omitted + self.ends.omitted
    }

    /// A service whose helper did something. Where it has no room, it is its control connections that are counted.
    pub(super) fn service<'s>(
        &mut self,
        services: &'s mut BTreeMap<Service, Use>,
        root: &Root,
    ) -> Option<&'s mut Use> {
        let service = Service::of(root);
        match self.services.is_full() {
            true => services.get_mut(&service),
            false => self.services.entry(services, service),
        }
    }

    /// A service for which a flow came.
    pub(super) fn needed<'s>(
        &mut self,
        services: &'s mut BTreeMap<Service, Use>,
        service: Service,
    ) -> Option<&'s mut Use> {
        let room = match self.services.is_full() {
            true => &mut self.needed,
            false => &mut self.services,
        };
        room.entry(services, service)
    }

    /// A service that another replay has listed. Where it has no room, `omit` counts what it had.
    pub(super) fn absorbed<'s>(
        &mut self,
        services: &'s mut BTreeMap<Service, Use>,
        service: Service,
        usage: &Use,
    ) -> Option<&'s mut Use> {
        let has_room = services.contains_key(&service)
            || self.services.take()
            || usage.is_needed() && self.needed.take();
        has_room.then(|| services.entry(service).or_default())
    }

    pub(super) fn omit(&mut self, usage: &Use) {
        self.services.omitted += usage.controls;
        self.needed.omitted += usage.related_flows();
    }

    /// The flows between these ends.
    pub(super) fn related<'s>(
        &mut self,
        related: &'s mut BTreeMap<Ends, Related>,
        ends: Ends,
    ) -> Option<&'s mut Related> {
        if related.is_empty() {
            return Some(related.entry(ends).or_default());
        }
        self.ends.entry(related, ends)
    }
}
