//! One direction of a control connection, as its reader puts it together.

use crate::content::{Browser, Content};
use crate::packet::link::Via;

/// What is remembered of one end. There is one for every datagram's sender, so what only streams need is apart.
#[derive(Debug, Default)]
pub struct Side {
    /// Of TCP, from the first SYN or payload on.
    pub(super) stream: Option<Box<Stream>>,
    /// What its first payload looked like.
    pub opened_with: Option<Content>,
    /// What of a browser's it may have been.
    pub browser: Option<Browser>,
    /// Packets with a payload.
    pub messages: u64,
    /// The first of them; 0 where there is none.
    pub first_message: u64,
    /// Which way the first packet came.
    pub way: Option<Way>,
    /// Packets of any kind.
    pub packets: u64,
    /// Those that differ from the first in this respect.
    pub other: Other,
}

/// The bytes that one end said.
#[derive(Debug, Default)]
pub struct Stream {
    /// The bytes are kept, to be compared with repetitions.
    keeps: bool,
    /// Sequence number of the first byte, as the last SYN says that counts.
    first: Option<u32>,
    /// What the last SYN says that nobody has answered yet.
    pub(super) offered: Option<u32>,
    /// Sequence number of the byte that comes next; `None` before anything was heard.
    next: Option<u32>,
    /// Sequence number of the last bytes that were passed over, and how many they are.
    gap: (u32, u32),
    /// The last bytes before that one, as far as they are without a gap.
    recent: Vec<u8>,
    /// A line that has not ended yet.
    unfinished: Vec<u8>,
    /// Bytes that were passed over and have not come since.
    missing: u64,
}

/// Packets that came another way than the first of their end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Other {
    /// By another interface.
    pub interface: u64,
    /// From another link-layer address.
    pub sender: u64,
    /// With another hop limit.
    pub hop_limit: u64,
}

/// Which way a packet came, as far as the capture shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// As it stands in the IP header.
    pub hop_limit: u8,
    /// Interface, and link-layer address of the sender.
    pub via: Option<Via>,
}

/// How a segment lies in its stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Bytes at the payload's beginning that were heard before.
    pub again: usize,
    /// These read otherwise the first time.
    pub differs: bool,
    /// It brings what was passed over before.
    pub late: bool,
}

/// A line of a stream, whole. It ends with LF; the CR before that is none of it, but any other is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Without its line end; of a long line the first `LONGEST_LINE` bytes.
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
        let first = *self.way.get_or_insert(way);
        self.packets += 1;
        self.other.hop_limit += u64::from(way.hop_limit != first.hop_limit);
        if let Some((via, first)) = way.via.zip(first.via) {
            self.other.interface += u64::from(via.interface != first.interface);
            self.other.sender += u64::from(via.sender != first.sender);
        }
    }

    /// Bytes of its stream that the capture does not hold.
    pub fn missing(&self) -> u64 {
        self.stream.as_ref().map_or(0, |stream| stream.missing)
    }
}

impl Stream {
    /// `keeps` what a repetition is held against.
    pub fn new(keeps: bool) -> Self {
        Self {
            keeps,
            ..Self::default()
        }
    }

    /// In bytes.
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The stream begins at this number, whatever was heard before; the same SYN once more changes nothing.
    pub fn begin(&mut self, first: u32) {
        if self.first == Some(first) {
            return;
        }
        self.first = Some(first);
        self.next = Some(first);
        self.gap = (first, 0);
        self.recent.clear();
        self.unfinished.clear();
    }

    /// Takes a segment to where it belongs.
    pub fn place(&mut self, sequence: u32, payload: &[u8]) -> Place {
        let next = *self.next.get_or_insert(sequence);
        // A payload is shorter than 64 KiB.
        let length = payload.len() as u32;
        // Half of the numbers lie ahead, half behind (RFC 9293, 3.4).
        let ahead = sequence.wrapping_sub(next);
        let mut place = Place::default();
        if ahead < HALF {
            self.pass_over(next, ahead);
        } else if let Some(again) = self.fill(sequence, length) {
            place.again = again as usize;
            place.late = true;
        } else {
            let behind = next.wrapping_sub(sequence);
            place.again = behind.min(length) as usize;
            place.differs = self.differs(behind as usize, &payload[..place.again]);
        }
        let end = sequence.wrapping_add(length);
        let beyond = end.wrapping_sub(next);
        if beyond < HALF {
            self.next = Some(end);
        }
        if beyond < HALF && self.keeps {
            let new = &payload[(length - beyond.min(length)) as usize..];
            self.recent
                .extend_from_slice(&new[new.len().saturating_sub(REMEMBERED)..]);
            let excess = self.recent.len().saturating_sub(REMEMBERED);
            self.recent.drain(..excess);
        }
        place
    }

    /// Behind a segment that ended before this number, the snap length took so many bytes.
    pub fn lose(&mut self, next: u32, bytes: u32) {
        if self.next == Some(next) {
            self.pass_over(next, bytes);
            self.next = Some(next.wrapping_add(bytes));
        }
    }

    fn pass_over(&mut self, next: u32, bytes: u32) {
        if bytes > 0 {
            self.gap = (next, bytes);
            self.missing += u64::from(bytes);
            self.recent.clear();
            self.unfinished.clear();
        }
    }

    /// Whether a segment brings something of the last gap, and which of its bytes is the first. What lies before that in
    /// the gap stays missing.
    fn fill(&mut self, sequence: u32, length: u32) -> Option<u32> {
        let (start, missing) = self.gap;
        let into = sequence.wrapping_sub(start);
        let (again, into) = if into < missing {
            (0, into)
        } else {
            (start.wrapping_sub(sequence), 0)
        };
        if missing == 0 || again >= length {
            return None;
        }
        let filled = (length - again).min(missing - into);
        let passed = into + filled;
        self.gap = (start.wrapping_add(passed), missing - passed);
        self.missing = self.missing.saturating_sub(u64::from(filled));
        Some(again)
    }

    /// Whether these bytes, so far back, read otherwise the first time, as far as that is remembered. A keep-alive
    /// repeats the last byte with any value (RFC 9293, 3.8.4).
    fn differs(&self, behind: usize, repeated: &[u8]) -> bool {
        if (behind, repeated.len()) == (1, 1) {
            return false;
        }
        let forgotten = behind.saturating_sub(self.recent.len());
        let start = self.recent.len().saturating_sub(behind);
        let before = self.recent.get(start..).unwrap_or_default();
        let repeated = repeated.get(forgotten..).unwrap_or_default();
        before.iter().zip(repeated).any(|(a, b)| a != b)
    }

    /// The last bytes did not end one.
    pub fn is_within_a_line(&self) -> bool {
        !self.unfinished.is_empty()
    }

    /// The lines that end in a payload. What comes late is read by itself: a line that began before it, or goes on
    /// behind it, is lost.
    pub fn lines(&mut self, payload: &[u8], place: &Place) -> Vec<Line> {
        if !place.late {
            return self.read(payload, place.again);
        }
        let unfinished = std::mem::take(&mut self.unfinished);
        let lines = self.read(payload, place.again);
        self.unfinished = unfinished;
        lines
    }

    fn read(&mut self, payload: &[u8], from: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut start = from;
        let mut began_earlier = self.is_within_a_line();
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

const HALF: u32 = 1 << 31;
/// Bytes of a stream that a repeated segment is compared with.
const REMEMBERED: usize = 4096;
/// Bytes of a line.
const LONGEST_LINE: usize = 2048;
