//! The pcapng file: sections, which begin with the description of their interfaces, and blocks of packets.
//!
//! Source: draft-ietf-opsawg-pcapng: 3.1 blocks, 3.5 options, 4.1 sections and their byte order, 4.2 interfaces and
//! their clocks, 4.3 and 4.4 packets, appendix A the obsolete packet block. pcap-file checks the frame of a block;
//! what is in it is read here, because pcap-file takes a resolution below the nanosecond, or a name that is no
//! UTF-8, for the end of the file.
//!
//! Blocks that carry no packet are skipped. A packet of an interface that was not described has no link type, so that
//! it is damage as any other block that makes no sense. Behind damage a block is looked for whose kind is known, whose
//! two lengths agree, and, if it is a packet, whose interface and length fit. A packet that carries a whole capture may
//! deceive that.

use byteorder_slice::{BigEndian, ByteOrder, LittleEndian};
use pcap_file::Endianness;
use pcap_file::pcapng::blocks::{
    CUSTOM_BLOCK_COPIABLE, CUSTOM_BLOCK_NON_COPIABLE, ENHANCED_PACKET_BLOCK,
    INTERFACE_DESCRIPTION_BLOCK, INTERFACE_STATISTIC_BLOCK, NAME_RESOLUTION_BLOCK, PACKET_BLOCK,
    SECTION_HEADER_BLOCK, SIMPLE_PACKET_BLOCK, SYSTEMD_JOURNAL_EXPORT_BLOCK,
};
use pcap_file::pcapng::{RawBlock, RawBlockParseError};

use super::Record;
use super::buffer::Buffer;
use super::error::Fault;
use crate::time::Timestamp;

