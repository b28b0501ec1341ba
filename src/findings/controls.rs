//! The control connections alive, and who their packets pretend to be.

use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::conntrack::config::Config;
use crate::conntrack::event::{ConntrackId, ConntrackRecord, Root};
use crate::conntrack::payload;
use crate::dialogue::Dialogue;
use crate::packet::Packet;
use crate::tuple::{Direction, Protocol, Tuple};

pub struct Controls {
    alive: HashMap<ConntrackId, Box<Dialogue>>,
    /// Those of TCP by their original tuples: an INVALID packet belongs to no conntrack.
    by_tuple: HashMap<Tuple, ConntrackId>,
    /// From a helper's name to rules to its kind.
    kinds: HashMap<&'static str, &'static str>,
    /// The firewall's own addresses.
    local: Arc<[IpAddr]>,
}

impl Controls {
    pub fn new(config: &Config) -> Self {
        let registered = config.modules.registered().iter();
        Self {
            alive: HashMap::new(),
            by_tuple: HashMap::new(),
            kinds: registered
                .map(|helper| (helper.name, helper.spec.called()))
                .collect(),
            local: config.local.iter().map(|own| own.addr()).collect(),
        }
    }

    /// The kind of helper that rules call so.
    pub fn kind_of(&self, helper: &'static str) -> &'static str {
        self.kinds.get(helper).copied().unwrap_or(helper)
    }

    pub fn begin(&mut self, record: &ConntrackRecord) {
        let Some(helper) = record.helper else { return };
        let mut dialogue = Dialogue::of(record, helper, self.kind_of(helper));
        dialogue.local = Arc::clone(&self.local);
        if record.original.protocol == Protocol::TCP {
            self.by_tuple.insert(record.original, record.id);
        }
        self.alive.insert(record.id, Box::new(dialogue));
    }

    /// One that never enters the table.
    pub fn unlisted(&self, root: Root, packet: u64) -> Box<Dialogue> {
        let mut dialogue = Dialogue::new(root, self.kind_of(root.helper), packet);
        dialogue.local = Arc::clone(&self.local);
        Box::new(dialogue)
    }

    pub fn take(&mut self, id: ConntrackId) -> Option<Box<Dialogue>> {
        self.alive.remove(&id)
    }

    pub fn put_back(&mut self, id: ConntrackId, dialogue: Box<Dialogue>) {
        self.alive.insert(id, dialogue);
    }

    pub fn end(&mut self, record: &ConntrackRecord) -> Option<Box<Dialogue>> {
        record.helper?;
        // Another may have taken its place.
        if self.by_tuple.get(&record.original) == Some(&record.id) {
            self.by_tuple.remove(&record.original);
        }
        self.alive.remove(&record.id)
    }

    /// All that are left, in no order.
    pub fn end_all(&mut self) -> impl Iterator<Item = Box<Dialogue>> {
        self.by_tuple.clear();
        self.alive.drain().map(|(_, dialogue)| dialogue)
    }

    /// The control connection whose addresses and ports a packet of TCP has, and the packet's payload.
    pub fn pretended<'p>(&self, packet: &Packet<'p>) -> Option<(Direction, ConntrackId, &'p [u8])> {
        let protocol = packet.transport.map(|(protocol, _)| protocol);
        if self.by_tuple.is_empty() || protocol != Some(Protocol::TCP) {
            return None;
        }
        let (_, header, payload) = payload(Protocol::TCP, packet.transport_bytes())?;
        let &[a, b, c, d] = header.first_chunk()?;
        let tuple = Tuple {
            src: packet.src,
            dst: packet.dst,
            sport: u16::from_be_bytes([a, b]),
            dport: u16::from_be_bytes([c, d]),
            protocol: Protocol::TCP,
        };
        let of = |tuple| self.by_tuple.get(&tuple).copied();
        let original = of(tuple).map(|id| (Direction::Original, id));
        let found = original.or_else(|| Some((Direction::Reply, of(tuple.inverse()?)?)));
        found.map(|(direction, id)| (direction, id, payload))
    }
}
