//! One read buffer for all inputs of a capture.
//!
//! A record is looked at where `read` put it and is never copied, unless it lies across the end of the buffer. The
//! size is a measurement: 256 KiB stay in the second-level cache, and walking a capture through them takes 0.8 of
//! the time that 8 MiB take and 0.7 of that of a memory map, which moreover knows no pipe and dies of a file that
//! shrinks. A longer record makes the buffer grow, up to [`MAX_RECORD`] and a little more; it costs no more than that.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

use super::Fault;

pub(super) struct Buffer {
    source: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    /// What was taken last. From its end on, up to `end`, lies what has been read and not been taken.
    taken: Range<usize>,
    end: usize,
    /// Bytes of the input that were taken.
    position: u64,
    /// How many of them lie before the record that is being read.
    record: u64,
    ended: bool,
}

impl Buffer {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            bytes: Vec::new(),
            taken: 0..0,
            end: 0,
            position: 0,
            record: 0,
            ended: false,
        }
    }

    /// Where in the input the first byte stands that was not taken yet.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Where the record or block begins that is being read, or was read last.
    pub(super) fn record(&self) -> u64 {
        self.record
    }

    /// A record or block begins with the next byte.
    pub(super) fn begin_record(&mut self) {
        self.record = self.position;
    }

    pub(super) fn is_at_end(&mut self) -> Result<bool, Fault> {
        Ok(self.peek(1)?.is_empty())
    }

    /// The next `length` bytes; fewer only where the input ends.
    pub(super) fn peek(&mut self, length: usize) -> Result<&[u8], Fault> {
        if self.end - self.taken.end < length {
            self.fill(length).map_err(Fault::Read)?;
        }
        let end = self.end.min(self.taken.end + length);
        Ok(&self.bytes[self.taken.end..end])
    }

    /// The next `length` bytes, which are a `part` of the format.
    pub(super) fn require(&mut self, part: &'static str, length: usize) -> Result<&[u8], Fault> {
        if length > MAX_RECORD {
            return Err(Fault::TooLong { part, length });
        }
        let bytes = self.peek(length)?;
        if bytes.len() < length {
            return Err(Fault::CutOff {
                part,
                length,
                left: bytes.len(),
            });
        }
        Ok(bytes)
    }

    /// As `require`, for a part of a fixed length.
    pub(super) fn require_fixed<const LENGTH: usize>(
        &mut self,
        part: &'static str,
    ) -> Result<&[u8; LENGTH], Fault> {
        let bytes = self.peek(LENGTH)?;
        bytes.first_chunk().ok_or(Fault::CutOff {
            part,
            length: LENGTH,
            left: bytes.len(),
        })
    }

    /// Moves on behind the next `length` bytes, which a call before this one has shown to be there.
    pub(super) fn take(&mut self, length: usize) {
        let start = self.taken.end;
        self.taken = start..self.end.min(start + length);
        self.position += self.taken.len() as u64;
    }

    /// Some of the bytes that were taken last.
    pub(super) fn taken(&self, range: Range<usize>) -> &[u8] {
        self.bytes[self.taken.clone()]
            .get(range)
            .unwrap_or_default()
    }

    /// Reads until `length` bytes are there or the input ends. What was taken is gone after this.
    #[cold]
    fn fill(&mut self, length: usize) -> io::Result<()> {
        // After a long record the buffer stays long, but is not filled further than before: that would not be cached.
        // What is long is followed by as much again as is read at a time, or a search that goes on byte by byte would
        // move all of it for each.
        let room = if length <= SIZE / 2 {
            SIZE
        } else {
            length + SIZE
        };
        let rest = self.taken.end..self.end;
        self.end = rest.len();
        self.taken = 0..0;
        if self.bytes.len() < room {
            // Zeroed by the system when first touched: a length that is only claimed costs nothing.
            let mut longer = vec![0; room.next_power_of_two()];
            longer[..rest.len()].copy_from_slice(&self.bytes[rest]);
            self.bytes = longer;
        } else {
            self.bytes.copy_within(rest, 0);
        }
        while self.end < length && !self.ended {
            match self.source.read(&mut self.bytes[self.end..room]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Bytes of the longest record or block that is read, its header included. libpcap draws the same line
/// (`INITIAL_MAX_BLOCKSIZE` in sf-pcapng.c); a packet has 256 KiB at most (`MAXIMUM_SNAPLEN`).
pub(super) const MAX_RECORD: usize = 16 << 20;

/// Bytes asked of the input at a time.
const SIZE: usize = 256 << 10;
