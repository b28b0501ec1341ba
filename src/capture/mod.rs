//! Captures -> frames: files, directories, pipes and standard input, pcap and pcapng, compressed or not, read once from
//! front to back.
//!
//! A capture is somebody else's bytes. Nothing in it may make the reader panic, run for ever or take more memory than
//! one record needs. What is odd but readable is read (see the two formats). Where bytes are no record, the reader says
//! where they are and how many, and goes on behind them.
//!
//! Several files are one stream in the order of their first packets, one behind the other, or side by side if that was
//! asked for: then the earliest of their next packets comes first.
//!
//! pcap-file parses headers and blocks from slices. Its readers are not used: they have a buffer of a fixed size and
//! give up on the whole file at what a record says of its snapshot length or a block of its clock.

mod account;
mod buffer;
mod compressed;
mod directory;
mod error;
mod inputs;
mod pcap;
mod pcapng;
mod reader;
mod source;
mod waiting;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

pub use self::account::{Account, Told};
pub use self::error::{Damage, Error, Fault};
pub use self::inputs::printable;

use self::directory::Directory;
use self::inputs::{Input, Inputs};
use self::reader::Reader;
use self::source::Source;
use crate::time::Timestamp;

/// One record of a capture.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Counted from 1 over all inputs.
    pub number: u64,
    /// When it was captured; a simple packet block does not say, and gets the time of the packet before it.
    pub at: Timestamp,
    /// The LINKTYPE_ number: the low 16 bits of the header's field, without those that tell of a check sequence.
    pub link: u16,
    /// The interface's number in its pcapng section; 0 for pcap, which has none. Of inputs that are read side by side,
    /// each has numbers of its own: the input's, counted from 0, is in the upper 16 bits.
    pub interface: u32,
    /// Its name, where the section has one.
    pub interface_name: Option<&'a str>,
    /// The bytes captured, without the frame check sequence where the capture says that there is one.
    pub data: &'a [u8],
    /// The memory that they lie in, to keep them longer, and from which byte on.
    pub chunk: &'a Chunk,
    /// Where in the chunk the frame begins.
    pub start: usize,
    /// Bytes on the wire, as the record says; it may say less than were captured.
    pub original_length: u32,
}

/// A piece of memory with frames in it.
pub type Chunk = Arc<Vec<u8>>;

/// How inputs are read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// Side by side, packet by packet in the order of time.
    pub merge: bool,
    /// Where the last file ends, wait for more; and for the next file in its directory.
    pub follow: bool,
    /// Who may end it early.
    pub stop: Stop,
}

/// A request to end early, from a signal's handler or another thread: the inputs end where they are.
#[derive(Clone, Debug, Default)]
pub struct Stop(pub Arc<AtomicBool>);

impl Stop {
    /// Asked before each read.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// From any thread; it cannot be taken back.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The frames of all inputs.
pub struct Capture {
    reading: Reading,
    /// In the order of time, as far as it is known.
    waiting: VecDeque<Input>,
    /// Those that are being read; one that was read to its end stays until all of them were.
    open: Vec<Option<Open>>,
    /// Inputs that were read before these.
    earlier: usize,
    /// The next frame of each open input, and which of them that is.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The open input whose next frame has not been read yet.
    turn: Option<usize>,
    directory: Option<Arc<Directory>>,
    /// Of the last frame.
    number: u64,
    bytes_read: Arc<AtomicU64>,
    total_bytes: Option<u64>,
    account: Account,
}

struct Open {
    reader: Reader,
    head: Option<Record>,
}

/// What a format makes of one record.
struct Record {
    /// `None` where it does not say.
    at: Option<Timestamp>,
    link: u16,
    interface: u32,
    /// Where in the bytes that it took from the buffer the packet lies.
    data: Range<usize>,
    original_length: u32,
    /// Bytes behind the packet, if it was not cut.
    check_sequence: u8,
}

impl Capture {
    /// Inputs by their paths: files, directories of files, pipes; `-` is standard input.
    ///
    /// # Errors
    ///
    /// Where a path does not exist, a directory holds no capture, or one of several files is none. Of a pipe nothing is
    /// read yet, so that its writer is not waited for.
    pub fn open(paths: &[PathBuf], reading: Reading) -> Result<Self, Error> {
        let inputs = Inputs::find(paths, reading.follow)?;
        let mut new = Self::new(inputs.waiting, reading);
        new.directory = inputs.directory;
        new.total_bytes = inputs.total_bytes;
        new.account.reordered = inputs.reordered;
        new.account.passed_over_files = inputs.passed_over;
        Ok(new)
    }

    /// One input that is already open. Errors call it `name`.
    pub fn from_reader(name: &str, reader: Box<dyn Read + Send>) -> Self {
        let input = Input {
            name: printable(Path::new(name)),
            source: Source::Reader(reader),
            begins: None,
        };
        Self::new([input].into(), Reading::default())
    }

    fn new(waiting: VecDeque<Input>, reading: Reading) -> Self {
        Self {
            reading,
            waiting,
            open: Vec::new(),
            earlier: 0,
            heads: BinaryHeap::new(),
            turn: None,
            directory: None,
            number: 0,
            bytes_read: Arc::default(),
            total_bytes: None,
            account: Account::default(),
        }
    }

