//! The pcapng file: sections, which begin with the description of their interfaces, and blocks of packets.
//!
//! Source: draft-ietf-opsawg-pcapng: 3.1 blocks, 3.5 options, 4.1 sections and their byte order, 4.2 interfaces and
//! their clocks, 4.3 and 4.4 packets, appendix A the obsolete packet block. pcap-file checks the frame of a block;
//! what is in it is read here, because pcap-file takes a resolution below the nanosecond, or a name that is no
//! UTF-8, for the end of the file.
//!
//! Blocks that carry no packet are skipped. So is a packet of an interface that was not described: it has no link
//! type and gets no number. A simple packet has no timestamp and gets 1970. A block whose two lengths differ ends the
//! file, as it does for libpcap; there is no search for a good one behind it.

use byteorder_slice::{BigEndian, ByteOrder, LittleEndian};
use pcap_file::Endianness;
use pcap_file::pcapng::blocks::{
    ENHANCED_PACKET_BLOCK, INTERFACE_DESCRIPTION_BLOCK, PACKET_BLOCK, SECTION_HEADER_BLOCK,
    SIMPLE_PACKET_BLOCK,
};
use pcap_file::pcapng::{RawBlock, RawBlockParseError};

use super::buffer::Buffer;
use super::{Fault, Record};
use crate::time::Timestamp;

pub(super) struct PcapNg {
    order: Endianness,
    /// Those of the current section, by their number.
    interfaces: Vec<Interface>,
    /// Packets that the interfaces of earlier sections lost.
    earlier_lost: u64,
}

impl PcapNg {
    /// Takes the header of the first section, of which [`MAGIC`] has been seen.
    pub(super) fn open(buffer: &mut Buffer) -> Result<Self, Fault> {
        let mut new = Self {
            order: Endianness::Little,
            interfaces: Vec::new(),
            earlier_lost: 0,
        };
        new.block(buffer)?;
        Ok(new)
    }

    pub(super) fn next(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        while !buffer.is_at_end()? {
            if let Some(record) = self.block(buffer)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    pub fn name(&self, interface: u32) -> Option<&str> {
        let interface = usize::try_from(interface).ok()?;
        self.interfaces.get(interface)?.name.as_deref()
    }

    /// Packets that were lost in capturing, as the last statistics of each interface say.
    pub(super) fn lost(&self) -> u64 {
        let lost = self.interfaces.iter().map(|interface| interface.lost);
        lost.fold(self.earlier_lost, u64::saturating_add)
    }

    /// Takes one block.
    fn block(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        let head = buffer.require_fixed::<BLOCK_FRAME>("block")?;
        // A section says its byte order behind its length, which is already in it.
        if head.starts_with(&MAGIC) {
            self.order = match &head[8..12] {
                b"\x1a\x2b\x3c\x4d" => Endianness::Big,
                b"\x4d\x3c\x2b\x1a" => Endianness::Little,
                _ => {
                    return Err(Fault::Malformed(
                        "the section header shows no byte order".into(),
                    ));
                }
            };
        }
        match self.order {
            Endianness::Big => self.ordered_block::<BigEndian>(buffer),
            Endianness::Little => self.ordered_block::<LittleEndian>(buffer),
        }
    }

    fn ordered_block<B: ByteOrder>(
        &mut self,
        buffer: &mut Buffer,
    ) -> Result<Option<Record>, Fault> {
        let head = buffer.require_fixed::<BLOCK_FRAME>("block")?;
        let length = BLOCK_FRAME.max(B::read_u32(&head[4..8]) as usize);
        let bytes = buffer.require("block", length)?;
        let (_, block) = RawBlock::from_slice::<B>(bytes).map_err(|error| match error {
            RawBlockParseError::InvalidFormat(error) => Fault::Malformed(error.to_string()),
            error => Fault::Malformed(error.to_string()),
        })?;
        let record = match block.type_ {
            SECTION_HEADER_BLOCK => {
                self.section::<B>(&block.body)?;
                None
            }
            INTERFACE_DESCRIPTION_BLOCK => {
                self.interface::<B>(&block.body)?;
                None
            }
            ENHANCED_PACKET_BLOCK | PACKET_BLOCK => self.packet::<B>(block.type_, &block.body)?,
            INTERFACE_STATISTICS_BLOCK => {
                self.statistics::<B>(&block.body);
                None
            }
            SIMPLE_PACKET_BLOCK => self.simple_packet::<B>(&block.body)?,
            _ => None,
        };
        buffer.take(length);
        Ok(record)
    }

    fn section<B: ByteOrder>(&mut self, body: &[u8]) -> Result<(), Fault> {
        let fixed: &[u8; 16] = fixed_part(body)?;
        let (major, minor) = (B::read_u16(&fixed[4..6]), B::read_u16(&fixed[6..8]));
        if major != MAJOR_VERSION {
            return Err(Fault::Version { major, minor });
        }
        self.earlier_lost = self.lost();
        self.interfaces.clear();
        Ok(())
    }

    fn interface<B: ByteOrder>(&mut self, body: &[u8]) -> Result<(), Fault> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(Fault::Malformed(format!(
                "more than {MAX_INTERFACES} interfaces in one section"
            )));
        }
        self.interfaces.push(Interface::parse::<B>(body)?);
        Ok(())
    }

