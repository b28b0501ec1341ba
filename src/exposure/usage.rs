//! What became of a service's helper.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Rooms;
use super::hours::Hours;
use crate::room::Room;
use crate::service::Sighting;
use crate::stored::{self, Word};
use crate::tuple::Protocol;

/// What one service's helper was asked, what it opened, and who came.
///
/// An expectation that takes the place of the same one counts once: what is counted are the holes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Use {
    /// Control connections.
    pub controls: u64,
    /// Who opened them, the first thousand addresses, while there is room.
    pub clients: BTreeSet<IpAddr>,
    /// Control connections of others.
    pub clients_omitted: u64,
    /// Packet that opened the first of them.
    pub first_packet: u64,
    /// Those that had begun before the capture.
    pub picked_up: u64,
    /// Those that nobody answered.
    pub unanswered: u64,
    /// Expectations that continued none.
    pub expected: u64,
    /// Times that an expectation was made again, or given more time.
    pub refreshed: u64,
    /// Those that a flow came for.
    pub used: u64,
    /// Those that a packet matched of which no flow came: INVALID, or dropped.
    pub burned: u64,
    /// Those that gave way to a newer one.
    pub evicted: u64,
    /// Those that led to a host that is no end of their master.
    pub to_third_hosts: u64,
    /// How long all of them stood open together.
    pub open: Duration,
    /// The part of it that let in anybody.
    pub open_to_anybody: Duration,
    /// The part of it in which nobody ever came.
    pub open_for_nothing: Duration,
    /// The same by the hour.
    pub hours: Hours,
    /// Commands that made no expectation, and packets that the helper dropped, by reason.
    #[serde(with = "stored::by_word")]
    pub refusals: BTreeMap<&'static str, Refusals>,
    /// TCP flows that came for an expectation and had begun before the capture: what they are nobody saw.
    pub begun_before: Sighting,
    /// Flows that came for an expectation, by the ends that they joined.
    #[serde(with = "stored::pairs")]
    pub related: BTreeMap<Ends, Related>,
}

impl Use {
    /// Flows that came for an expectation, between any ends.
    pub fn related_flows(&self) -> u64 {
        self.related.values().map(|related| related.flows).sum()
    }

    /// Flows came for its expectations. Without the helper each would have been NEW: a packet that conntrack takes for
    /// the first of a flow, it takes for that whether or not somebody expected it (`resolve_normal_ct`,
    /// `nf_conntrack_handle_packet`); one that it does not is counted as burned.
    pub fn is_needed(&self) -> bool {
        !self.related.is_empty()
    }

    pub(super) fn count_on(&mut self, packets: u64) {
        if self.controls > 0 {
            self.first_packet += packets;
        }
        let refusals = self.refusals.values_mut();
        refusals.for_each(|refusals| refusals.seen.count_on(packets));
        self.begun_before.count_on(packets);
        let related = self.related.values_mut();
        let evidence = related.flat_map(|related| &mut related.packets);
        evidence.for_each(|packet| *packet += packets);
    }

    /// Takes in what became of the same service's helper behind this, or elsewhere.
    pub(super) fn absorb(&mut self, other: Self, rooms: &mut Rooms) {
        let Self {
            controls,
            clients,
            clients_omitted,
            first_packet,
            picked_up,
            unanswered,
            expected,
            refreshed,
            used,
            burned,
            evicted,
            to_third_hosts,
            open,
            open_to_anybody,
            open_for_nothing,
            hours,
            refusals,
            begun_before,
            related,
        } = other;
        if self.controls == 0 {
            self.first_packet = first_packet;
        }
        self.controls += controls;
        for client in clients {
            self.add_client(client, &mut rooms.clients);
        }
        self.clients_omitted += clients_omitted;
        self.picked_up += picked_up;
        self.unanswered += unanswered;
        self.expected += expected;
        self.refreshed += refreshed;
        self.used += used;
        self.burned += burned;
        self.evicted += evicted;
        self.to_third_hosts += to_third_hosts;
        self.open += open;
        self.open_to_anybody += open_to_anybody;
        self.open_for_nothing += open_for_nothing;
        self.hours.absorb(hours, &mut rooms.hours);
        for (reason, other) in refusals {
            let refusals = self.refusals.entry(reason).or_default();
            refusals.seen.merge(other.seen);
            refusals.dropped += other.dropped;
        }
        self.begun_before.merge(begun_before);
        for (ends, other) in related {
            match rooms.related(&mut self.related, ends) {
                Some(related) => related.absorb(&other, &mut rooms.ports),
                None => rooms.ends.omitted += other.flows.saturating_sub(1),
            }
        }
    }

