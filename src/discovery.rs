//! Control protocols on ports that no helper is attached to, found by what they say.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::conntrack::{State, Verdict, payload};
use crate::content::{self, Content};
use crate::helper::Spec;
use crate::packet::Packet;
use crate::replay::{Arrival, Passage};
use crate::room::{DISCOVERED, Room};
use crate::service::{Service, Sighting};
use crate::stored;
use crate::tuple::{Direction, Protocol};

/// Services that speak a protocol for which there is a helper, without one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Discovery {
    /// Under the helper that would read them.
    #[serde(with = "stored::pairs")]
    pub services: BTreeMap<Service, Spoken>,
    /// Services with a helper, with messages of connections that it was not attached to: picked up at a packet of the
    /// server's, they stand on their head.
    #[serde(with = "stored::pairs")]
    pub reversed: BTreeMap<Service, Sighting>,
    room: Room,
}

/// What was heard of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spoken {
    /// The messages that told.
    pub messages: Sighting,
    /// Some were on flows that went both ways. A lone packet may be anybody's probe; but answers of tftp and of
    /// discovery protocols come as flows of their own.
    pub both_ways: bool,
}

impl Default for Discovery {
    fn default() -> Self {
        Self {
            services: BTreeMap::new(),
            reversed: BTreeMap::new(),
            room: Room::new(DISCOVERED),
        }
    }
}

impl Discovery {
    /// Messages of services that found no room.
    pub fn omitted(&self) -> u64 {
        self.room.omitted
    }

    /// The same with so many more packets before it.
    pub fn count_on(&mut self, packets: u64) {
        let services = self.services.values_mut();
        services.for_each(|spoken| spoken.messages.count_on(packets));
        let reversed = self.reversed.values_mut();
        reversed.for_each(|seen| seen.count_on(packets));
    }

    /// Takes in what was found in another replay.
    pub fn absorb(&mut self, other: Self) {
        for (service, seen) in other.reversed {
            match self.room.entry(&mut self.reversed, service) {
                Some(known) => known.merge(seen),
                None => self.room.omitted += seen.times.saturating_sub(1),
            }
        }
        for (service, spoken) in other.services {
            match self.room.entry(&mut self.services, service) {
                Some(known) => {
                    known.messages.merge(spoken.messages);
                    known.both_ways |= spoken.both_ways;
                }
                None => self.room.omitted += spoken.messages.times.saturating_sub(1),
            }
        }
        self.room.absorb(&other.room);
    }

    /// Takes in one frame. Most messages of most flows look like nothing from their first bytes on.
    #[inline]
    pub fn observe(&mut self, passage: &Passage<'_>) {
        if let Arrival::Packet(packet, step) = &passage.arrival {
            let verdict = &step.verdict;
            if !verdict.attached && verdict.nth <= LOOKED_AT {
                self.look(packet, verdict);
            }
        }
    }

    fn look(&mut self, packet: &Packet<'_>, verdict: &Verdict) {
        let Some(direction) = verdict.direction else {
            return;
        };
        let Some((protocol, _)) = packet.transport else {
            return;
        };
        let transport = packet.transport_bytes();
        let Some((_, header, said)) = payload(protocol, transport) else {
            return;
        };
        let Some(Content::Control(helper)) = content::of(protocol, said) else {
            return;
        };
        let port = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let [source, destination] = [(packet.src, port(0)), (packet.dst, port(2))];
        let (client, server) = match direction {
            Direction::Original => (source, destination),
            Direction::Reply => (destination, source),
        };
        let at = |(server, port)| Service {
            helper,
            protocol,
            server,
            port,
        };
        // Helpers that serve the firewall's own broadcasts have nothing to do with what it forwards.
        let spec = Spec::named(helper).filter(|spec| !spec.own_broadcasts_only());
        let Some(spec) = spec.filter(|_| !stays_on_the_link(server.0)) else {
            return;
        };
        // A connection that was picked up at a packet of the server's stands on its head.
        let is_usual = |(_, port)| spec.ports.contains(&(protocol, Some(port)));
        if protocol == Protocol::TCP && is_usual(client) && !is_usual(server) {
            if let Some(seen) = self.room.entry(&mut self.reversed, at(client)) {
                seen.add(packet.number);
            }
        } else if let Some(spoken) = self.room.entry(&mut self.services, at(server)) {
            spoken.messages.add(packet.number);
            spoken.both_ways |= verdict.state == State::Established;
        }
    }
}

/// Nothing to this address is ever forwarded (RFC 5771, 4; RFC 4291, 2.7), so no firewall's helper matters to it.
fn stays_on_the_link(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0] || v4.is_link_local(),
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02 || v6.is_unicast_link_local(),
    }
}

/// Packets of each direction of a flow that are looked at: a control connection says what it is before it has logged
/// anybody in.
const LOOKED_AT: u32 = 16;