    /// Section 4.6. Nothing depends on these but what is said of the capture, so that what is wrong with one ends nothing.
    fn statistics<B: ByteOrder>(&mut self, body: &[u8]) {
        let Some((fixed, rest)) = body.split_first_chunk::<12>() else {
            return;
        };
        let number = B::read_u32(&fixed[..4]) as usize;
        let Some(interface) = self.interfaces.get_mut(number) else {
            return;
        };
        let lost = options::<B>(rest).map(|(code, value)| match (code, value.first_chunk::<8>()) {
            (ISB_IFDROP | ISB_OSDROP, Some(count)) => B::read_u64(count),
            _ => 0,
        });
        interface.lost = lost.fold(0, u64::saturating_add);
    }

    /// The enhanced packet block and the obsolete one, which has a count of drops in half of the first word.
    fn packet<B: ByteOrder>(&self, kind: u32, body: &[u8]) -> Result<Option<Record>, Fault> {
        let fixed: &[u8; 20] = fixed_part(body)?;
        let mut words = [0; 5];
        B::read_u32_into(fixed, &mut words);
        let [wide, high, low, captured, original_length] = words;
        let number = if kind == PACKET_BLOCK {
            u32::from(B::read_u16(&fixed[..2]))
        } else {
            wide
        };
        let Some(interface) = self.interfaces.get(number as usize) else {
            return Ok(None);
        };
        Ok(Some(Record {
            at: interface.timestamp(u64::from(high) << 32 | u64::from(low)),
            link: interface.link,
            interface: number,
            data: data_range(body, fixed.len(), captured),
            original_length,
        }))
    }

    fn simple_packet<B: ByteOrder>(&self, body: &[u8]) -> Result<Option<Record>, Fault> {
        let fixed: &[u8; 4] = fixed_part(body)?;
        let Some(interface) = self.interfaces.first() else {
            return Ok(None);
        };
        let original_length = B::read_u32(fixed);
        let captured = match interface.snap_length {
            0 => original_length,
            limit => original_length.min(limit),
        };
        Ok(Some(Record {
            at: Timestamp::default(),
            link: interface.link,
            interface: 0,
            data: data_range(body, fixed.len(), captured),
            original_length,
        }))
    }
}

struct Interface {
    link: u16,
    /// Bytes; 0 is no limit.
    snap_length: u32,
    resolution: Resolution,
    /// Seconds to add to each timestamp.
    offset: i64,
    /// Packets that it lost, as its last statistics say.
    lost: u64,
    /// As the capture calls it.
    name: Option<String>,
}

