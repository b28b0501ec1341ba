//! The block format: sections, interfaces, packets (draft-ietf-opsawg-pcapng).
//!
//! Blocks are cut by pcap-file; what is in them is read here, because an interface whose name is no UTF-8 or whose
//! clock ticks in picoseconds is no reason to refuse a capture. A packet of an interface that was never described
//! has no link type: it is passed over.

use byteorder_slice::{BigEndian, LittleEndian};
use pcap_file::pcapng::RawBlock;
use pcap_file::pcapng::blocks::block_common::{
    ENHANCED_PACKET_BLOCK, INTERFACE_DESCRIPTION_BLOCK, PACKET_BLOCK, SECTION_HEADER_BLOCK, SIMPLE_PACKET_BLOCK,
};

use super::buffer::Buffer;
use super::{Fault, MAX_RECORD, Record};
use crate::time::Timestamp;

/// The type of a section header block, the same in both byte orders.
pub const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// What the section so far has said.
#[derive(Default)]
pub struct Reader {
    order: Order,
    interfaces: Vec<Interface>,
}

#[derive(Clone, Copy, Default)]
enum Order {
    Big,
    #[default]
    Little,
}

struct Interface {
    link: u16,
    snap_length: u32,
    /// Ticks a second: a power of 10 or of 2.
    resolution: u128,
    /// Seconds to add.
    offset: i64,
}

