//! Everything about one packet: what a frame brought, what conntrack said of it, what it caused, and what became of that.
//!
//! The flow before and after the packet is not told by events: whoever replays asks for it with `Replay::examine`.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::conntrack::event::{
    Closed, ConntrackId, ConntrackRecord, Ended, Event, ExpectationRecord,
};
use crate::conntrack::{Late, Step, Verdict};
use crate::expectation::{Expectation, Origin, network};
use crate::packet::Unseen;
use crate::packet::link::NoIp;
use crate::packet::tunnel::Tunnel;
use crate::replay::{Arrival, Passage};
use crate::time::Timestamp;
use crate::tuple::Protocol;

/// What there is to say of one frame. It is shown every passage, and every step behind the last.
pub struct Explanation {
    number: u64,
    /// Frames so far.
    pub frames: u64,
    /// Once it has come.
    pub frame: Option<Frame>,
    /// Of the expectations that its packet made or renewed, and of later ones that were read from it.
    pub expectations: Vec<ExpectationFate>,
    /// Of the conntrack that its packet belongs to, and of those that came for the expectations.
    pub flows: Vec<FlowFate>,
    /// Of both together, those that are not followed because there are too many.
    pub omitted: u64,
}

/// The frame, and what conntrack said of it.
pub struct Frame {
    pub number: u64,
    pub at: Timestamp,
    /// The simulation's clock, which the times of events are told by.
    pub clock: Timestamp,
    pub link: u16,
    pub interface: u32,
    pub interface_name: Option<String>,
    /// Bytes of it that were captured.
    pub captured: usize,
    pub brought: Brought,
    pub verdict: Verdict,
    /// What time did since the packet before.
    pub late: Vec<Late>,
    pub events: Vec<Event>,
}

pub enum Brought {
    Other(NoIp),
    Duplicate,
    Unseen(Unseen),
    Packet(Packet),
}

/// A packet that is kept.
pub struct Packet {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub hop_limit: u8,
    pub datagram: Vec<u8>,
    pub transport: Option<(Protocol, usize)>,
    pub captured: usize,
    pub fragmented: bool,
    pub tunnel: Option<Tunnel>,
}

/// What became of an expectation.
pub struct ExpectationFate {
    /// As it was first made.
    pub record: Arc<ExpectationRecord>,
    /// As it was last made: the same hole, under another number.
    latest: Arc<ExpectationRecord>,
    /// Frames at which it was made again, or its helper gave it more time.
    pub again: Vec<u64>,
    pub renewed: Vec<u64>,
    /// How long it stood open so far.
    pub open: Duration,
    pub end: Option<End<Closed>>,
}

/// What became of a conntrack.
pub struct FlowFate {
    pub id: ConntrackId,
    /// The expectation that it came for, by its place among those that are followed.
    pub came_for: Option<usize>,
    /// As it was told at its end, or at its beginning. One that never enters the table is not told.
    pub record: Option<ConntrackRecord>,
    pub end: Option<End<Ended>>,
}

/// How something ended.
#[derive(Clone, Copy)]
pub struct End<W> {
    pub why: W,
    pub at: Timestamp,
    /// At this frame, unless time did it.
    pub frame: Option<u64>,
}

impl Explanation {
    /// Of the frame with this number.
    pub fn of(number: u64) -> Self {
        Self {
            number,
            frames: 0,
            frame: None,
            expectations: Vec::new(),
            flows: Vec::new(),
            omitted: 0,
        }
    }

    pub fn observe(&mut self, passage: &Passage<'_>) {
        self.frames = passage.number;
        let order = passage.number.cmp(&self.number);
        if order == Ordering::Less {
            return;
        }
        let step = match &passage.arrival {
            Arrival::Other(_) | Arrival::Duplicate => Step::default(),
            Arrival::Unseen(_, step) | Arrival::Packet(_, step) => *step,
        };
        match order {
            Ordering::Equal => self.begin(passage, &step),
            _ => self.late(&step),
        }
        for event in step.events {
            self.event(passage.clock, Some(passage.number), event);
        }
    }

    /// What is told behind the last frame.
    pub fn finish(&mut self, step: &Step<'_>) {
        self.late(step);
    }

    fn begin(&mut self, passage: &Passage<'_>, step: &Step<'_>) {
        self.frame = Some(Frame {
            number: passage.number,
            at: passage.at,
            clock: passage.clock,
            link: passage.link,
            interface: passage.interface,
            interface_name: passage.interface_name.map(str::to_owned),
            captured: passage.frame.len(),
            brought: match &passage.arrival {
                Arrival::Other(why) => Brought::Other(*why),
                Arrival::Duplicate => Brought::Duplicate,
                Arrival::Unseen(why, _) => Brought::Unseen(*why),
                Arrival::Packet(packet, _) => Brought::Packet(Packet {
                    src: packet.src,
                    dst: packet.dst,
                    hop_limit: packet.hop_limit,
                    datagram: packet.datagram.to_vec(),
                    transport: packet.transport,
                    captured: packet.captured,
                    fragmented: packet.fragmented,
                    tunnel: packet.tunnel.copied(),
                }),
            },
            verdict: step.verdict,
            late: step.late.to_vec(),
            events: step.events.to_vec(),
        });
        if let Some(id) = step.verdict.conntrack {
            self.flows.push(FlowFate {
                id,
                came_for: None,
                record: None,
                end: None,
            });
        }
    }

