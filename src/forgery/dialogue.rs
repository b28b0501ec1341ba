//! What was said on the control connections alive, datagram by datagram.

use std::sync::Arc;

use hashbrown::HashMap;

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
    /// `None`: more than is kept, or something of it is missing.
    said: Option<Vec<Arc<Said>>>,
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
        let size = packet.datagram.len() + OVERHEAD;
        let is_whole = packet.captured == packet.datagram.len();
        let fits = dialogue.bytes + size <= MOST_BYTES && self.bytes + size <= MOST_KEPT;
        match &mut dialogue.said {
            Some(said) if is_whole && fits && said.len() < MOST_PACKETS => {
                dialogue.bytes += size;
                self.bytes += size;
                said.push(Arc::new(Said {
                    frame: packet.number,
                    at,
                    bytes: packet.datagram.to_vec(),
                }));
            }
            said => {
                *said = None;
                self.bytes -= std::mem::take(&mut dialogue.bytes);
            }
        }
    }

    /// What was said until now on this flow and those that it comes from.
    pub fn of(&self, flow: ConntrackId) -> Option<Vec<Arc<Said>>> {
        self.flows.get(&flow)?.said.clone()
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
        let (mut said, mut bytes) = (Some(Vec::new()), 0);
        if let Some(master) = &record.master {
            let master = self.by_tuple.get(master);
            let master = master.and_then(|master| self.flows.get(master));
            said = master.and_then(|master| master.said.clone());
            // Counted again, though it is shared: so a chain of flows has its bound, too.
            bytes = master.map_or(0, |master| master.bytes);
        }
        self.bytes += bytes;
        let dialogue = Dialogue {
            original: record.original,
            said,
            bytes,
        };
        self.by_tuple.insert(record.original, record.id);
        self.flows.insert(record.id, dialogue);
    }
}

/// Packets of a dialogue.
const MOST_PACKETS: usize = 64;
/// Bytes of a dialogue.
pub const MOST_BYTES: usize = 64 << 10;
/// Bytes of all dialogues.
pub const MOST_KEPT: usize = 16 << 20;
/// Bytes that a datagram takes beside its own, about.
const OVERHEAD: usize = 64;
