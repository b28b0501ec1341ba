//! The one read buffer of an input.
//!
//! 256 KiB fit the second-level cache of common processors, which makes reading in such pieces faster than mapping
//! the file; and it works on pipes. It grows for a record that is longer, never beyond what the caller asks for.

use std::io::{self, ErrorKind, Read};
use std::ops::Range;

pub struct Buffer {
    input: Box<dyn Read + Send>,
    bytes: Vec<u8>,
    /// What has been read and not yet taken.
    held: Range<usize>,
    /// Position in the input of the first byte held.
    offset: u64,
    ended: bool,
}

impl Buffer {
    pub fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, bytes: vec![0; CAPACITY], held: 0..0, offset: 0, ended: false }
    }

    /// How many bytes of the input have been taken.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// What is held, which is at least `wanted` bytes unless the input ends before.
    pub fn fill(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.held.len() < wanted && !self.ended {
            self.read_until(wanted)?;
        }
        Ok(&self.bytes[self.held.clone()])
    }

    /// Takes the next bytes, at most what is held. They can be seen through `slice` until the next `fill`.
    pub fn take(&mut self, length: usize) -> Range<usize> {
        let start = self.held.start;
        let end = start + length.min(self.held.len());
        self.offset += (end - start) as u64;
        self.held.start = end;
        start..end
    }

    pub fn slice(&self, taken: Range<usize>) -> &[u8] {
        self.bytes.get(taken).unwrap_or_default()
    }

    fn read_until(&mut self, wanted: usize) -> io::Result<()> {
        if self.held.start + wanted > self.bytes.len() {
            self.bytes.copy_within(self.held.clone(), 0);
            self.held = 0..self.held.len();
            if wanted > self.bytes.len() {
                self.bytes.resize(wanted, 0);
            }
        }
        while self.held.len() < wanted {
            match self.input.read(&mut self.bytes[self.held.end..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => self.held.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

const CAPACITY: usize = 256 << 10;