pub(super) struct PcapNg {
    order: Endianness,
    /// Those of the current section, by their number.
    interfaces: Vec<Option<Interface>>,
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
        loop {
            buffer.begin_record();
            if buffer.is_at_end()? {
                return Ok(None);
            }
            if let Some(record) = self.block(buffer)? {
                return Ok(Some(record));
            }
        }
    }

    pub fn name(&self, interface: u32) -> Option<&str> {
        self.described(interface)?.name.as_deref()
    }

    /// Packets that were lost in capturing, as the last statistics of each interface say.
    pub(super) fn lost(&self) -> u64 {
        let lost = self
            .interfaces
            .iter()
            .flatten()
            .map(|interface| interface.lost);
        lost.fold(self.earlier_lost, u64::saturating_add)
    }

    /// Whether a block could begin with the next byte.
    pub(super) fn resumes_at(&self, buffer: &mut Buffer) -> Result<bool, Fault> {
        let Some(head) = buffer.peek(BLOCK_FRAME)?.first_chunk() else {
            return Ok(false);
        };
        match self.order_of(head) {
            Some(Endianness::Big) => self.is_block::<BigEndian>(buffer),
            Some(Endianness::Little) => self.is_block::<LittleEndian>(buffer),
            None => Ok(false),
        }
    }

    /// Takes one block. One that is whole and makes no sense is taken as well.
    fn block(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        let head = buffer.require_fixed::<BLOCK_FRAME>("block")?;
        let Some(order) = self.order_of(head) else {
            return Err(Fault::Malformed(
                "the section header shows no byte order".into(),
            ));
        };
        let before = std::mem::replace(&mut self.order, order);
        let block = match order {
            Endianness::Big => self.ordered_block::<BigEndian>(buffer),
            Endianness::Little => self.ordered_block::<LittleEndian>(buffer),
        };
        if block.is_err() {
            self.order = before;
        }
        block
    }

    /// A section says its byte order behind its length, which is already in it.
    fn order_of(&self, head: &[u8; BLOCK_FRAME]) -> Option<Endianness> {
        match (head.starts_with(&MAGIC), &head[8..]) {
            (false, _) => Some(self.order),
            (true, b"\x1a\x2b\x3c\x4d") => Some(Endianness::Big),
            (true, b"\x4d\x3c\x2b\x1a") => Some(Endianness::Little),
            (true, _) => None,
        }
    }

    fn is_block<B: ByteOrder>(&self, buffer: &mut Buffer) -> Result<bool, Fault> {
        let Some(head) = buffer.peek(BODY)?.first_chunk::<BODY>() else {
            return Ok(false);
        };
        let (kind, length) = (B::read_u32(&head[..4]), B::read_u32(&head[4..]) as usize);
        if !KNOWN.contains(&kind) || !(BLOCK_FRAME..=USUAL_BLOCK).contains(&length) {
            return Ok(false);
        }
        match RawBlock::from_slice::<B>(buffer.peek(length)?) {
            Ok((_, block)) if matches!(kind, ENHANCED_PACKET_BLOCK | PACKET_BLOCK) => {
                let room = block.body.len();
                let packet = self.packet_head::<B>(kind, &block.body);
                Ok(packet.is_ok_and(|(_, [.., captured, _], _)| {
                    (captured as usize) <= room - PACKET_FIXED
                }))
            }
            block => Ok(block.is_ok()),
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
            SECTION_HEADER_BLOCK => self.section::<B>(&block.body).map(|()| None),
            INTERFACE_DESCRIPTION_BLOCK => self.interface::<B>(&block.body).map(|()| None),
            ENHANCED_PACKET_BLOCK | PACKET_BLOCK => {
                self.packet::<B>(block.type_, &block.body).map(Some)
            }
            INTERFACE_STATISTIC_BLOCK => {
                self.statistics::<B>(&block.body);
                Ok(None)
            }
            SIMPLE_PACKET_BLOCK => self.simple_packet::<B>(&block.body).map(Some),
            _ => Ok(None),
        };
        buffer.take(length);
        record
    }

    fn section<B: ByteOrder>(&mut self, body: &[u8]) -> Result<(), Fault> {
        let fixed: &[u8; 16] = fixed_part(body)?;
        let (major, minor) = (B::read_u16(&fixed[4..6]), B::read_u16(&fixed[6..8]));
        self.earlier_lost = self.lost();
        self.interfaces.clear();
        if major != MAJOR_VERSION {
            return Err(Fault::Version { major, minor });
        }
        Ok(())
    }

    fn interface<B: ByteOrder>(&mut self, body: &[u8]) -> Result<(), Fault> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(Fault::Malformed(format!(
                "more than {MAX_INTERFACES} interfaces in one section"
            )));
        }
        let interface = Interface::parse::<B>(body);
        // Those behind one that makes no sense keep their numbers.
        let (described, outcome) = match interface {
            Ok(interface) => (Some(interface), Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        self.interfaces.push(described);
        outcome
    }

    /// Section 4.6. Nothing depends on these but what is said of the capture, so that what is wrong with one ends nothing.
    fn statistics<B: ByteOrder>(&mut self, body: &[u8]) {
        let Some((fixed, rest)) = body.split_first_chunk::<12>() else {
            return;
        };
        let number = B::read_u32(&fixed[..4]) as usize;
        let Some(Some(interface)) = self.interfaces.get_mut(number) else {
            return;
        };
        let lost = options::<B>(rest).map(|(code, value)| match (code, value.first_chunk::<8>()) {
            (ISB_IFDROP | ISB_OSDROP, Some(count)) => B::read_u64(count),
            _ => 0,
        });
        interface.lost = lost.fold(0, u64::saturating_add);
    }

    fn packet<B: ByteOrder>(&self, kind: u32, body: &[u8]) -> Result<Record, Fault> {
        let (number, [_, high, low, captured, original_length], interface) =
            self.packet_head::<B>(kind, body)?;
        let data = data_range(body, PACKET_FIXED, captured);
        let options = body.get((data.end - BODY).next_multiple_of(4)..);
        let check_sequence = options.and_then(|bytes| check_sequence::<B>(kind, bytes));
        Ok(Record {
            at: Some(interface.timestamp(u64::from(high) << 32 | u64::from(low))),
            link: interface.link,
            interface: number,
            data,
            original_length,
            check_sequence: check_sequence.unwrap_or(interface.check_sequence),
        })
    }

    /// The interface and the fixed part of the enhanced packet block and of the obsolete one, which has a count of drops
    /// in half of the first word.
    fn packet_head<B: ByteOrder>(
        &self,
        kind: u32,
        body: &[u8],
    ) -> Result<(u32, [u32; 5], &Interface), Fault> {
        let fixed: &[u8; PACKET_FIXED] = fixed_part(body)?;
        let mut words = [0; 5];
        B::read_u32_into(fixed, &mut words);
        let number = if kind == PACKET_BLOCK {
            u32::from(B::read_u16(&fixed[..2]))
        } else {
            words[0]
        };
        let interface = self.described(number).ok_or_else(|| undescribed(number))?;
        Ok((number, words, interface))
    }

    fn simple_packet<B: ByteOrder>(&self, body: &[u8]) -> Result<Record, Fault> {
        let fixed: &[u8; 4] = fixed_part(body)?;
        let interface = self.described(0).ok_or_else(|| undescribed(0))?;
        let original_length = B::read_u32(fixed);
        let captured = match interface.snap_length {
            0 => original_length,
            limit => original_length.min(limit),
        };
        Ok(Record {
            at: None,
            link: interface.link,
            interface: 0,
            data: data_range(body, fixed.len(), captured),
            original_length,
            check_sequence: interface.check_sequence,
        })
    }

    fn described(&self, number: u32) -> Option<&Interface> {
        self.interfaces.get(number as usize)?.as_ref()
    }
}

