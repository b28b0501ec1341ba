//! The classic pcap file: a header of 24 bytes, then records, in the byte order of the machine that captured.
//!
//! Source: draft-ietf-opsawg-pcap; for the modified format and for lengths in the other order `sf-pcap.c` of libpcap;
//! for Ixia's `wiretap/libpcap.c` of Wireshark. pcap-file parses the file header.
//!
//! What a record says of itself is taken as it stands: a snapshot length of 0 or less than the record's, an original
//! length below the captured one, a fraction of more than a second (it carries over). But where it says something odd,
//! what follows it has to be possible as another one, or it is none.
//!
//! Nothing marks the beginning of a record. Behind damage it is looked for where three headers in a row make sense, or
//! fewer and then just the end of the file: lengths within the limit, the captured one not above the original one, a
//! fraction of less than a second, and times before 2100 within a year of each other. A packet that carries a whole
//! capture may deceive that; and a record that lost its second half takes the beginning of the next one for it.

use byteorder_slice::{BigEndian, ByteOrder, LittleEndian};
use pcap_file::Endianness;
use pcap_file::pcap::{PcapHeader, PcapTsResolution};

use super::Record;
use super::buffer::{Buffer, MAX_RECORD};
use super::error::Fault;
use crate::time::Timestamp;

pub(super) struct Pcap {
    order: Endianness,
    /// Nanoseconds in a unit of the fraction.
    unit: i64,
    link: u16,
    /// Bytes behind each packet, if it was not cut.
    check_sequence: u8,
    variant: Variant,
    lengths: Lengths,
    /// Bytes of the longest packet that is not odd.
    usual: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    Standard,
    /// Alexey Kuznetsov's: interface, protocol and direction behind the header of each record.
    Modified,
    /// Ixia's: four more bytes in the file's header. Its fractions are nanoseconds.
    Ixia,
}

/// In which order a record has its two lengths: before version 2.3 the original one came first, and in some files of
/// 2.3, too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    OriginalFirst,
    SmallerIsCaptured,
}

/// What stands before a packet.
struct Head {
    seconds: u32,
    fraction: u32,
    captured: u32,
    original: u32,
}

impl Pcap {
    pub(super) fn is_magic(bytes: &[u8]) -> bool {
        MAGICS.iter().any(|(magic, ..)| magic == bytes)
    }

    /// Takes the file header.
    pub(super) fn open(buffer: &mut Buffer) -> Result<Self, Fault> {
        let mut bytes = *buffer.require_fixed::<FILE_HEADER>("file header")?;
        let known = MAGICS.iter().find(|(magic, ..)| bytes.starts_with(magic));
        let Some(&(_, variant, as_if)) = known else {
            return Err(Fault::Malformed(
                "not the magic number of a pcap file".into(),
            ));
        };
        bytes[..4].copy_from_slice(&as_if);
        let (_, header) =
            PcapHeader::from_slice(&bytes).map_err(|error| Fault::Malformed(error.to_string()))?;
        buffer.take(FILE_HEADER);
        if variant == Variant::Ixia {
            buffer.require_fixed::<IXIA_LENGTH>("file header")?;
            buffer.take(IXIA_LENGTH);
        }
        let link = u32::from(header.datalink);
        Ok(Self {
            order: header.endianness,
            unit: match header.ts_resolution {
                PcapTsResolution::MicroSecond => 1_000,
                PcapTsResolution::NanoSecond => 1,
            },
            link: link as u16,
            check_sequence: match link & CHECK_SEQUENCE_KNOWN {
                0 => 0,
                // Counted in pairs of bytes.
                _ => (link >> 28) as u8 * 2,
            },
            variant,
            lengths: match (header.version_major, header.version_minor) {
                (2, ..=2) => Lengths::OriginalFirst,
                (2, 3) => Lengths::SmallerIsCaptured,
                _ => Lengths::CapturedFirst,
            },
            usual: header.snaplen.max(MAXIMUM_SNAPLEN),
        })
    }

