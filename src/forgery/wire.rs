//! IP packets written anew: other bytes in a payload, other ends, with lengths and checksums that fit.

use std::net::IpAddr;
use std::ops::Range;

use etherparse::checksum::Sum16BitWords;

use crate::conntrack;
use crate::packet::ip::{self, IPV6_HEADER, MAX_DATAGRAM};
use crate::tuple::Protocol;

/// Where things are in a TCP or UDP datagram.
pub struct Layout {
    pub src: IpAddr,
    pub dst: IpAddr,
    pub protocol: Protocol,
    /// Where the transport header starts, and the payload.
    pub transport: usize,
    pub payload: usize,
}

/// Bytes in place of others of the payload.
#[derive(Clone, Debug)]
pub struct Edit {
    pub at: Range<usize>,
    pub with: Vec<u8>,
}

impl Layout {
    pub fn of(datagram: &[u8]) -> Option<Self> {
        let header = ip::Header::parse(datagram).ok()?;
        let (protocol, transport) = ip::transport(&header, datagram)?;
        let (_, _, payload) = conntrack::payload(protocol, datagram.get(transport..)?)?;
        Some(Self {
            src: header.src,
            dst: header.dst,
            protocol,
            transport,
            payload: datagram.len() - payload.len(),
        })
    }
}

pub fn payload(datagram: &[u8]) -> Option<&[u8]> {
    datagram.get(Layout::of(datagram)?.payload..)
}

/// The datagram with these edits, which are in order; its checksums are those of before.
pub fn edited(datagram: &[u8], edits: &[Edit]) -> Option<Vec<u8>> {
    let (headers, payload) = datagram.split_at_checked(Layout::of(datagram)?.payload)?;
    let mut edited = headers.to_vec();
    let mut from = 0;
    for edit in edits.iter().filter(|edit| !edit.at.is_empty()) {
        // One that begins within the one before is part of it.
        if edit.at.start >= from {
            edited.extend_from_slice(payload.get(from..edit.at.start)?);
            edited.extend_from_slice(&edit.with);
            from = edit.at.end;
        }
    }
    edited.extend_from_slice(payload.get(from..)?);
    (edited.len() <= MAX_DATAGRAM).then_some(edited)
}

/// Puts one host in the place of another.
pub fn readdress(datagram: &mut [u8], from: IpAddr, to: IpAddr) -> Option<()> {
    let header = ip::Header::parse(datagram).ok()?;
    let (octets, at) = match to {
        IpAddr::V4(to) => (to.octets().to_vec(), [12, 16]),
        IpAddr::V6(to) => (to.octets().to_vec(), [8, 24]),
    };
    for (end, at) in [header.src, header.dst].into_iter().zip(at) {
        if end == from {
            let place = datagram.get_mut(at..at + octets.len())?;
            place.copy_from_slice(&octets);
        }
    }
    Some(())
}

/// Gives one end another port.
pub fn renumber(datagram: &mut [u8], (host, port): (IpAddr, u16), to: u16) -> Option<()> {
    let layout = Layout::of(datagram)?;
    for (end, at) in [layout.src, layout.dst].into_iter().zip([0, 2]) {
        let at = layout.transport + at;
        let place = datagram.get_mut(at..at + 2)?;
        if end == host && *place == port.to_be_bytes() {
            place.copy_from_slice(&to.to_be_bytes());
        }
    }
    Some(())
}

/// Lengths and checksums as they must be.
pub fn seal(datagram: &mut [u8]) -> Option<()> {
    let layout = Layout::of(datagram)?;
    let length = u16::try_from(datagram.len()).ok()?;
    match layout.src {
        IpAddr::V4(_) => {
            put(datagram, 2, length)?;
            put(datagram, 10, 0)?;
            let header = usize::from(datagram.first()? & 0x0f) * 4;
            let sum = Sum16BitWords::new().add_slice(datagram.get(..header)?);
            put(datagram, 10, complement(&sum))?;
        }
        IpAddr::V6(_) => put(
            datagram,
            4,
            length.checked_sub(u16::try_from(IPV6_HEADER).ok()?)?,
        )?,
    }
    let (at, size) = (layout.transport, datagram.len() - layout.transport);
    let field = match layout.protocol {
        Protocol::UDP => {
            put(datagram, at + 4, u16::try_from(size).ok()?)?;
            at + 6
        }
        _ => at + 16,
    };
    put(datagram, field, 0)?;
    let sum = pseudo_header(&layout, size).add_slice(datagram.get(at..)?);
    let sum = match (layout.protocol, complement(&sum)) {
        // Zero says that there is none (RFC 768).
        (Protocol::UDP, 0) => 0xffff,
        (_, sum) => sum,
    };
    put(datagram, field, sum)
}

/// RFC 9293, 3.1; RFC 8200, 8.1
fn pseudo_header(layout: &Layout, size: usize) -> Sum16BitWords {
    let mut sum = Sum16BitWords::new()
        .add_4bytes((size as u32).to_be_bytes())
        .add_2bytes([0, layout.protocol.0]);
    match (layout.src, layout.dst) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => sum.add_4bytes(src.octets()).add_4bytes(dst.octets()),
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            sum.add_16bytes(src.octets()).add_16bytes(dst.octets())
        }
        _ => sum,
    }
}

/// The library sums words in the machine's order.
fn complement(sum: &Sum16BitWords) -> u16 {
    sum.ones_complement().to_be()
}

fn put(datagram: &mut [u8], at: usize, number: u16) -> Option<()> {
    let place = datagram.get_mut(at..at + 2)?;
    place.copy_from_slice(&number.to_be_bytes());
    Some(())
}