fn undescribed(interface: u32) -> Fault {
    Fault::Malformed(format!(
        "a packet of interface {interface}, which nothing before it describes"
    ))
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
    /// As the capture calls it; what is no UTF-8 in it is replaced.
    name: Option<String>,
    /// Bytes behind each packet, if it was not cut.
    check_sequence: u8,
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
            check_sequence: 0,
        };
        for (code, value) in options::<B>(&body[fixed.len()..]) {
            match (code, value) {
                (IF_TSRESOL, [resolution, ..]) => {
                    interface.resolution = Resolution::from_option(*resolution)
                }
                (IF_NAME, name) => {
                    let name = String::from_utf8_lossy(name);
                    interface.name = Some(name.trim_end_matches('\0').to_owned());
                }
                // Section 4.2 says bits, and gives 4 as its example.
                (IF_FCSLEN, [bytes @ ..8]) => interface.check_sequence = *bytes,
                (IF_FCSLEN, [bits]) => interface.check_sequence = bits / 8,
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

/// Bytes of the check sequence by a packet's flags (4.3.1, option 2); `None` where they say nothing of it.
fn check_sequence<B: ByteOrder>(kind: u32, bytes: &[u8]) -> Option<u8> {
    let mut flags = options::<B>(bytes).filter(|(code, _)| *code == EPB_FLAGS);
    let value = flags.next()?.1.first_chunk::<4>()?;
    let length = (B::read_u32(value) >> 5 & 0xf) as u8;
    (kind == ENHANCED_PACKET_BLOCK && length > 0).then_some(length)
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

/// What a packet block has before the packet.
const PACKET_FIXED: usize = 20;

/// The kinds of blocks by which reading goes on behind damage, and the longest that does.
const KNOWN: [u32; 11] = [
    SECTION_HEADER_BLOCK,
    INTERFACE_DESCRIPTION_BLOCK,
    PACKET_BLOCK,
    SIMPLE_PACKET_BLOCK,
    NAME_RESOLUTION_BLOCK,
    INTERFACE_STATISTIC_BLOCK,
    ENHANCED_PACKET_BLOCK,
    SYSTEMD_JOURNAL_EXPORT_BLOCK,
    DECRYPTION_SECRETS_BLOCK,
    CUSTOM_BLOCK_COPIABLE,
    CUSTOM_BLOCK_NON_COPIABLE,
];
/// Of TLS, for those who decrypt: it came with the draft of 2018.
const DECRYPTION_SECRETS_BLOCK: u32 = 10;
const USUAL_BLOCK: usize = 1 << 20;

/// Interfaces in a section: each costs memory until the section ends.
const MAX_INTERFACES: usize = 65_536;

/// Of an interface's statistics: what was lost, by itself and by its system.
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

const END_OF_OPTIONS: u16 = 0;
const EPB_FLAGS: u16 = 2;
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const IF_FCSLEN: u16 = 13;
const IF_TSOFFSET: u16 = 14;
/// What `if_tsresol` is where the option is missing.
const MICROSECONDS: u8 = 6;