impl Interface {
    fn parse<B: ByteOrder>(body: &[u8]) -> Result<Self, Fault> {
        let fixed: &[u8; 8] = fixed_part(body)?;
        let mut interface = Self {
            link: B::read_u16(&fixed[..2]),
            snap_length: B::read_u32(&fixed[4..]),
            resolution: Resolution::from_option(MICROSECONDS),
            offset: 0,
            lost: 0,
            name: None,
        };
        for (code, value) in options::<B>(&body[fixed.len()..]) {
            match (code, value) {
                (IF_TSRESOL, [resolution, ..]) => {
                    interface.resolution = Resolution::from_option(*resolution)
                }
                (IF_NAME, name) => {
                    interface.name = std::str::from_utf8(name).ok().map(str::to_owned);
                }
                (IF_TSOFFSET, [_, _, _, _, _, _, _, _]) => interface.offset = B::read_i64(value),
                _ => {}
            }
        }
        Ok(interface)
    }

    fn timestamp(&self, ticks: u64) -> Timestamp {
        let nanos = self.resolution.nanos(ticks) + i128::from(self.offset) * 1_000_000_000;
        Timestamp::from_nanos(nanos.clamp(i64::MIN.into(), i64::MAX.into()) as i64)
    }
}

/// What a tick of an interface's clock is worth.
#[derive(Clone, Copy)]
enum Resolution {
    /// So many nanoseconds.
    Nanos(u64),
    /// A nanosecond has so many ticks.
    TicksPerNano(u128),
    /// The second is halved so many times.
    Halvings(u8),
}

impl Resolution {
    /// The value of `if_tsresol`: a negative power of 10, or of 2 where the highest bit is set.
    fn from_option(value: u8) -> Self {
        let exponent = value & 0x7f;
        match value {
            0x80.. => Self::Halvings(exponent),
            0..=9 => Self::Nanos(10u64.pow(9 - u32::from(exponent))),
            // Where this saturates, no number of ticks makes a nanosecond.
            10.. => Self::TicksPerNano(10u128.saturating_pow(u32::from(exponent) - 9)),
        }
    }

    /// Rounded down. The largest factor is 10^9, the sum stays below 2^94.
    fn nanos(self, ticks: u64) -> i128 {
        match self {
            Self::Nanos(nanos) => i128::from(ticks) * i128::from(nanos),
            Self::TicksPerNano(count) => (u128::from(ticks) / count) as i128,
            Self::Halvings(count) => (i128::from(ticks) * 1_000_000_000) >> count,
        }
    }
}

/// Codes and values, as far as they can be read (section 3.5).
fn options<B: ByteOrder>(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let (code, length) = (B::read_u16(&head[..2]), B::read_u16(&head[2..]));
        let value = rest.get(..usize::from(length))?;
        let padded = usize::from(length).next_multiple_of(4);
        bytes = rest.get(padded..).unwrap_or_default();
        (code != END_OF_OPTIONS).then_some((code, value))
    })
}

fn fixed_part<const LENGTH: usize>(body: &[u8]) -> Result<&[u8; LENGTH], Fault> {
    body.first_chunk().ok_or_else(|| {
        Fault::Malformed(format!(
            "the block has {} bytes where its kind needs {LENGTH}",
            body.len()
        ))
    })
}

/// Where in a block the packet lies: behind the fixed part of its body, and not beyond the body's end.
fn data_range(body: &[u8], fixed: usize, captured: u32) -> std::ops::Range<usize> {
    let length = (body.len() - fixed).min(captured as usize);
    BODY + fixed..BODY + fixed + length
}

/// The type of the block that a section begins with, the same in both byte orders.
pub(super) const MAGIC: [u8; 4] = SECTION_HEADER_BLOCK.to_be_bytes();

const MAJOR_VERSION: u16 = 1;

/// Bytes of a block before its body, and around it.
const BODY: usize = 8;
const BLOCK_FRAME: usize = 12;

/// Interfaces in a section: each costs memory until the section ends.
const MAX_INTERFACES: usize = 65_536;

/// Statistics of an interface: what it received, and what was lost, by itself and by its system.
const INTERFACE_STATISTICS_BLOCK: u32 = 5;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

const END_OF_OPTIONS: u16 = 0;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_TSOFFSET: u16 = 14;
/// What `if_tsresol` is where the option is missing.
const MICROSECONDS: u8 = 6;