impl Reader {
    pub fn next(&mut self, buffer: &mut Buffer) -> Result<Option<Record>, Fault> {
        loop {
            let bytes = buffer.fill(BLOCK_FRAME).map_err(Fault::Read)?;
            let Some(&[a, b, c, d, e, f, g, h, i, j, k, l]) = bytes.first_chunk::<BLOCK_FRAME>() else {
                let left = bytes.len();
                return if left == 0 { Ok(None) } else { Err(Fault::CutOff { claimed: BLOCK_FRAME, left }) };
            };
            if [a, b, c, d] == MAGIC {
                self.order = match [i, j, k, l] {
                    [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
                    [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
                    _ => return Err(Fault::Block("a section header without its byte-order magic")),
                };
                self.interfaces.clear();
            }
            let length = self.order.u32(&[e, f, g, h]);
            if u64::from(length) > MAX_RECORD {
                return Err(Fault::TooLong(length.into()));
            }
            let claimed = length as usize;
            let bytes = buffer.fill(claimed).map_err(Fault::Read)?;
            let left = bytes.len();
            let block = match self.order {
                Order::Big => RawBlock::from_slice::<BigEndian>(bytes),
                Order::Little => RawBlock::from_slice::<LittleEndian>(bytes),
            };
            let found = match &block {
                Ok((_, block)) => self.block(block.type_, &block.body)?,
                Err(_) if left < claimed => return Err(Fault::CutOff { claimed, left }),
                Err(_) => return Err(Fault::Block("a block whose two lengths differ or are none")),
            };
            let taken = buffer.take(claimed);
            if let Some(mut record) = found {
                let start = taken.start + BLOCK_HEADER;
                record.data = start + record.data.start..start + record.data.end;
                return Ok(Some(record));
            }
        }
    }

    /// A packet, as a range of the block's body, or a change of what is known.
    fn block(&mut self, kind: u32, body: &[u8]) -> Result<Option<Record>, Fault> {
        let order = self.order;
        let u32_at = |at: usize| body.get(at..at + 4).map(|four| order.u32(four));
        let u16_at = |at: usize| body.get(at..at + 2).map(|two| order.u16(two));
        let cut = Fault::Block("a block that is too short for its type");
        match kind {
            SECTION_HEADER_BLOCK => match u16_at(4) {
                Some(1) => Ok(None),
                _ => Err(Fault::Block("a section of an unknown major version")),
            },
            INTERFACE_DESCRIPTION_BLOCK => {
                let (link, snap_length) = u16_at(0).zip(u32_at(4)).ok_or(cut)?;
                let mut interface = Interface { link, snap_length, resolution: 1_000_000, offset: 0 };
                interface.read_options(order, body.get(8..).unwrap_or_default());
                self.interfaces.push(interface);
                Ok(None)
            }
            ENHANCED_PACKET_BLOCK | PACKET_BLOCK => {
                let id = if kind == PACKET_BLOCK { u16_at(0).map(u32::from) } else { u32_at(0) };
                let (Some(id), Some(high), Some(low), Some(captured), Some(original_length)) =
                    (id, u32_at(4), u32_at(8), u32_at(12), u32_at(16))
                else {
                    return Err(cut);
                };
                let Some(interface) = self.interfaces.get(id as usize) else { return Ok(None) };
                let at = interface.time(u64::from(high) << 32 | u64::from(low));
                Ok(Some(Record { at, link: interface.link, data: within(body, 20, captured), original_length }))
            }
            SIMPLE_PACKET_BLOCK => {
                let original_length = u32_at(0).ok_or(cut)?;
                let Some(interface) = self.interfaces.first() else { return Ok(None) };
                let captured = match interface.snap_length {
                    0 => original_length,
                    snap_length => original_length.min(snap_length),
                };
                // The block has no timestamp, and no clock is better than an invented one.
                let at = Timestamp::default();
                Ok(Some(Record { at, link: interface.link, data: within(body, 4, captured), original_length }))
            }
            _ => Ok(None),
        }
    }
}

/// The packet's bytes in the body, at most those that are there.
fn within(body: &[u8], start: usize, captured: u32) -> std::ops::Range<usize> {
    start..(start + captured as usize).min(body.len())
}

impl Interface {
    fn read_options(&mut self, order: Order, mut options: &[u8]) {
        while let Some(&[a, b, c, d]) = options.first_chunk() {
            let (code, length) = (order.u16(&[a, b]), usize::from(order.u16(&[c, d])));
            let Some(value) = options.get(4..4 + length) else { return };
            match (code, value) {
                (OPTION_END, _) => return,
                (OPTION_RESOLUTION, &[resolution, ..]) => self.resolution = ticks(resolution),
                (OPTION_OFFSET, value) => {
                    if let Some(eight) = value.first_chunk() {
                        self.offset = order.i64(*eight);
                    }
                }
                _ => {}
            }
            options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        }
    }

    /// Saturates: a clock may claim any year.
    fn time(&self, ticks: u64) -> Timestamp {
        let nanos = (u128::from(ticks) * 1_000_000_000).checked_div(self.resolution).unwrap_or(0);
        let nanos = i128::try_from(nanos).unwrap_or(i128::MAX).saturating_add(i128::from(self.offset) * 1_000_000_000);
        let nanos = nanos.clamp(i64::MIN.into(), i64::MAX.into());
        Timestamp::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    }
}

/// Ticks a second of `if_tsresol`; one finer than 10^-38 or 2^-127 s counts as infinitely fine.
fn ticks(resolution: u8) -> u128 {
    let exponent = u32::from(resolution & 0x7f);
    let base: u128 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(exponent).unwrap_or(u128::MAX)
}

impl Order {
    fn u16(self, bytes: &[u8]) -> u16 {
        let bytes = bytes.first_chunk().copied().unwrap_or_default();
        match self {
            Self::Big => u16::from_be_bytes(bytes),
            Self::Little => u16::from_le_bytes(bytes),
        }
    }

    fn u32(self, bytes: &[u8]) -> u32 {
        let bytes = bytes.first_chunk().copied().unwrap_or_default();
        match self {
            Self::Big => u32::from_be_bytes(bytes),
            Self::Little => u32::from_le_bytes(bytes),
        }
    }

    fn i64(self, bytes: [u8; 8]) -> i64 {
        match self {
            Self::Big => i64::from_be_bytes(bytes),
            Self::Little => i64::from_le_bytes(bytes),
        }
    }
}

/// Type, length, and the length again behind the body.
const BLOCK_FRAME: usize = 12;
const BLOCK_HEADER: usize = 8;
const OPTION_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