    /// The next frame, or `None` after the last one of the last input.
    ///
    /// # Errors
    ///
    /// After damage the next call goes on behind it, in the same input or the next.
    #[expect(
        clippy::should_implement_trait,
        reason = "a frame lends the buffer, which an iterator's item cannot"
    )]
    pub fn next(&mut self) -> Result<Option<Frame<'_>>, Error> {
        let index = loop {
            if let Some(index) = self.turn {
                self.read_head(index)?;
                self.turn = None;
            }
            if self.is_next_due() {
                self.open_next()?;
                continue;
            }
            if let Some(Reverse((_, index))) = self.heads.pop() {
                break index;
            }
            if !self.wait_for_news() {
                return Ok(None);
            }
        };
        self.turn = Some(index);
        self.number += 1;
        let Some(Some(Open {
            reader,
            head: Some(record),
        })) = self.open.get(index)
        else {
            return Ok(None);
        };
        let (chunk, range) = reader.data(record);
        let start = range.start;
        let mut data = &chunk[range];
        if data.len() == record.original_length as usize {
            let length = data.len().saturating_sub(record.check_sequence.into());
            data = &data[..length];
        }
        let input = match self.reading.merge {
            true => (self.earlier + index) as u32,
            false => 0,
        };
        Ok(Some(Frame {
            number: self.number,
            at: reader.at(record),
            link: record.link,
            interface: input << 16 | record.interface,
            interface_name: reader.interface_name(record.interface),
            data,
            chunk,
            start,
            original_length: record.original_length,
        }))
    }

    /// How many there were up to now.
    pub fn frames(&self) -> u64 {
        self.number
    }

    /// Counts the bytes read of all inputs, as they are stored.
    pub fn bytes_counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.bytes_read)
    }

    /// Bytes of all inputs when they were found, if all of them are regular files that nobody waits for.
    pub fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    /// What is to be said of the inputs, up to now.
    pub fn account(&self) -> Account {
        let mut account = self.account.clone();
        for open in self.open.iter().flatten() {
            account.add(&open.reader);
        }
        account.merged = self.reading.merge;
        account.interrupted = self.reading.stop.is_requested();
        account
    }

    /// Reads the next frame of an input, or closes it.
    fn read_head(&mut self, index: usize) -> Result<(), Error> {
        let Some(Some(open)) = self.open.get_mut(index) else {
            return Ok(());
        };
        match open.reader.next() {
            Ok(Some(record)) => {
                let at = open.reader.at(&record);
                open.head = Some(record);
                self.heads.push(Reverse((at, index)));
            }
            Ok(None) => self.close(index),
            // What was cut off by a request to stop is not damaged.
            Err(_) if self.reading.stop.is_requested() => self.close(index),
            Err(damage) => {
                let damage = Arc::new(damage);
                self.account.damaged(&damage);
                return Err(Error::Damaged(damage));
            }
        }
        Ok(())
    }

    fn close(&mut self, index: usize) {
        if let Some(open) = self.open.get_mut(index).and_then(Option::take) {
            self.account.add(&open.reader);
        }
    }

    /// Whether an input is to be opened before the next frame is given.
    fn is_next_due(&self) -> bool {
        let Some(input) = self.waiting.front() else {
            return false;
        };
        match self.heads.peek() {
            _ if self.reading.stop.is_requested() => false,
            None => true,
            Some(Reverse((at, _))) => {
                self.reading.merge && input.begins.is_none_or(|begins| begins <= *at)
            }
        }
    }

    /// Opens the next input, whose turn it is then.
    fn open_next(&mut self) -> Result<(), Error> {
        let Some(input) = self.waiting.pop_front() else {
            return Ok(());
        };
        if let (Some(directory), Some(path)) = (&self.directory, input.source.path()) {
            directory.begin(path);
        }
        let (bytes, stop) = (self.bytes_read.clone(), self.reading.stop.clone());
        let reader = Reader::open(input.name, input.source, bytes, stop);
        if reader.is_err() && self.reading.stop.is_requested() {
            return Ok(());
        }
        let reader = reader?;
        if self.open.iter().all(Option::is_none) {
            self.earlier += self.open.len();
            self.open.clear();
        }
        self.turn = Some(self.open.len());
        self.open.push(Some(Open { reader, head: None }));
        Ok(())
    }

    /// Whether there are further inputs now, where a directory is followed.
    fn wait_for_news(&mut self) -> bool {
        let Some(directory) = self.directory.clone() else {
            return false;
        };
        while !self.reading.stop.is_requested() {
            let mut news: Vec<_> = directory.news();
            if !news.is_empty() {
                news.sort_by_key(|(_, begins)| *begins);
                let inputs = news.into_iter();
                self.waiting
                    .extend(inputs.map(|(path, begins)| Input::file(path, begins)));
                if let Some(last) = self.waiting.back_mut() {
                    last.keep_following(Some(directory));
                }
                return true;
            }
            thread::sleep(PATIENCE);
        }
        false
    }
}

/// How long nobody looks whether there is more, or whether to stop.
const PATIENCE: Duration = Duration::from_millis(200);
