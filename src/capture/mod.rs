//! Captures -> frames: files, pipes and standard input, pcap and pcapng, read once from front to back.
//!
//! A capture is somebody else's bytes. Nothing in it may make the reader panic, run for ever or take more memory than
//! one record needs. What is odd but readable is read (see the two formats); where a file is cut off or damaged,
//! every packet before that point is delivered, and then the error says where it is.
//!
//! pcap-file parses headers, records and blocks from slices. Its readers are not used: they have a buffer of a fixed
//! size and give up on the whole file at what a record says of its snapshot length or a block of its clock.

mod again;
mod buffer;
mod pcap;
mod pcapng;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub use self::again::Again;

use self::buffer::{Buffer, MAX_RECORD};
use self::pcap::Pcap;
use self::pcapng::PcapNg;
use crate::time::Timestamp;

/// One record of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Counted from 1 over all inputs.
    pub number: u64,
    /// When it was captured; 1970 for a simple packet block, which does not say.
    pub at: Timestamp,
    /// The LINKTYPE_ number: the low 16 bits of the header's field, without those that tell of a check sequence.
    pub link: u16,
    /// The interface's number in its pcapng section; 0 for pcap, which has none.
    pub interface: u32,
    /// Its name, where the section has one.
    pub interface_name: Option<&'a str>,
    /// The bytes captured.
    pub data: &'a [u8],
    /// Bytes on the wire, as the record says; it may say less than were captured.
    pub original_length: u32,
}

/// The frames of several inputs, one input after the other in the order given.
pub struct Capture {
    waiting: std::vec::IntoIter<Input>,
    /// The current input, or the last one.
    file: String,
    /// `None` where the next input has to be opened.
    format: Option<Format>,
    buffer: Buffer,
    /// Of the last frame.
    number: u64,
    /// Frames and bytes of the inputs before the current one.
    earlier_frames: u64,
    earlier_bytes: u64,
    total_bytes: Option<u64>,
    /// Packets that inputs already done with say they lost.
    earlier_lost: u64,
}

impl Capture {
    /// Inputs by their paths; `-` is standard input.
    ///
    /// # Errors
    ///
    /// [`Error::Open`] where a path does not exist, is a directory or, being a regular file, must not be read: this is
    /// the time to say so, not after an hour of work on the file before it. Nothing is read yet, so that a pipe's
    /// writer is not waited for.
    pub fn open(paths: &[PathBuf]) -> Result<Self, Error> {
        let (inputs, total_bytes) = inputs(paths)?;
        Ok(Self::new(inputs, total_bytes))
    }

    /// The same, and the inputs for a second time.
    ///
    /// # Errors
    ///
    /// As `open`.
    pub fn open_twice(paths: &[PathBuf]) -> Result<(Self, Again), Error> {
        let (inputs, total_bytes) = inputs(paths)?;
        let twice = inputs.into_iter().map(again::twice);
        let (once, again) = twice.unzip();
        Ok((Self::new(once, total_bytes), Again(again)))
    }

    /// One input that is already open. Errors call it `name`.
    pub fn from_reader(name: &str, reader: Box<dyn Read + Send>) -> Self {
        let input = Input {
            name: printable(Path::new(name)),
            source: Source::Reader(reader),
        };
        Self::new(vec![input], None)
    }

    fn new(inputs: Vec<Input>, total_bytes: Option<u64>) -> Self {
        Self {
            waiting: inputs.into_iter(),
            file: String::new(),
            format: None,
            buffer: Buffer::new(),
            number: 0,
            earlier_frames: 0,
            earlier_bytes: 0,
            total_bytes,
            earlier_lost: 0,
        }
    }