    pub(super) fn add_client(&mut self, client: IpAddr, room: &mut Room) {
        if self.clients.contains(&client) {
            return;
        }
        if self.clients.len() < LISTED && room.take() {
            self.clients.insert(client);
        } else {
            self.clients_omitted += 1;
        }
    }
}

/// Refusals for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    /// All of them.
    pub seen: Sighting,
    /// Of these, the ones in packets that the helper dropped.
    pub dropped: u64,
}

/// The ends of expected flows: who opened them, to whom, for whose control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ends {
    /// Whose control connection asked for them.
    pub client: IpAddr,
    /// What `ct helper` matches: the helper of the master, which may have inherited it.
    #[serde(deserialize_with = "stored::word")]
    pub helper: Word,
    /// Of the flow that came.
    pub protocol: Protocol,
    /// Who opened it.
    pub src: IpAddr,
    /// To whom.
    pub dst: IpAddr,
}

/// Expected flows between the same ends.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Related {
    /// How many.
    pub flows: u64,
    /// Packets that opened flows, the first few.
    pub packets: Vec<u64>,
    /// To which ports.
    pub ports: Ports,
}

/// Destination ports of expected flows; of GRE the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ports {
    /// Lowest and highest; `None` where no flow came.
    pub range: Option<(u16, u16)>,
    /// Different ones, the first thousand, while there is room.
    pub seen: BTreeSet<u16>,
    /// Flows to ports that a payload or a client's own port named; the helper's record named those of the others.
    pub negotiated: u64,
}

impl Related {
    pub(super) fn add(&mut self, dport: u16, negotiated: bool, packet: u64, room: &mut Room) {
        self.flows += 1;
        self.ports.widen(dport);
        self.ports.list(dport, room);
        self.ports.negotiated += u64::from(negotiated);
        self.note(packet);
    }

    /// Takes in flows between other ends.
    pub fn merge(&mut self, other: &Self) {
        self.sum(other);
        let missing = LISTED.saturating_sub(self.ports.seen.len());
        let listed = other.ports.seen.iter().take(missing);
        self.ports.seen.extend(listed);
    }

    /// Takes in flows between the same ends, behind these or elsewhere.
    fn absorb(&mut self, other: &Self, room: &mut Room) {
        self.sum(other);
        let listed = other.ports.seen.iter();
        listed.for_each(|port| self.ports.list(*port, room));
    }

    /// All but the ports that are listed.
    fn sum(&mut self, other: &Self) {
        self.flows += other.flows;
        if let Some((low, high)) = other.ports.range {
            self.ports.widen(low);
            self.ports.widen(high);
        }
        self.ports.negotiated += other.ports.negotiated;
        self.packets.extend_from_slice(&other.packets);
        self.packets.sort_unstable();
        self.packets.truncate(EVIDENCE);
    }

    fn note(&mut self, packet: u64) {
        if self.packets.len() < EVIDENCE {
            self.packets.push(packet);
        }
    }
}

impl Ports {
    fn list(&mut self, port: u16, room: &mut Room) {
        if !self.seen.contains(&port) && self.seen.len() < LISTED && room.take() {
            self.seen.insert(port);
        }
    }

    fn widen(&mut self, port: u16) {
        let (low, high) = self.range.unwrap_or((port, port));
        self.range = Some((low.min(port), high.max(port)));
    }
}

/// Clients and ports of a service that are listed; of others only the connections are counted.
const LISTED: usize = 1000;
/// Packets that are named as evidence.
const EVIDENCE: usize = 3;
