//! What the control connections to each service carried, summed.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Dialogue, Side};
use crate::conntrack::event::{ConntrackRecord, ExpectationRecord, Root};
use crate::content::Content;
use crate::room::{PORTS, Room, SERVICES};
use crate::service::{Service, Sighting};
use crate::stored;
use crate::tuple::Protocol;

/// Sums by service.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summaries {
    /// While there is room.
    #[serde(with = "stored::pairs")]
    pub services: BTreeMap<Service, Talked>,
    room: Room,
    /// For ports of `Beside`.
    ports: Room,
    /// Clients and servers that have an encrypted control connection now, how many, and to which service.
    #[serde(skip)]
    encrypted: HashMap<(IpAddr, IpAddr), (Service, u64)>,
}

/// What was heard of the control connections to one service.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Talked {
    /// Packets with a payload.
    pub messages: u64,
    /// Connections that were encrypted, by the packet from which on they were.
    pub encrypted: Sighting,
    /// Flows between the ends of these, which the helper could not expect.
    pub beside: Beside,
    /// Connections that began with something else than what the helper reads.
    #[serde(with = "stored::pairs")]
    pub carried: BTreeMap<Content, Sighting>,
    /// TCP connections of which the capture holds one direction alone.
    pub one_sided: Sighting,
    /// Flows that came to where somebody was expected, from elsewhere.
    pub elsewhere: Option<Elsewhere>,
    /// Payload that the capture does not hold, in bytes, and messages that its snap length cut.
    pub missing: u64,
    /// Messages that the snap length cut.
    pub cut: u64,
}

/// Flows beside an encrypted control connection, to ports of its server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// By port, the packets that opened them; the first thousand ports, while there is room.
    pub ports: BTreeMap<u16, Sighting>,
    /// Flows from the server's data port to the client (active mode).
    pub active: Sighting,
}

/// Who came in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// The first who came, and whom the helper expected.
    pub from: IpAddr,
    /// Whom the helper expected.
    pub expected: IpAddr,
    /// Class of the expectation.
    pub class: u8,
    /// All who came so.
    pub seen: Sighting,
}

impl Talked {
    fn count_on(&mut self, packets: u64) {
        self.encrypted.count_on(packets);
        self.beside.active.count_on(packets);
        let ports = self.beside.ports.values_mut();
        ports.for_each(|seen| seen.count_on(packets));
        let carried = self.carried.values_mut();
        carried.for_each(|seen| seen.count_on(packets));
        self.one_sided.count_on(packets);
        if let Some(elsewhere) = &mut self.elsewhere {
            elsewhere.seen.count_on(packets);
        }
    }

    fn absorb(&mut self, other: Self, room: &mut Room) {
        let Self {
            messages,
            encrypted,
            beside: Beside { ports, active },
            carried,
            one_sided,
            elsewhere,
            missing,
            cut,
        } = other;
        self.messages += messages;
        self.encrypted.merge(encrypted);
        self.beside.active.merge(active);
        for (port, seen) in ports {
            if let Some(known) = self.beside.port(port, room) {
                known.merge(seen);
            }
        }
        for (content, seen) in carried {
            self.carried.entry(content).or_default().merge(seen);
        }
        self.one_sided.merge(one_sided);
        match (&mut self.elsewhere, elsewhere) {
            (Some(known), Some(other)) => known.seen.merge(other.seen),
            (known, other) => *known = known.or(other),
        }
        self.missing += missing;
        self.cut += cut;
    }
}

impl Beside {
    /// What was seen at a port, while there is room.
    fn port(&mut self, port: u16, room: &mut Room) -> Option<&mut Sighting> {
        let is_room = self.ports.len() < LISTED || self.ports.contains_key(&port);
        is_room.then(|| room.entry(&mut self.ports, port)).flatten()
    }
}

impl Default for Summaries {
    fn default() -> Self {
        Self {
            services: BTreeMap::new(),
            room: Room::new(2 * SERVICES),
            ports: Room::new(PORTS),
            encrypted: HashMap::new(),
        }
    }
}

impl Summaries {
    /// The same with so many more packets before it.
    pub fn count_on(&mut self, packets: u64) {
        let services = self.services.values_mut();
        services.for_each(|talked| talked.count_on(packets));
    }

    /// Takes in what was heard in another replay.
    pub fn absorb(&mut self, other: Self) {
        for (service, talked) in other.services {
            if let Some(known) = self.room.entry(&mut self.services, service) {
                known.absorb(talked, &mut self.ports);
            }
        }
        self.room.absorb(&other.room);
        self.ports.absorb(&other.ports);
    }