    pub(super) fn name(&self) -> &'static str {
        match (self.variant, self.unit) {
            (Variant::Modified, _) => "modified pcap",
            (Variant::Ixia, _) => "Ixia pcap",
            (Variant::Standard, 1) => "pcap with nanoseconds",
            (Variant::Standard, _) => "pcap",
        }
    }

    pub(super) fn next(
        &self,
        buffer: &mut Buffer,
        last: Option<Timestamp>,
    ) -> Result<Option<Record>, Fault> {
        match self.order {
            Endianness::Big => self.record::<BigEndian>(buffer, last),
            Endianness::Little => self.record::<LittleEndian>(buffer, last),
        }
    }

    /// Whether a record could begin with the next byte.
    pub(super) fn resumes_at(
        &self,
        buffer: &mut Buffer,
        last: Option<Timestamp>,
    ) -> Result<bool, Fault> {
        match self.order {
            Endianness::Big => self.is_chain::<BigEndian>(buffer, last),
            Endianness::Little => self.is_chain::<LittleEndian>(buffer, last),
        }
    }

    fn record<B: ByteOrder>(
        &self,
        buffer: &mut Buffer,
        last: Option<Timestamp>,
    ) -> Result<Option<Record>, Fault> {
        buffer.begin_record();
        if buffer.is_at_end()? {
            return Ok(None);
        }
        let header = buffer.require_fixed::<RECORD_HEADER>("record header")?;
        if header == &[0; RECORD_HEADER] {
            return Err(Fault::Malformed("zeros where a record should be".into()));
        }
        let head = self.head::<B>(header);
        let (captured, before) = (head.captured as usize, self.before());
        let length = before.saturating_add(captured);
        buffer.require("record", length)?;
        if !self.is_plausible(&head, last) && !self.leads_on::<B>(buffer, length)? {
            return Err(Fault::Malformed(
                "the record header makes no sense, and no other one follows".into(),
            ));
        }
        buffer.take(length);
        Ok(Some(Record {
            at: Some(self.timestamp(&head)),
            link: self.link,
            interface: 0,
            data: before..length,
            original_length: head.original,
            check_sequence: self.check_sequence,
        }))
    }

    fn head<B: ByteOrder>(&self, header: &[u8; RECORD_HEADER]) -> Head {
        let mut words = [0; 4];
        B::read_u32_into(header, &mut words);
        let [seconds, fraction, first, second] = words;
        let (captured, original) = match self.lengths {
            Lengths::CapturedFirst => (first, second),
            Lengths::OriginalFirst => (second, first),
            Lengths::SmallerIsCaptured => (first.min(second), first.max(second)),
        };
        Head {
            seconds,
            fraction,
            captured,
            original,
        }
    }

    /// Bytes of a record before its packet.
    fn before(&self) -> usize {
        match self.variant {
            Variant::Modified => MODIFIED_RECORD_HEADER,
            Variant::Standard | Variant::Ixia => RECORD_HEADER,
        }
    }

    /// 2^32 seconds and 2^32 microseconds are less than 2^63 nanoseconds.
    fn timestamp(&self, head: &Head) -> Timestamp {
        let seconds = i64::from(head.seconds) * 1_000_000_000;
        Timestamp::from_nanos(seconds + i64::from(head.fraction) * self.unit)
    }

    fn is_plausible(&self, head: &Head, last: Option<Timestamp>) -> bool {
        let second = 1_000_000_000 / self.unit;
        head.captured > 0
            && head.captured <= self.usual.min(MAX_RECORD as u32)
            && head.captured <= head.original
            && head.original <= MAX_RECORD as u32
            && i64::from(head.fraction) < second
            && head.seconds > 0
            && is_near(self.timestamp(head), last)
    }

    /// Whether what stands behind a record of this length can be one, or is its beginning where the file was cut off.
    fn leads_on<B: ByteOrder>(&self, buffer: &mut Buffer, length: usize) -> Result<bool, Fault> {
        let bytes = buffer.peek(length + RECORD_HEADER)?;
        let Some(header) = bytes.get(length..).and_then(<[u8]>::first_chunk) else {
            return Ok(true);
        };
        let head = self.head::<B>(header);
        let is_possible = head.captured <= self.usual || head.captured <= head.original;
        Ok(is_possible && head.captured <= MAX_RECORD as u32 && header != &[0; RECORD_HEADER])
    }

    /// Whether enough plausible headers in a row begin with the next byte, or fewer up to just the end.
    fn is_chain<B: ByteOrder>(
        &self,
        buffer: &mut Buffer,
        last: Option<Timestamp>,
    ) -> Result<bool, Fault> {
        let mut ahead = 0;
        // What was captured years apart may stand in one file, but not three packets of it.
        let mut before = None;
        for found in 0..CHAINED {
            let bytes = buffer.peek(ahead + RECORD_HEADER)?;
            let Some(header) = bytes.get(ahead..).and_then(<[u8]>::first_chunk) else {
                let is_enough = found > 1 || before.is_none_or(|at| is_near(at, last));
                return Ok(bytes.len() == ahead && is_enough);
            };
            let head = self.head::<B>(header);
            if !self.is_plausible(&head, before) || head.seconds > END_OF_CENTURY {
                return Ok(false);
            }
            before = Some(self.timestamp(&head));
            ahead += self.before() + head.captured as usize;
        }
        Ok(true)
    }
}

