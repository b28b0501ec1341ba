//! The classic format: a header, then records (draft-ietf-opsawg-pcap).
//!
//! Lengths are taken as they stand: a record may be longer than the snap length that the header promises, and a
//! fraction of a second may exceed one, as long as the file holds what the record says.

use byteorder_slice::{BigEndian, LittleEndian};
use pcap_file::pcap::{PcapHeader, PcapTsResolution, RawPcapPacket};
use pcap_file::{DataLink, Endianness};

use super::buffer::Buffer;
use super::{Fault, MAX_RECORD, Record};
use crate::time::Timestamp;

pub struct Reader {
    endianness: Endianness,
    nanos_a_tick: i64,
    link: u16,
}

/// Both byte orders, of microseconds and of nanoseconds.
pub fn is_magic(magic: &[u8; 4]) -> bool {
    matches!(u32::from_be_bytes(*magic), 0xa1b2c3d4 | 0xd4c3b2a1 | 0xa1b23c4d | 0x4d3cb2a1)
}

impl Reader {
    pub fn open(buffer: &mut Buffer) -> Result<Self, Fault> {
        let bytes = buffer.fill(HEADER).map_err(Fault::Read)?;
        let (_, header) = PcapHeader::from_slice(bytes).map_err(|_| Fault::HeaderCut)?;
        buffer.take(HEADER);
        Ok(Self {
            endianness: header.endianness,
            nanos_a_tick: match header.ts_resolution {
                PcapTsResolution::MicroSecond => 1_000,
                PcapTsResolution::NanoSecond => 1,
            },
            link: link_type(header.datalink),
        })
    }

    pub fn next(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        let bytes = buffer.fill(RECORD_HEADER).map_err(Fault::Read)?;
        let Some(header) = bytes.first_chunk::<RECORD_HEADER>() else {
            let left = bytes.len();
            return if left == 0 { Ok(None) } else { Err(Fault::CutOff { claimed: RECORD_HEADER, left }) };
        };
        let captured = self.number(&header[8..12]);
        if u64::from(captured) > MAX_RECORD {
            return Err(Fault::TooLong(captured.into()));
        }
        let claimed = RECORD_HEADER + captured as usize;
        let bytes = buffer.fill(claimed).map_err(Fault::Read)?;
        let packet = match self.endianness {
            Endianness::Big => RawPcapPacket::from_slice::<BigEndian>(bytes),
            Endianness::Little => RawPcapPacket::from_slice::<LittleEndian>(bytes),
        };
        let Ok((_, packet)) = packet else { return Err(Fault::CutOff { claimed, left: bytes.len() }) };
        let seconds = i64::from(packet.ts_sec) * 1_000_000_000;
        let at = Timestamp::from_nanos(seconds + i64::from(packet.ts_frac) * self.nanos_a_tick);
        let original_length = packet.orig_len;
        let record = buffer.take(claimed);
        Ok(Some(Record { at, link: self.link, data: record.start + RECORD_HEADER..record.end, original_length }))
    }

    fn number(&self, bytes: &[u8]) -> u32 {
        let bytes = bytes.first_chunk().copied().unwrap_or_default();
        match self.endianness {
            Endianness::Big => u32::from_be_bytes(bytes),
            Endianness::Little => u32::from_le_bytes(bytes),
        }
    }
}

/// The upper half of the field may hold the length of a frame check sequence.
fn link_type(link: DataLink) -> u16 {
    (u32::from(link) & 0xffff) as u16
}

const HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
