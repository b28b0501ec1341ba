//! NFLOG: packets that a rule of the firewall logged (`nfnetlink_log.c`), each with what the rule says of it.
//!
//! Attributes of type, length and value, their headers in the byte order of the host, their values in the network's.

use super::{Next, NoIp, Step, array, number16, skip};

/// What is said of a logged packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Logged<'a> {
    /// The rule's own words, without the NUL at their end. They may be anything.
    pub prefix: &'a [u8],
    /// `skb->mark`, where it is not 0.
    pub mark: Option<u32>,
    /// The netfilter hook's number.
    pub hook: Option<u8>,
    /// Interfaces by number: where it came in and where it goes out.
    pub input: Option<u32>,
    /// The interface by which it goes out.
    pub output: Option<u32>,
}

/// What the frame says of its packet; `None` for one that is no NFLOG frame of version 0.
pub fn logged(frame: &[u8]) -> Option<Logged<'_>> {
    let mut logged = Logged::default();
    for (kind, value) in attributes(frame).ok()? {
        let number = || array(value, 0).ok().map(u32::from_be_bytes);
        match kind {
            NFULA_PREFIX => logged.prefix = value.split(|&byte| byte == 0).next()?,
            NFULA_MARK => logged.mark = number(),
            NFULA_PACKET_HDR => logged.hook = value.get(2).copied(),
            NFULA_IFINDEX_INDEV => logged.input = number(),
            NFULA_IFINDEX_OUTDEV => logged.output = number(),
            _ => {}
        }
    }
    Some(logged)
}

/// What a hook of IPv4, IPv6 or a bridge is called; others by their number.
pub fn hook(number: u8) -> String {
    let names = ["prerouting", "input", "forward", "output", "postrouting"];
    match names.get(usize::from(number)) {
        Some(name) => (*name).to_owned(),
        None => number.to_string(),
    }
}

/// A packet of the family that the header says; of others, as of a bridge, the EtherType stands in an attribute.
pub(super) fn header(frame: &[u8]) -> Step<'_> {
    let [family] = array(frame, 0)?;
    let mut next = match family {
        NFPROTO_IPV4 | NFPROTO_IPV6 => Some(Next::Ip),
        _ => None,
    };
    for (kind, value) in attributes(frame)? {
        match kind {
            NFULA_PACKET_HDR if next.is_none() => next = Some(Next::EtherType(number16(value, 0)?)),
            NFULA_PAYLOAD => return Ok((next.ok_or(NoIp::OtherProtocol)?, value)),
            _ => {}
        }
    }
    Err(NoIp::OtherProtocol)
}

/// Family, version and resource, then the attributes. The first tells their byte order: none has a number of 256 or more.
fn attributes(frame: &[u8]) -> Result<impl Iterator<Item = (u16, &[u8])>, NoIp> {
    let [_, 0] = array(frame, 0)? else {
        return Err(NoIp::Malformed);
    };
    let mut rest = skip(frame, 4)?;
    let is_big = matches!(rest, [_, _, 0, ..]);
    let number = move |two| match is_big {
        true => u16::from_be_bytes(two),
        false => u16::from_le_bytes(two),
    };
    Ok(std::iter::from_fn(move || {
        let length = usize::from(number(array(rest, 0).ok()?));
        let kind = number(array(rest, 2).ok()?);
        // The capture may have cut off the last.
        let value = rest.get(4..length.min(rest.len()))?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind & NLA_TYPE_MASK, value))
    }))
}

/// `include/uapi/linux/netfilter.h`
const NFPROTO_IPV4: u8 = 2;
const NFPROTO_IPV6: u8 = 10;

/// `include/uapi/linux/netlink.h`: without the bits for nesting and byte order.
const NLA_TYPE_MASK: u16 = 0x3fff;

/// `include/uapi/linux/netfilter/nfnetlink_log.h`
const NFULA_PACKET_HDR: u16 = 1;
const NFULA_MARK: u16 = 2;
const NFULA_IFINDEX_INDEV: u16 = 4;
const NFULA_IFINDEX_OUTDEV: u16 = 5;
const NFULA_PAYLOAD: u16 = 9;
const NFULA_PREFIX: u16 = 10;
