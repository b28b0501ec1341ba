//! One input, record by record, and on behind what is damaged.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::buffer::Buffer;
use super::compressed::{self, Compression};
use super::error::{Damage, Error, Fault};
use super::pcap::Pcap;
use super::pcapng::{self, PcapNg};
use super::source::{Counted, Source};
use super::{Chunk, Record, Stop};
use crate::time::Timestamp;

pub(super) struct Reader {
    /// Printable.
    pub name: String,
    pub compression: Option<Compression>,
    /// Records so far.
    pub packets: u64,
    buffer: Buffer,
    format: Format,
    /// When the first packet that says so was captured, and the last.
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    has_ended: bool,
}

impl Reader {
    /// Takes the header of an input called `name`; `bytes` counts what is read of it.
    pub fn open(
        name: String,
        source: Source,
        bytes: Arc<AtomicU64>,
        stop: Stop,
    ) -> Result<Self, Error> {
        let input = match source.open(stop) {
            Ok(input) => Box::new(Counted { input, bytes }),
            Err(error) => return Err(Error::Open { file: name, error }),
        };
        let (content, compression) = match compressed::content(input) {
            Ok(content) => content,
            Err(error) => {
                let fault = Fault::Read(error);
                return Err(Error::Header { file: name, fault });
            }
        };
        let mut buffer = Buffer::new(content);
        let format = Format::recognise(&name, &mut buffer)?;
        Ok(Self {
            name,
            compression,
            packets: 0,
            buffer,
            format,
            first: None,
            last: None,
            has_ended: false,
        })
    }

    pub fn format(&self) -> &'static str {
        match &self.format {
            Format::Pcap(pcap) => pcap.name(),
            Format::PcapNg(_) => "pcapng",
        }
    }

    /// The next record; `None` behind the last.
    ///
    /// # Errors
    ///
    /// Where something is damaged. The next call goes on with the record behind it.
    pub fn next(&mut self) -> Result<Option<Record>, Damage> {
        if self.has_ended {
            return Ok(None);
        }
        match self.format.next(&mut self.buffer, self.last) {
            Ok(None) => {
                self.has_ended = true;
                Ok(None)
            }
            Ok(Some(record)) => {
                self.packets += 1;
                self.first = self.first.or(record.at);
                self.last = record.at.or(self.last);
                Ok(Some(record))
            }
            Err(fault) => Err(self.pass_over(fault)),
        }
    }

    /// When the record was captured, or the one before that says so; 1970 where none does.
    pub fn at(&self, record: &Record) -> Timestamp {
        record.at.or(self.last).unwrap_or_default()
    }

    /// Where the bytes of the record lie that was read last.
    pub fn data(&self, record: &Record) -> (&Chunk, Range<usize>) {
        self.buffer.taken(record.data.clone())
    }

    pub fn interface_name(&self, interface: u32) -> Option<&str> {
        match &self.format {
            Format::Pcap(_) => None,
            Format::PcapNg(pcapng) => pcapng.name(interface),
        }
    }

    /// From the first packet to the last.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.first.zip(self.last)
    }

    /// Packets that the input itself says were lost.
    pub fn lost(&self) -> u64 {
        match &self.format {
            Format::Pcap(_) => 0,
            Format::PcapNg(pcapng) => pcapng.lost(),
        }
    }

    /// Looks for the next record. It takes time with the bytes passed over, whatever they hold: at each of them a few
    /// fields are looked at.
    fn pass_over(&mut self, fault: Fault) -> Damage {
        let byte = self.buffer.record();
        let found = match fault {
            // What cannot be read cannot be looked at.
            Fault::Read(_) => Ok(false),
            _ => self.find_record(),
        };
        let (fault, resumes) = match found {
            Ok(resumes) => (fault, resumes),
            Err(fault) => (fault, false),
        };
        self.has_ended = !resumes;
        Damage {
            file: self.name.clone(),
            packet: self.packets + 1,
            byte,
            fault,
            passed_over: self.buffer.position() - byte,
            resumes,
        }
    }

    /// Takes everything before the next plausible record, or all that is left.
    fn find_record(&mut self) -> Result<bool, Fault> {
        // A block that was read but made no sense is behind us already.
        if self.buffer.position() == self.buffer.record() {
            self.buffer.take(1);
        }
        while !self.buffer.is_at_end()? {
            if self.format.resumes_at(&mut self.buffer, self.last)? {
                return Ok(true);
            }
            self.buffer.take(1);
        }
        Ok(false)
    }
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
            Err(Error::Empty { file: file() })
        } else if start == pcapng::MAGIC {
            PcapNg::open(buffer).map(Self::PcapNg).map_err(header)
        } else if Pcap::is_magic(start) {
            Pcap::open(buffer).map(Self::Pcap).map_err(header)
        } else {
            Err(Error::NotACapture {
                file: file(),
                start: start.to_vec(),
            })
        }
    }

    fn next(
        &mut self,
        buffer: &mut Buffer,
        last: Option<Timestamp>,
    ) -> Result<Option<Record>, Fault> {
        match self {
            Self::Pcap(pcap) => pcap.next(buffer, last),
            Self::PcapNg(pcapng) => pcapng.next(buffer),
        }
    }

    /// Whether a record could begin with the next byte.
    fn resumes_at(&self, buffer: &mut Buffer, last: Option<Timestamp>) -> Result<bool, Fault> {
        match self {
            Self::Pcap(pcap) => pcap.resumes_at(buffer, last),
            Self::PcapNg(pcapng) => pcapng.resumes_at(buffer),
        }
    }
}