    fn late(&mut self, step: &Step<'_>) {
        for late in step.late {
            self.event(late.at, None, &late.event);
        }
    }

    fn event(&mut self, at: Timestamp, frame: Option<u64>, event: &Event) {
        match event {
            Event::ExpectationNew(record) => self.expected(record),
            Event::ExpectationRenewed { expectation, .. } => self.renewed(frame, expectation),
            Event::ExpectationDestroy {
                expectation,
                why,
                open,
                ..
            } => {
                let why = *why;
                if let Some(fate) = self.fate_of(expectation) {
                    fate.open += *open;
                    fate.end = Some(End { why, at, frame });
                }
            }
            Event::ConntrackNew(record) => self.opened(record),
            Event::ConntrackDestroy(record, why) => {
                let why = *why;
                if let Some(flow) = self.flow(record.id) {
                    flow.record = Some(record.clone());
                    flow.end = Some(End { why, at, frame });
                }
            }
            Event::ConntrackUpdate(_) | Event::Declined { .. } | Event::Refused { .. } => {}
        }
    }

    fn expected(&mut self, record: &Arc<ExpectationRecord>) {
        // What is made again is told right behind the end of what it was.
        let before = self.expectations.iter_mut().find(|fate| {
            let is_refreshed = fate.end.is_some_and(|end| {
                end.why == Closed::Refreshed && end.frame == Some(record.packet)
            });
            is_refreshed
                && fate.latest.master_id == record.master_id
                && fate.latest.expectation.tuple() == record.expectation.tuple()
        });
        if let Some(fate) = before {
            fate.latest = Arc::clone(record);
            fate.end = None;
            fate.again.push(record.packet);
        } else if record.packet == self.number || reads(&record.expectation, self.number) {
            self.follow(record);
        }
    }

    fn renewed(&mut self, frame: Option<u64>, record: &Arc<ExpectationRecord>) {
        if let Some(fate) = self.fate_of(record) {
            fate.renewed.extend(frame);
        } else if frame == Some(self.number) {
            self.follow(record);
        }
    }

    fn follow(&mut self, record: &Arc<ExpectationRecord>) {
        if self.expectations.len() == FOLLOWED {
            self.omitted += 1;
            return;
        }
        self.expectations.push(ExpectationFate {
            record: Arc::clone(record),
            latest: Arc::clone(record),
            again: Vec::new(),
            renewed: Vec::new(),
            open: Duration::ZERO,
            end: None,
        });
    }

    fn opened(&mut self, record: &ConntrackRecord) {
        if let Some(flow) = self.flow(record.id) {
            flow.record = Some(record.clone());
            return;
        }
        let Some(expectation) = record.expectation else {
            return;
        };
        let mut fates = self.expectations.iter();
        let Some(came_for) = fates.position(|fate| fate.latest.id == expectation) else {
            return;
        };
        if self.flows.len() == FOLLOWED {
            self.omitted += 1;
            return;
        }
        self.flows.push(FlowFate {
            id: record.id,
            came_for: Some(came_for),
            record: Some(record.clone()),
            end: None,
        });
    }

    fn fate_of(&mut self, record: &ExpectationRecord) -> Option<&mut ExpectationFate> {
        let mut fates = self.expectations.iter_mut();
        fates.find(|fate| fate.latest.id == record.id)
    }

    fn flow(&mut self, id: ConntrackId) -> Option<&mut FlowFate> {
        self.flows.iter_mut().find(|flow| flow.id == id)
    }
}

impl Packet {
    /// From the transport header to the end; empty where there is none.
    pub fn transport_bytes(&self) -> &[u8] {
        let bytes = self.transport.and_then(|(_, at)| self.datagram.get(at..));
        bytes.unwrap_or_default()
    }
}

/// A field of an expectation.
pub struct Field<'e> {
    pub name: &'static str,
    pub value: String,
    pub origin: &'e Origin,
}

/// What an expectation compares.
pub fn fields(expectation: &Expectation) -> impl Iterator<Item = Field<'_>> {
    let Expectation {
        src_addr,
        src_port,
        dst_addr,
        dst_port,
        ..
    } = expectation;
    let src_addr = src_addr.as_ref().map(|src| Field {
        name: "src addr",
        value: network(src.value),
        origin: &src.origin,
    });
    let src_port = src_port.as_ref().map(|port| Field {
        name: "src port",
        value: port.value.to_string(),
        origin: &port.origin,
    });
    let dst_addr = Field {
        name: "dst addr",
        value: dst_addr.value.to_string(),
        origin: &dst_addr.origin,
    };
    let dst_port = Field {
        name: "dst port",
        value: dst_port.value.to_string(),
        origin: &dst_port.origin,
    };
    [src_addr, src_port, Some(dst_addr), Some(dst_port)]
        .into_iter()
        .flatten()
}

/// The bytes of this packet that a field was read from.
pub fn bytes_of(origin: &Origin, packet: u64) -> Option<Range<usize>> {
    match origin {
        Origin::Command { packet: of, bytes } if *of == packet => {
            Some(bytes.start as usize..bytes.end as usize)
        }
        _ => None,
    }
}

/// Whether something of it was read from this packet.
fn reads(expectation: &Expectation, packet: u64) -> bool {
    fields(expectation).any(|field| bytes_of(field.origin, packet).is_some())
}

/// Expectations, and flows, that are followed. More than a helper makes of one packet unless somebody means it ill.
const FOLLOWED: usize = 256;
