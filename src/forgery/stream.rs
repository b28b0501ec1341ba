//! TCP sequence numbers, where something was added or taken away before.

use std::net::IpAddr;
use std::sync::Arc;

use super::dialogue::Said;
use super::wire::Layout;
use crate::conntrack;
use crate::tuple::Protocol;

/// How much more each end has said on each connection than it did, modulo 2^32: less is more, too.
#[derive(Default)]
pub struct Growth(Vec<(Way, u32)>);

/// Source and destination of segments.
type Way = [(IpAddr, [u8; 2]); 2];

impl Growth {
    /// Moves a segment up by what was added before it, and remembers what is added to it. UDP has no order.
    pub fn apply(&mut self, datagram: &mut [u8], added: u32) -> Option<()> {
        let layout = Layout::of(datagram)?;
        if layout.protocol != Protocol::TCP {
            return Some(());
        }
        let header = datagram.get_mut(layout.transport..layout.payload)?;
        let way = way(&layout, header)?;
        let (own, others) = (self.of(way), self.of(back(way)));
        shift(header.get_mut(4..)?, own)?;
        if acknowledges(header) {
            shift(header.get_mut(8..)?, others)?;
        }
        shift_selective(header.get_mut(20..)?, others);
        self.set(way, own.wrapping_add(added));
        Some(())
    }

    fn of(&self, way: Way) -> u32 {
        let known = self.0.iter().find(|(known, _)| *known == way);
        known.map_or(0, |(_, growth)| *growth)
    }

    fn set(&mut self, way: Way, to: u32) {
        match self.0.iter_mut().find(|(known, _)| *known == way) {
            Some((_, growth)) => *growth = to,
            None => self.0.push((way, to)),
        }
    }
}

/// As if nothing had been said in between, nor any time passed.
pub fn closed_up(head: &[Arc<Said>], tail: &[Arc<Said>]) -> Option<Vec<Arc<Said>>> {
    let mut next: Vec<(Way, u32)> = Vec::new();
    for segment in head.iter().filter_map(|said| Segment::of(&said.bytes)) {
        next.retain(|(way, _)| *way != segment.way);
        next.push((segment.way, segment.end));
    }
    let mut growth = Growth::default();
    let segments: Vec<Segment> = tail
        .iter()
        .filter_map(|said| Segment::of(&said.bytes))
        .collect();
    for (way, next) in next {
        let said = segments.iter().find(|segment| segment.way == way);
        let heard = segments.iter().find(|segment| segment.way == back(way));
        // Of one that says nothing any more, the other tells how far it was.
        let first = said.map(|segment| segment.start);
        if let Some(first) = first.or(heard.map(|segment| segment.acknowledged)) {
            growth.set(way, next.wrapping_sub(first));
        }
    }
    let pause = tail.first()?.at.since(head.last()?.at);
    let later = head.iter().map(|said| {
        Some(Arc::new(Said {
            at: said.at + pause,
            bytes: said.bytes.clone(),
            ..**said
        }))
    });
    let moved = tail.iter().map(|said| {
        let mut bytes = said.bytes.clone();
        growth.apply(&mut bytes, 0)?;
        Some(Arc::new(Said { bytes, ..**said }))
    });
    later.chain(moved).collect()
}

/// Which sequence numbers a segment covers.
struct Segment {
    way: Way,
    start: u32,
    end: u32,
    acknowledged: u32,
}

impl Segment {
    /// `None` for what is not TCP.
    fn of(datagram: &[u8]) -> Option<Self> {
        let layout = Layout::of(datagram)?;
        if layout.protocol != Protocol::TCP {
            return None;
        }
        let (start, header, payload) =
            conntrack::payload(layout.protocol, datagram.get(layout.transport..)?)?;
        let marks = (*header.get(13)? & (SYN | FIN)).count_ones();
        // A payload is shorter than 64 KiB.
        let length = payload.len() as u32 + marks;
        Some(Self {
            way: way(&layout, header)?,
            start,
            end: start.wrapping_add(length),
            acknowledged: u32::from_be_bytes(*header.get(8..)?.first_chunk()?),
        })
    }
}

fn way(layout: &Layout, header: &[u8]) -> Option<Way> {
    let &[a, b, c, d] = header.first_chunk()?;
    Some([(layout.src, [a, b]), (layout.dst, [c, d])])
}

fn back([from, to]: Way) -> Way {
    [to, from]
}

fn acknowledges(header: &[u8]) -> bool {
    header.get(13).is_some_and(|flags| flags & ACK != 0)
}

/// The edges of the blocks of a selective acknowledgement (RFC 2018, 3).
fn shift_selective(mut options: &mut [u8], by: u32) {
    while let [kind, rest @ ..] = options {
        let length = match (*kind, rest.first()) {
            (END, _) | (_, None) => return,
            (NOTHING, _) => 1,
            (_, Some(&length)) => usize::from(length),
        };
        if length == 0 || length > options.len() {
            return;
        }
        let (option, others) = options.split_at_mut(length);
        if let [SELECTIVE, _, edges @ ..] = option {
            for edge in edges.chunks_exact_mut(4) {
                shift(edge, by);
            }
        }
        options = others;
    }
}

fn shift(place: &mut [u8], by: u32) -> Option<()> {
    let number = place.first_chunk_mut()?;
    *number = u32::from_be_bytes(*number).wrapping_add(by).to_be_bytes();
    Some(())
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const END: u8 = 0;
const NOTHING: u8 = 1;
const SELECTIVE: u8 = 5;
