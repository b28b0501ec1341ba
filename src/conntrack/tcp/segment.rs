//! What the tracker reads of a segment.
//!
//! Source: `tcp_error`, `tcp_options` and `tcp_sack` in net/netfilter/nf_conntrack_proto_tcp.c; RFC 9293, 2018, 7323.

use etherparse::TcpHeaderSlice;

use super::super::Reason;
use super::Kind;

/// What the tracker reads of a segment.
pub struct Segment<'a> {
    pub kind: Kind,
    pub syn: bool,
    pub rst: bool,
    /// The ACK flag.
    pub acknowledges: bool,
    pub seq: u32,
    pub ack: u32,
    pub window: u16,
    /// Sequence number behind the segment: payload, SYN and FIN count.
    pub end: u32,
    pub options: &'a [u8],
}

impl<'a> Segment<'a> {
    /// Refuses what no TCP sends (`tcp_error`). Checksums are not looked at.
    pub fn parse(transport: &'a [u8]) -> Result<Self, Reason> {
        let header = TcpHeaderSlice::from_slice(transport).map_err(|_| Reason::TcpHeader)?;
        let (syn, fin, rst, ack, urg) = (
            header.syn(),
            header.fin(),
            header.rst(),
            header.ack(),
            header.urg(),
        );
        // PSH, ECE and CWR go with anything.
        let possible = match (syn, fin, rst, ack) {
            (true, false, false, false) => true,
            (true, false, false, true) => !urg,
            (false, false, true, _) => !urg,
            (false, _, false, true) => true,
            _ => false,
        };
        if !possible {
            return Err(Reason::TcpFlags);
        }
        let kind = match (rst, syn, fin, ack) {
            (true, ..) => Kind::Rst,
            (_, true, _, false) => Kind::Syn,
            (_, true, _, true) => Kind::SynAck,
            (_, _, true, _) => Kind::Fin,
            (_, _, _, true) => Kind::Ack,
            _ => Kind::None,
        };
        let seq = header.sequence_number();
        // A datagram is at most 64 KiB long.
        let payload = (transport.len() - header.slice().len()) as u32;
        Ok(Self {
            kind,
            syn,
            acknowledges: ack,
            rst,
            seq,
            ack: header.acknowledgment_number(),
            window: header.window_size(),
            end: seq
                .wrapping_add(payload)
                .wrapping_add(u32::from(syn))
                .wrapping_add(u32::from(fin)),
            options: &transport[TCP_HEADER..header.slice().len()],
        })
    }
}

/// TCP options as kind and value, up to the first that is broken.
pub struct Options<'a>(pub &'a [u8]);

impl<'a> Iterator for Options<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match *self.0 {
                [OPTION_NOP, ref rest @ ..] => self.0 = rest,
                [] | [OPTION_END, ..] => return None,
                [kind, length, ..] => {
                    let value = self.0.get(2..usize::from(length))?;
                    self.0 = &self.0[usize::from(length)..];
                    return Some((kind, value));
                }
                _ => return None,
            }
        }
    }
}

/// The highest right edge that a SACK option names, if beyond the acknowledgement (`tcp_sack`).
pub fn highest_sack(options: &[u8], ack: u32) -> u32 {
    let is_sack = |&(kind, value): &(u8, &[u8])| {
        kind == OPTION_SACK && value.len() >= 8 && value.len().is_multiple_of(8)
    };
    let Some((_, blocks)) = Options(options).find(is_sack) else {
        return ack;
    };
    blocks.chunks_exact(8).fold(ack, |highest, block| {
        let edge = u32::from_be_bytes([block[4], block[5], block[6], block[7]]);
        if later(edge, highest) { edge } else { highest }
    })
}

/// Sequence numbers wrap: earlier and later are meant within half their range.
pub fn earlier(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}

pub fn later(a: u32, b: u32) -> bool {
    earlier(b, a)
}

const TCP_HEADER: usize = 20;
const OPTION_END: u8 = 0;
const OPTION_NOP: u8 = 1;
pub const OPTION_WINDOW_SCALE: u8 = 3;
pub const OPTION_SACK_PERMITTED: u8 = 4;
const OPTION_SACK: u8 = 5;