fn is_near(at: Timestamp, last: Option<Timestamp>) -> bool {
    last.is_none_or(|last| at.nanos().abs_diff(last.nanos()) < YEAR)
}

/// Each magic number, and of which pcap-file shall think it reads it: microseconds and nanoseconds, each in both byte
/// orders.
const MAGICS: [([u8; 4], Variant, [u8; 4]); 10] = [
    (MICROSECONDS, Variant::Standard, MICROSECONDS),
    (MICROSECONDS_LE, Variant::Standard, MICROSECONDS_LE),
    (NANOSECONDS, Variant::Standard, NANOSECONDS),
    (NANOSECONDS_LE, Variant::Standard, NANOSECONDS_LE),
    (*b"\xa1\xb2\xcd\x34", Variant::Modified, MICROSECONDS),
    (*b"\x34\xcd\xb2\xa1", Variant::Modified, MICROSECONDS_LE),
    (*b"\x1c\x00\x01\xac", Variant::Ixia, NANOSECONDS),
    (*b"\xac\x01\x00\x1c", Variant::Ixia, NANOSECONDS_LE),
    (*b"\x1c\x00\x01\xab", Variant::Ixia, NANOSECONDS),
    (*b"\xab\x01\x00\x1c", Variant::Ixia, NANOSECONDS_LE),
];
const MICROSECONDS: [u8; 4] = *b"\xa1\xb2\xc3\xd4";
const MICROSECONDS_LE: [u8; 4] = *b"\xd4\xc3\xb2\xa1";
const NANOSECONDS: [u8; 4] = *b"\xa1\xb2\x3c\x4d";
const NANOSECONDS_LE: [u8; 4] = *b"\x4d\x3c\xb2\xa1";

const FILE_HEADER: usize = 24;
const IXIA_LENGTH: usize = 4;
const RECORD_HEADER: usize = 16;
const MODIFIED_RECORD_HEADER: usize = 24;

/// In the link type: the four highest bits say how long the frame check sequence is.
const CHECK_SEQUENCE_KNOWN: u32 = 1 << 26;

/// libpcap's limit for a packet, bytes.
const MAXIMUM_SNAPLEN: u32 = 262_144;
/// Headers that have to follow each other behind damage.
const CHAINED: usize = 3;
/// 2100, seconds.
const END_OF_CENTURY: u32 = 4_102_444_800;
/// Nanoseconds.
const YEAR: u64 = 365 * 24 * 3600 * 1_000_000_000;
