//! One direction of a control connection, as its reader puts it together.

use crate::content::Content;
use crate::packet::link::Via;

/// What is remembered of what one end said.
#[derive(Debug, Default)]
pub struct Side {
    /// Sequence number of the byte that comes next; `None` before anything was heard.
    next: Option<u32>,
    /// The last bytes before that one, as far as they are without a gap.
    recent: Vec<u8>,
    /// A line that has not ended yet.
    unfinished: Vec<u8>,
    /// What its first payload looked like.
    pub opened_with: Option<Content>,
    /// The first few bytes of that.
    pub opening: Vec<u8>,
    /// Packets with a payload.
    pub messages: u64,
    /// The first of them; 0 where there is none.
    pub first_message: u64,
    /// Bytes that the capture does not hold.
    pub missing: u64,
    /// Where the first packet came from, and how far.
    pub way: Option<Way>,
    /// Packets that came that way, and others.
    pub same_way: u64,
    pub other_ways: u64,
}

/// Which way a packet came, as far as the capture shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    pub hop_limit: u8,
    /// Interface, and link-layer address of the sender.
    pub via: Option<Via>,
}

/// How a segment lies in its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes of the payload that were heard before.
    pub again: usize,
    /// These read otherwise the first time.
    pub differs: bool,
    /// Bytes between the last segment and this one that the capture does not hold.
    pub missed: u32,
}

/// A line of a stream, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Without its line end.
    pub text: Vec<u8>,
    /// Where it begins in the payload of the packet that ends it; `None` where it began in an earlier packet.
    pub at: Option<usize>,
}

impl Line {
    /// Whether it begins with this word, in capitals or not, and where the rest of it stands.
    pub fn after(&self, word: &str) -> Option<&[u8]> {
        after(&self.text, word)
    }
}

/// What stands behind this word, in capitals or not, at the beginning of a text.
pub fn after<'t>(text: &'t [u8], word: &str) -> Option<&'t [u8]> {
    let (first, rest) = text.split_at_checked(word.len())?;
    first.eq_ignore_ascii_case(word.as_bytes()).then_some(rest)
}

impl Side {
    /// Counts a packet that came this way.
    pub fn arrive(&mut self, way: Way) {
        if *self.way.get_or_insert(way) == way {
            self.same_way += 1;
        } else {
            self.other_ways += 1;
        }
    }

    /// A SYN says where the stream begins.
    pub fn begin(&mut self, sequence: u32) {
        self.next.get_or_insert(sequence.wrapping_add(1));
    }

    /// Takes a segment to where it belongs.
    pub fn place(&mut self, sequence: u32, payload: &[u8]) -> Place {
        let next = *self.next.get_or_insert(sequence);
        // Half of the numbers lie ahead, half behind (RFC 9293, 3.4).
        let ahead = sequence.wrapping_sub(next);
        let place = if ahead < 1 << 31 {
            Place {
                missed: ahead,
                ..Place::default()
            }
        } else {
            let behind = next.wrapping_sub(sequence) as usize;
            let again = behind.min(payload.len());
            let start = self.recent.len().checked_sub(behind);
            let before = start.and_then(|start| self.recent.get(start..start + again));
            Place {
                again,
                differs: before.is_some_and(|before| before != &payload[..again]),
                missed: 0,
            }
        };
        if place.missed > 0 {
            self.missing += u64::from(place.missed);
            self.recent.clear();
            self.unfinished.clear();
        }
        let fresh = &payload[place.again..];
        if !fresh.is_empty() {
            // A payload is shorter than 64 KiB.
            let end = sequence.wrapping_add(payload.len() as u32);
            self.next = Some(end);
            self.recent.extend_from_slice(fresh);
            let excess = self.recent.len().saturating_sub(REMEMBERED);
            self.recent.drain(..excess);
        }
        place
    }

    /// The lines that end in these bytes of a payload.
    pub fn lines(&mut self, payload: &[u8], from: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut start = from;
        let mut began_earlier = !self.unfinished.is_empty();
        for (at, &byte) in payload.iter().enumerate().skip(from) {
            if byte != b'\n' {
                continue;
            }
            self.keep(&payload[start..at]);
            let mut text = std::mem::take(&mut self.unfinished);
            if text.last() == Some(&b'\r') {
                text.pop();
            }
            lines.push(Line {
                text,
                at: (!began_earlier).then_some(start),
            });
            began_earlier = false;
            start = at + 1;
        }
        self.keep(&payload[start..]);
        lines
    }

    /// Of a line without an end, its beginning is kept.
    fn keep(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE.saturating_sub(self.unfinished.len());
        self.unfinished
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Bytes of a stream that a repeated segment is compared with.
const REMEMBERED: usize = 4096;
/// Bytes of a line.
const LONGEST_LINE: usize = 2048;
