//! The classic pcap file: a header of 24 bytes, then records, in the byte order of the machine that captured.
//!
//! Source: draft-ietf-opsawg-pcap; for the modified format `sf-pcap.c` of libpcap. pcap-file parses header and
//! records. The length of a record is read here first, since the buffer must hold all of it before it is parsed.
//!
//! What a record says of itself is taken as it stands: a snapshot length of 0 or less than the record's, an original
//! length below the captured one, a fraction of more than a second (it carries over). Only a length that cannot be
//! is an error. Versions are not looked at; files before 2.4 are not to be met. There is no way to find the next
//! record behind a damaged one.

use byteorder_slice::{BigEndian, ByteOrder, LittleEndian};
use pcap_file::Endianness;
use pcap_file::pcap::{PcapHeader, PcapTsResolution, RawPcapPacket};

use super::buffer::Buffer;
use super::{Fault, Record};
use crate::time::Timestamp;

pub(super) struct Pcap {
    order: Endianness,
    /// Nanoseconds in a unit of the fraction.
    unit: i64,
    link: u16,
    /// Bytes of a record before its data.
    header: usize,
}

impl Pcap {
    pub(super) fn is_magic(bytes: &[u8]) -> bool {
        MAGICS.iter().chain(&MODIFIED).any(|magic| magic == bytes)
    }

    /// Takes the file header.
    pub(super) fn open(buffer: &mut Buffer) -> Result<Self, Fault> {
        let mut bytes = *buffer.require_fixed::<FILE_HEADER>("file header")?;
        let modified = MODIFIED.iter().position(|magic| bytes.starts_with(magic));
        if let Some(order) = modified {
            bytes[..4].copy_from_slice(&MAGICS[order]);
        }
        let (_, header) =
            PcapHeader::from_slice(&bytes).map_err(|error| Fault::Malformed(error.to_string()))?;
        buffer.take(FILE_HEADER);
        Ok(Self {
            order: header.endianness,
            unit: match header.ts_resolution {
                PcapTsResolution::MicroSecond => 1_000,
                PcapTsResolution::NanoSecond => 1,
            },
            // The upper half says how long the frame check sequence is.
            link: u32::from(header.datalink) as u16,
            header: if modified.is_some() {
                MODIFIED_RECORD_HEADER
            } else {
                RECORD_HEADER
            },
        })
    }

    pub(super) fn next(&self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        match self.order {
            Endianness::Big => self.record::<BigEndian>(buffer),
            Endianness::Little => self.record::<LittleEndian>(buffer),
        }
    }

    fn record<B: ByteOrder>(&self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        if buffer.is_at_end()? {
            return Ok(None);
        }
        let header = buffer.require_fixed::<RECORD_HEADER>("record header")?;
        let length = self
            .header
            .saturating_add(B::read_u32(&header[8..12]) as usize);
        let bytes = buffer.require("record", length)?;
        let (_, record) = RawPcapPacket::from_slice::<B>(bytes)
            .map_err(|error| Fault::Malformed(error.to_string()))?;
        let record = Record {
            // 2^32 seconds and 2^32 microseconds are less than 2^63 nanoseconds.
            at: Timestamp::from_nanos(
                i64::from(record.ts_sec) * 1_000_000_000 + i64::from(record.ts_frac) * self.unit,
            ),
            link: self.link,
            interface: 0,
            data: self.header..length,
            original_length: record.orig_len,
        };
        buffer.take(length);
        Ok(Some(record))
    }
}

/// Microseconds and nanoseconds, each in both byte orders.
const MAGICS: [[u8; 4]; 4] = [
    *b"\xa1\xb2\xc3\xd4",
    *b"\xd4\xc3\xb2\xa1",
    *b"\xa1\xb2\x3c\x4d",
    *b"\x4d\x3c\xb2\xa1",
];

/// Alexey Kuznetsov's format, in the byte orders of the first two magics: with microseconds, and interface, protocol
/// and direction behind the header of each record.
const MODIFIED: [[u8; 4]; 2] = [*b"\xa1\xb2\xcd\x34", *b"\x34\xcd\xb2\xa1"];

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;
