//! What the control connections to each service carried, summed.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use super::{Dialogue, Side};
use crate::conntrack::event::{ConntrackRecord, ExpectationRecord, Root};
use crate::content::Content;
use crate::room::{PORTS, Room, SERVICES};
use crate::service::{Service, Sighting};
use crate::tuple::Protocol;

/// Sums by service.
#[derive(Debug)]
pub struct Summaries {
    /// While there is room.
    pub services: BTreeMap<Service, Talked>,
    room: Room,
    /// For ports of `Beside`.
    ports: Room,
    /// Clients and servers that have an encrypted control connection now, how many, and to which service.
    encrypted: HashMap<(IpAddr, IpAddr), (Service, u64)>,
}

/// What was heard of the control connections to one service.
#[derive(Debug, Default)]
pub struct Talked {
    /// Packets with a payload.
    pub messages: u64,
    /// Connections that were encrypted, by the packet from which on they were.
    pub encrypted: Sighting,
    /// Flows between the ends of these, which the helper could not expect.
    pub beside: Beside,
    /// Connections that began with something else than what the helper reads.
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    /// By port, the packets that opened them; the first thousand ports, while there is room.
    pub ports: BTreeMap<u16, Sighting>,
    /// Flows from the server's data port to the client (active mode).
    pub active: Sighting,
}

/// Who came in another's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        let ports = &mut talked.beside.ports;
        if (ports.len() < LISTED || ports.contains_key(&tuple.dport))
            && let Some(seen) = self.ports.entry(ports, tuple.dport)
        {
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
