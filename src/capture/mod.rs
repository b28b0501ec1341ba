//! Files, pipes and standard input as one sequence of frames.
//!
//! A frame is borrowed from the one read buffer, so reading costs no allocation a packet. What is wrong inside a
//! capture ends that file, not the run: every frame before it has been delivered, and the caller is told where and
//! why it stopped. Compressed files, resynchronisation behind damage and files that still grow are not read yet.

mod buffer;
mod pcap;
mod pcapng;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::time::Timestamp;
use buffer::Buffer;

/// One record of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Counted from 1 over the whole input, all files together.
    pub number: u64,
    pub at: Timestamp,
    /// Link-layer type: LINKTYPE_ number, without the bits that tell of a frame check sequence.
    pub link: u16,
    /// What was captured.
    pub data: &'a [u8],
    /// Bytes on the wire, as the record says.
    pub original_length: u32,
}

/// Captures, read one after the other.
pub struct Capture {
    waiting: VecDeque<PathBuf>,
    current: Option<Input>,
    number: u64,
    /// Bytes of the inputs that are done.
    done: u64,
    total: Option<u64>,
}

/// One file, pipe or standard input.
struct Input {
    name: String,
    buffer: Buffer,
    format: Format,
}

enum Format {
    Pcap(pcap::Reader),
    PcapNg(pcapng::Reader),
}

/// A frame that stands in the buffer.
struct Record {
    at: Timestamp,
    link: u16,
    data: Range<usize>,
    original_length: u32,
}

impl Capture {
    /// Checks that every path can be opened; `-` is standard input. Nothing is read yet.
    pub fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let mut total = Some(0u64);
        for path in paths {
            let length = match path.to_str() {
                Some("-") => None,
                _ => regular_length(path).map_err(|e| Error::at_start(&name(path), Fault::Open(e)))?,
            };
            total = total.zip(length).map(|(sum, length)| sum.saturating_add(length));
        }
        Ok(Self { waiting: paths.iter().cloned().collect(), current: None, number: 0, done: 0, total })
    }

    /// The next frame; `None` at the end of the last input.
    ///
    /// After an error the input that caused it is over; the next call goes on with the one behind it.
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Error> {
        let record = loop {
            if self.current.is_none() {
                let Some(path) = self.waiting.pop_front() else { return Ok(None) };
                self.current = Some(Input::open(&path)?);
            }
            let Some(input) = &mut self.current else { continue };
            let found = match &mut input.format {
                Format::Pcap(reader) => reader.next(&mut input.buffer),
                Format::PcapNg(reader) => reader.next(&mut input.buffer),
            };
            match found {
                Ok(Some(record)) => break record,
                Ok(None) => self.finish_input(),
                Err(fault) => {
                    let byte = input.buffer.offset();
                    let error = Error { file: input.name.clone(), packet: self.number + 1, byte, fault };
                    self.finish_input();
                    return Err(error);
                }
            }
        };
        self.number += 1;
        let data = match &self.current {
            Some(input) => input.buffer.slice(record.data),
            None => &[],
        };
        let Record { at, link, original_length, .. } = record;
        Ok(Some(Frame { number: self.number, at, link, data, original_length }))
    }

    fn finish_input(&mut self) {
        if let Some(input) = self.current.take() {
            self.done += input.buffer.offset();
        }
    }

    /// Bytes read so far, over all inputs.
    pub fn bytes_read(&self) -> u64 {
        self.done + self.current.as_ref().map_or(0, |input| input.buffer.offset())
    }

    /// Bytes of all inputs, where all are regular files.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total
    }
}

impl Input {
    fn open(path: &Path) -> Result<Self, Error> {
        let name = name(path);
        let fault = |fault| Error::at_start(&name, fault);
        let mut buffer = match path.to_str() {
            Some("-") => Buffer::new(Box::new(io::stdin())),
            _ => Buffer::new(Box::new(File::open(path).map_err(|e| fault(Fault::Open(e)))?)),
        };
        let start = buffer.fill(4).map_err(|e| fault(Fault::Read(e)))?;
        let format = match start.first_chunk() {
            None if start.is_empty() => return Err(fault(Fault::Empty)),
            None => return Err(fault(Fault::Foreign(start.to_vec()))),
            Some(magic) if pcapng::MAGIC == *magic => Format::PcapNg(pcapng::Reader::default()),
            Some(magic) if pcap::is_magic(magic) => Format::Pcap(pcap::Reader::open(&mut buffer).map_err(fault)?),
            Some(magic) => return Err(fault(compressed(magic).unwrap_or_else(|| Fault::Foreign(magic.to_vec())))),
        };
        Ok(Self { name, buffer, format })
    }
}

/// Length of a regular file; `None` for what has no length. Fails where it cannot be opened.
fn regular_length(path: &Path) -> io::Result<Option<u64>> {
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !metadata.is_file() {
        return Ok(None);
    }
    File::open(path)?;
    Ok(Some(metadata.len()))
}

/// A file name that is safe to print.
fn name(path: &Path) -> String {
    match path.to_str() {
        Some("-") => "standard input".to_owned(),
        _ => path.display().to_string().chars().flat_map(printable).collect(),
    }
}

fn printable(letter: char) -> Vec<char> {
    if letter.is_control() { letter.escape_default().collect() } else { vec![letter] }
}

fn compressed(magic: &[u8; 4]) -> Option<Fault> {
    let tool = match magic {
        [0x1f, 0x8b, ..] => "zcat",
        [0x28, 0xb5, 0x2f, 0xfd] => "zstdcat",
        [0xfd, b'7', b'z', b'X'] => "xzcat",
        [b'B', b'Z', b'h', _] => "bzcat",
        [0x04, 0x22, 0x4d, 0x18] => "lz4cat",
        _ => return None,
    };
    Some(Fault::Compressed(tool))
}

/// What stopped the reading of an input, and where.
#[derive(Debug, thiserror::Error)]
#[error("{file}: packet {packet} at byte {byte}: {fault}")]
pub struct Error {
    file: String,
    /// The packet that was being read.
    packet: u64,
    byte: u64,
    fault: Fault,
}

impl Error {
    fn at_start(file: &str, fault: Fault) -> Self {
        Self { file: file.to_owned(), packet: 1, byte: 0, fault }
    }

    /// The input is a capture, and what came before the damage has been delivered.
    pub fn is_damage(&self) -> bool {
        matches!(self.fault, Fault::CutOff { .. } | Fault::TooLong(_) | Fault::Block(_) | Fault::Read(_))
            && self.byte > 0
    }
}

#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("cannot be opened: {0}")]
    Open(io::Error),
    #[error("cannot be read: {0}")]
    Read(io::Error),
    #[error("the file is empty: nothing was captured")]
    Empty,
    #[error("not a capture: it starts with {0:02x?}; pcap and pcapng are read, other formats must be converted first (editcap)")]
    Foreign(Vec<u8>),
    #[error("compressed: decompress it first, as in `{0} FILE | ctaudit analyse -`")]
    Compressed(&'static str),
    #[error("the header is cut off: the capture was stopped before anything was written")]
    HeaderCut,
    #[error("{claimed} bytes should follow and {left} do: the capture was cut off; the packets before it were read")]
    CutOff { claimed: usize, left: usize },
    #[error("a record of {0} bytes is longer than any packet (at most {max}): the file is damaged; the packets before it were read", max = MAX_RECORD)]
    TooLong(u64),
    #[error("{0}: the file is damaged; the packets before it were read")]
    Block(&'static str),
}

/// The longest record that is believed, in bytes.
const MAX_RECORD: u64 = 16 << 20;
