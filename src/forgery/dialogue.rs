//! What was said on the control connections alive, datagram by datagram: how each was opened, and its end so far.

use std::sync::Arc;

use hashbrown::HashMap;

use super::stream::closed_up;
use crate::conntrack::Step;
use crate::conntrack::event::{ConntrackId, ConntrackRecord, Event};
use crate::packet::Packet;
use crate::time::Timestamp;
use crate::tuple::{Protocol, Tuple};

/// A datagram of a control connection.
#[derive(Debug)]
pub struct Said {
    /// Number of the frame that brought it.
    pub frame: u64,
    pub at: Timestamp,
    pub bytes: Vec<u8>,
}

/// The dialogues of the flows that a helper reads.
#[derive(Default)]
pub struct Dialogues {
    flows: HashMap<ConntrackId, Dialogue>,
    /// By the original tuple, by which a flow's record names its master.
    by_tuple: HashMap<Tuple, ConntrackId>,
    /// Of all of them.
    bytes: usize,
}

struct Dialogue {
    original: Tuple,
    /// In the order of the capture. A flow that inherited its helper begins with what its master had said until then.
    said: Vec<Arc<Said>>,
    /// How many of these stay: what was inherited, and what opens the flow.
    head: usize,
    most_packets: usize,
    most_bytes: usize,
    /// Something behind the head is left out.
    gap: bool,
    /// It cannot be told.
    lost: bool,
    bytes: usize,
}

impl Dialogues {
    pub fn add(&mut self, at: Timestamp, packet: &Packet<'_>, step: &Step<'_>) {
        let Some(id) = step.verdict.conntrack.filter(|_| step.verdict.attached) else {
            return;
        };
        if !self.flows.contains_key(&id) {
            let opened = step.events.iter().find_map(|event| match event {
                Event::ConntrackNew(record) if record.id == id => Some(record),
                _ => None,
            });
            match opened {
                Some(record) => self.open(record),
                None => return,
            }
        }
        let Some(dialogue) = self.flows.get_mut(&id) else {
            return;
        };
        let protocol = packet.transport.map(|(protocol, _)| protocol);
        if protocol != Some(dialogue.original.protocol) {
            return;
        }
        self.bytes -= dialogue.bytes;
        match packet.captured == packet.datagram.len() {
            true => dialogue.push(Said {
                frame: packet.number,
                at,
                bytes: packet.datagram.to_vec(),
            }),
            false => dialogue.skip(),
        }
        if self.bytes + dialogue.bytes > MOST_KEPT {
            dialogue.lose();
        }
        self.bytes += dialogue.bytes;
    }

    /// What was said until now on this flow and those that it comes from.
    pub fn of(&self, flow: ConntrackId) -> Option<Vec<Arc<Said>>> {
        self.flows.get(&flow)?.told()
    }

    /// Nothing more is said on a flow that has left the table.
    pub fn forget(&mut self, event: &Event) {
        let Event::ConntrackDestroy(record, _) = event else {
            return;
        };
        if let Some(dialogue) = self.flows.remove(&record.id) {
            self.bytes -= dialogue.bytes;
            if self.by_tuple.get(&dialogue.original) == Some(&record.id) {
                self.by_tuple.remove(&dialogue.original);
            }
        }
    }

    fn open(&mut self, record: &ConntrackRecord) {
        if ![Protocol::TCP, Protocol::UDP].contains(&record.original.protocol) {
            return;
        }
        // What is shared with the master is counted again: so the flows of a chain have their bound, too.
        let inherited = match &record.master {
            None => Some(Vec::new()),
            Some(master) => {
                let master = self.by_tuple.get(master);
                master.and_then(|master| self.flows.get(master)?.told())
            }
        };
        let dialogue = Dialogue::after(inherited, record.original);
        self.bytes += dialogue.bytes;
        self.by_tuple.insert(record.original, record.id);
        self.flows.insert(record.id, dialogue);
    }
}

impl Dialogue {
    fn after(inherited: Option<Vec<Arc<Said>>>, original: Tuple) -> Self {
        let inherited = inherited.filter(|said| said.len() <= 2 * MOST_PACKETS);
        let lost = inherited.is_none();
        let said = inherited.unwrap_or_default();
        let bytes: usize = said.iter().map(|said| said.size()).sum();
        let opening = match original.protocol {
            Protocol::TCP => HANDSHAKE,
            _ => 1,
        };
        Self {
            original,
            head: said.len() + opening,
            most_packets: said.len() + MOST_PACKETS,
            most_bytes: bytes + MOST_BYTES,
            bytes,
            said,
            gap: false,
            lost,
        }
    }

    /// What was said longest ago makes room, behind the head.
    fn push(&mut self, said: Said) {
        if self.lost {
            return;
        }
        self.bytes += said.size();
        self.said.push(Arc::new(said));
        while self.said.len() > self.most_packets || self.bytes > self.most_bytes {
            if self.said.len() <= self.head {
                return self.lose();
            }
            self.bytes -= self.said.remove(self.head).size();
            self.gap = true;
        }
    }

    /// A packet of which something is missing: it is as if everything up to it had made room.
    fn skip(&mut self) {
        if self.said.len() < self.head {
            return self.lose();
        }
        let behind: usize = self.said.drain(self.head..).map(|said| said.size()).sum();
        self.bytes -= behind;
        self.gap = true;
    }

    fn lose(&mut self) {
        self.said = Vec::new();
        self.bytes = 0;
        self.lost = true;
    }

    fn told(&self) -> Option<Vec<Arc<Said>>> {
        if self.lost {
            return None;
        }
        match self.said.split_at_checked(self.head).filter(|_| self.gap) {
            Some((head, tail)) => closed_up(head, tail),
            None => Some(self.said.clone()),
        }
    }
}

impl Said {
    /// Bytes that it takes, about.
    fn size(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// Packets that open a TCP connection.
const HANDSHAKE: usize = 3;
/// Packets of a dialogue that are its own. It inherits up to twice as many; with more before it, it is lost.
const MOST_PACKETS: usize = 64;
/// Bytes of these.
pub const MOST_BYTES: usize = 64 << 10;
/// Bytes of all dialogues.
pub const MOST_KEPT: usize = 16 << 20;
/// Bytes that a datagram takes beside its own, about.
const OVERHEAD: usize = 64;