    /// The next frame, or `None` after the last one of the last input.
    ///
    /// # Errors
    ///
    /// After an error the input it came from is done with. The next call goes on with the input after it: damage in
    /// one of several rotated files does not lose the others.
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame lends the buffer, which an iterator's item cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Error> {
        let record = loop {
            let Some(format) = &mut self.format else {
                if !self.open_next()? {
                    return Ok(None);
                }
                continue;
            };
            match format.next(&mut self.buffer) {
                Ok(Some(record)) => break record,
                Ok(None) => self.close(),
                Err(fault) => {
                    self.close();
                    let packet = self.number - self.earlier_frames + 1;
                    return Err(Error::Damaged {
                        file: self.file.clone(),
                        packet,
                        byte: self.buffer.position(),
                        fault,
                    });
                }
            }
        };
        self.number += 1;
        Ok(Some(Frame {
            number: self.number,
            at: record.at,
            link: record.link,
            interface: record.interface,
            interface_name: self
                .format
                .as_ref()
                .and_then(|format| format.name(record.interface)),
            data: self.buffer.taken(record.data),
            original_length: record.original_length,
        }))
    }

    /// The name of the input that the last frame or error came from, printable; empty before the first call of `next`.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Bytes of all inputs up to and with the last frame.
    pub fn bytes_read(&self) -> u64 {
        self.earlier_bytes + self.buffer.position()
    }

    /// Bytes of all inputs when they were opened, if all of them are regular files.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// Packets that were lost in capturing, as far as the inputs say so themselves: pcap has no place for it.
    pub fn lost(&self) -> u64 {
        let current = self.format.as_ref().map_or(0, Format::lost);
        self.earlier_lost.saturating_add(current)
    }

    fn close(&mut self) {
        self.earlier_lost = self.lost();
        self.format = None;
    }

    /// Opens the next input; false where there is none.
    fn open_next(&mut self) -> Result<bool, Error> {
        let Some(Input { name, source }) = self.waiting.next() else {
            return Ok(false);
        };
        self.file = name;
        let source = source.open().map_err(|error| Error::Open {
            file: self.file.clone(),
            error,
        })?;
        self.earlier_bytes = self.bytes_read();
        self.earlier_frames = self.number;
        self.buffer.restart(source);
        self.format = Some(Format::recognise(&self.file, &mut self.buffer)?);
        Ok(true)
    }
}

/// Why an input gives no frame, or no further one. Each is one line that names the file and says what to do, unless
/// that is plain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{file}: cannot open: {error}")]
    Open { file: String, error: io::Error },
    #[error("{file}: empty: nothing was captured, or nothing was written yet")]
    Empty { file: String },
    #[error(
        "{file}: not a pcap or pcapng capture, it starts with {}: if it is a capture of another kind, convert it \
         first, e.g. editcap FILE NEW.pcapng",
        hex(start)
    )]
    NotACapture { file: String, start: Vec<u8> },
    #[error(
        "{file}: compressed ({format}): decompress it first, e.g. {tool} FILE | ctaudit analyse -"
    )]
    Compressed {
        file: String,
        format: &'static str,
        tool: &'static str,
    },
    /// It begins like a capture, but there is nothing behind that.
    #[error("{file}: {fault}")]
    Header { file: String, fault: Fault },
    #[error("{file}: packet {packet} at byte {byte}: {fault}; packets before it were read")]
    Damaged {
        file: String,
        /// The packet that should have come next, counted from 1 in this file.
        packet: u64,
        /// Where in the file the record or block begins that could not be read.
        byte: u64,
        fault: Fault,
    },
}

impl Error {
    /// Whether the input was a capture up to some point, and its frames up to there are good.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

/// What is wrong at one place of a capture.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("reading failed: {0}")]
    Read(io::Error),
    /// `length` and `left` count from the beginning of the part.
    #[error(
        "the {part} takes {length} bytes but the file ends after {left} of them: cut off or damaged"
    )]
    CutOff {
        part: &'static str,
        length: usize,
        left: usize,
    },
    #[error(
        "the {part} claims {length} bytes, the limit is {MAX_RECORD}: the capture is damaged here"
    )]
    TooLong { part: &'static str, length: usize },
    #[error("{0}: the capture is damaged here")]
    Malformed(String),
    #[error(
        "pcapng version {major}.{minor} is not known: convert it first, e.g. editcap FILE NEW.pcapng"
    )]
    Version { major: u16, minor: u16 },
}

/// What a format makes of one record.
struct Record {
    at: Timestamp,
    link: u16,
    interface: u32,
    /// Where in the bytes that it took from the buffer the packet lies.
    data: Range<usize>,
    original_length: u32,
}

enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Format {
    /// Takes the header of an input called `file`.
    fn recognise(file: &str, buffer: &mut Buffer) -> Result<Self, Error> {
        let file = || file.to_owned();
        let header = |fault| Error::Header {
            file: file(),
            fault,
        };
        let start = buffer.peek(pcapng::MAGIC.len()).map_err(header)?;
        if start.is_empty() {
            return Err(Error::Empty { file: file() });
        }
        if start == pcapng::MAGIC {
            return PcapNg::open(buffer).map(Self::PcapNg).map_err(header);
        }
        if Pcap::is_magic(start) {
            return Pcap::open(buffer).map(Self::Pcap).map_err(header);
        }
        match COMPRESSED
            .iter()
            .find(|(magic, ..)| start.starts_with(magic))
        {
            Some(&(_, format, tool)) => Err(Error::Compressed {
                file: file(),
                format,
                tool,
            }),
            None => Err(Error::NotACapture {
                file: file(),
                start: start.to_vec(),
            }),
        }
    }

    fn name(&self, interface: u32) -> Option<&str> {
        match self {
            Self::Pcap(_) => None,
            Self::PcapNg(pcapng) => pcapng.name(interface),
        }
    }

    fn lost(&self) -> u64 {
        match self {
            Self::Pcap(_) => 0,
            Self::PcapNg(pcapng) => pcapng.lost(),
        }
    }

    fn next(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        match self {
            Self::Pcap(pcap) => pcap.next(buffer),
            Self::PcapNg(pcapng) => pcapng.next(buffer),
        }
    }
}

/// Inputs by their paths, and their sizes together, where all have one.
fn inputs(paths: &[PathBuf]) -> Result<(Vec<Input>, Option<u64>), Error> {
    let mut total_bytes = Some(0);
    let mut inputs = Vec::with_capacity(paths.len());
    for path in paths {
        if path.as_os_str() == "-" {
            total_bytes = None;
            inputs.push(Input {
                name: "standard input".into(),
                source: Source::Stdin,
            });
            continue;
        }
        let name = printable(path);
        let size = regular_size(path).map_err(|error| Error::Open {
            file: name.clone(),
            error,
        })?;
        total_bytes = total_bytes.zip(size).map(|(total, size)| total + size);
        let path = path.clone();
        let source = match size {
            Some(_) => Source::File(path),
            None => Source::Pipe(path),
        };
        inputs.push(Input { name, source });
    }
    Ok((inputs, total_bytes))
}

struct Input {
    name: String,
    source: Source,
}

enum Source {
    Stdin,
    File(PathBuf),
    Pipe(PathBuf),
    Reader(Box<dyn Read + Send>),
    Copied(Box<Source>, again::Copy),
}

impl Source {
    fn open(self) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Stdin => Box::new(io::stdin()),
            Self::File(path) | Self::Pipe(path) => Box::new(File::open(path)?),
            Self::Reader(reader) => reader,
            Self::Copied(source, copy) => Box::new(again::Copied {
                input: source.open()?,
                copy,
            }),
        })
    }
}

/// The size of a regular file that can be opened; `None` for a pipe or a device, which opening might disturb.
fn regular_size(path: &Path) -> io::Result<Option<u64>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Ok(None);
    }
    File::open(path)?;
    Ok(Some(metadata.len()))
}

/// A file's name on one line, and without what would reach a terminal as a command.
fn printable(path: &Path) -> String {
    let mut name = String::new();
    for character in path.display().to_string().chars() {
        match character {
            '"' | '\'' | '\\' => name.push(character),
            _ => name.extend(character.escape_debug()),
        }
    }
    name
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.join(" ")
}

/// How compressed files begin, and what prints their content.
const COMPRESSED: [(&[u8], &str, &str); 5] = [
    (b"\x1f\x8b", "gzip", "zcat"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
    (b"\xfd7zX", "xz", "xzcat"),
    (b"BZh", "bzip2", "bzcat"),
    (b"\x04\x22\x4d\x18", "lz4", "lz4cat"),
];