    /// A control connection entered the table: its service is listed, if there is room. That is found in the order of
    /// the capture, as the exposure does: so what has a verdict has its sum here.
    pub fn begun(&mut self, record: &ConntrackRecord) {
        let Some(helper) = record.helper.filter(|_| record.expectation.is_none()) else {
            return;
        };
        let tuple = record.original;
        self.room
            .entry(&mut self.services, Service::of(&Root { helper, tuple }));
    }

    /// A message was heard.
    pub fn heard(&mut self, dialogue: &Dialogue, packet: u64) {
        if dialogue.encrypted() == Some(packet) {
            let pair = (dialogue.original.src, dialogue.original.dst);
            let (_, connections) = self.encrypted.entry(pair).or_insert((dialogue.service, 0));
            *connections += 1;
        }
    }

    /// A flow that nobody expected.
    pub fn flow(&mut self, record: &ConntrackRecord) {
        if self.encrypted.is_empty() {
            return;
        }
        let tuple = &record.original;
        if tuple.protocol != Protocol::TCP {
            return;
        }
        // RFC 959, 3.2: the server's data port is the one below its control port.
        if let Some((service, _)) = self.encrypted.get(&(tuple.dst, tuple.src))
            && tuple.sport.checked_add(1) == Some(service.port)
        {
            let active = self.services.get_mut(service);
            let active = active.map(|talked| &mut talked.beside.active);
            active
                .into_iter()
                .for_each(|seen| seen.add(record.life.first_packet));
        }
        let Some((service, _)) = self.encrypted.get(&(tuple.src, tuple.dst)) else {
            return;
        };
        if tuple.dport == service.port || tuple.dport < 1024 {
            return;
        }
        let Some(talked) = self.services.get_mut(service) else {
            return;
        };
        if let Some(seen) = talked.beside.port(tuple.dport, &mut self.ports) {
            seen.add(record.life.first_packet);
        }
    }

    /// A flow to where somebody else was expected.
    pub fn stranger(&mut self, expected: &ExpectationRecord, record: &ConntrackRecord) {
        let Some(source) = &expected.expectation.src_addr else {
            return;
        };
        if source.value.contains(&record.original.src) {
            return;
        }
        let service = Service::of(&expected.root);
        let Some(talked) = self.services.get_mut(&service) else {
            return;
        };
        let elsewhere = talked.elsewhere.get_or_insert(Elsewhere {
            from: record.original.src,
            expected: source.value.addr(),
            class: expected.expectation.class,
            seen: Sighting::default(),
        });
        elsewhere.seen.add(record.life.first_packet);
    }

    /// A control connection is over.
    pub fn ended(&mut self, dialogue: &Dialogue) {
        self.no_longer_encrypted(dialogue);
        let Some(talked) = self.services.get_mut(&dialogue.service) else {
            return;
        };
        let [client, server] = &dialogue.sides;
        talked.messages += client.messages + server.messages;
        talked.missing += client.missing() + server.missing();
        talked.cut += dialogue.cut;
        // Nobody sends on a TCP connection before the other end has answered.
        let says = |side: &Side, other: &Side| side.messages > 0 && other.way.is_none();
        // Behind a SYN whose answer went another way, all that the client sends is INVALID.
        let goes_on = dialogue.invalid > 0 && server.way.is_none();
        let is_one_sided = says(client, server) || says(server, client) || goes_on;
        if is_one_sided && dialogue.original.protocol == Protocol::TCP {
            talked.one_sided.merge(Sighting {
                times: 1,
                first: dialogue.first_packet,
            });
        }
        if let Some(packet) = dialogue.encrypted() {
            talked.encrypted.merge(Sighting {
                times: 1,
                first: packet,
            });
        }
        for side in [client, server] {
            // What inherits its helper speaks whatever was agreed on.
            let own = Content::Control(dialogue.kind);
            let other = side.opened_with.filter(|content| *content != own);
            if let Some(content) = other.filter(|_| !dialogue.is_expected) {
                talked.carried.entry(content).or_default().merge(Sighting {
                    times: 1,
                    first: side.first_message,
                });
            }
        }
    }

    fn no_longer_encrypted(&mut self, dialogue: &Dialogue) {
        let pair = (dialogue.original.src, dialogue.original.dst);
        if dialogue.encrypted().is_some()
            && let Some((_, connections)) = self.encrypted.get_mut(&pair)
        {
            *connections = connections.saturating_sub(1);
            if *connections == 0 {
                self.encrypted.remove(&pair);
            }
        }
    }
}

/// Ports of a service that are listed.
const LISTED: usize = 1000;
