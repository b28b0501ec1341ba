//! IPv4 and IPv6 headers, read as the kernel reads them on input.
//!
//! What is refused here never comes to PREROUTING: `ip_rcv_core` (net/ipv4/ip_input.c) and `ip6_rcv_core`
//! (net/ipv6/ip6_input.c). Header checksums are not verified: captures taken on a sender hold unfinished ones.

use std::net::{IpAddr, Ipv6Addr};

use etherparse::{IpNumber, Ipv4HeaderSlice};

use super::Malformed;
use crate::tuple::Protocol;

/// The fixed part of either header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// The source address.
    pub src: IpAddr,
    /// The destination address.
    pub dst: IpAddr,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// IPv4: the protocol. IPv6: the first next header.
    pub next: u8,
    /// Bytes of this header, options included.
    pub length: usize,
}

impl Header {
    /// Of either family, by the version in the first byte.
    pub fn parse(datagram: &[u8]) -> Result<Self, Malformed> {
        if is_ipv4(datagram) {
            let header =
                Ipv4HeaderSlice::from_slice(datagram).map_err(|_| Malformed::HeaderLength)?;
            return Ok(Self {
                src: header.source_addr().into(),
                dst: header.destination_addr().into(),
                hop_limit: header.ttl(),
                next: header.protocol().0,
                length: header.slice().len(),
            });
        }
        Self::ipv6(datagram)
    }

    /// An IPv6 header, whatever the version field says.
    pub fn ipv6(datagram: &[u8]) -> Result<Self, Malformed> {
        let fixed = datagram
            .first_chunk::<IPV6_HEADER>()
            .ok_or(Malformed::HeaderCut)?;
        let address = |at: usize| {
            let mut octets = [0; 16];
            octets.copy_from_slice(&fixed[at..at + 16]);
            IpAddr::from(octets)
        };
        Ok(Self {
            src: address(8),
            dst: address(24),
            hop_limit: fixed[7],
            next: fixed[6],
            length: IPV6_HEADER,
        })
    }
}

/// What IPv6 input refuses of a packet as it came (`ip6_rcv_core`). A datagram that was put together from fragments is
/// not looked at again.
pub fn check(header: &Header, datagram: &[u8]) -> Result<(), Malformed> {
    let (IpAddr::V6(src), IpAddr::V6(dst)) = (header.src, header.dst) else {
        return Ok(());
    };
    check_addresses(src, dst)?;
    if header.next == IpNumber::IPV6_HEADER_HOP_BY_HOP.0 {
        check_hop_by_hop(datagram)
    } else {
        Ok(())
    }
}

/// How long the datagram is, by its own header; what the capture has may be less or more.
///
/// A length of 0 is what segmentation offload leaves in IPv4: then it is all that was captured.
pub fn total_length(captured: &[u8]) -> Result<usize, Malformed> {
    if is_ipv4(captured) {
        let header = captured
            .first_chunk::<IPV4_HEADER>()
            .ok_or(Malformed::HeaderCut)?;
        let header_length = usize::from(header[0] & 0x0f) * 4;
        if header_length < IPV4_HEADER {
            return Err(Malformed::HeaderLength);
        }
        if captured.len() < header_length {
            return Err(Malformed::HeaderCut);
        }
        return match usize::from(u16::from_be_bytes([header[2], header[3]])) {
            0 => Ok(captured.len().min(MAX_DATAGRAM)),
            length if length < header_length => Err(Malformed::HeaderLength),
            length => Ok(length),
        };
    }
    let header = captured
        .first_chunk::<IPV6_HEADER>()
        .ok_or(Malformed::HeaderCut)?;
    Ok(IPV6_HEADER + usize::from(u16::from_be_bytes([header[4], header[5]])))
}

/// Protocol and offset of the transport header (`ipv4_get_l4proto`, `ipv6_get_l4proto`).
pub fn transport(header: &Header, datagram: &[u8]) -> Option<(Protocol, usize)> {
    if header.src.is_ipv4() {
        let fragment = datagram.get(6..8)?;
        let offset = u16::from_be_bytes([fragment[0], fragment[1]]) & 0x1fff;
        return (offset == 0).then_some((Protocol(header.next), header.length));
    }
    match skip_extensions(datagram, IPV6_HEADER, header.next)? {
        Skipped {
            fragment_offset: 0,
            next,
            at,
        } => Some((Protocol(next), at)),
        _ => None,
    }
}

/// The protocol that a rule's `tcp dport` is held against. nftables takes an authentication header for the transport
/// header (`__nft_set_pktinfo_ipv6` with `IP6_FH_F_AUTH`), while conntrack looks behind it.
pub fn protocol_in_rules(datagram: &[u8]) -> Option<u8> {
    let header = Header::parse(datagram).ok()?;
    let (mut next, mut at) = (header.next, header.length);
    while header.src.is_ipv6() && is_extension(next) && next != IpNumber::AUTHENTICATION_HEADER.0 {
        let &[following, length] = datagram.get(at..)?.first_chunk()?;
        at += extension_length(next, length);
        next = following;
    }
    Some(next)
}

/// Where a walk over extension headers ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The kind of the header that it came to.
    pub next: u8,
    /// Where that header begins.
    pub at: usize,
    /// Of the last fragment header passed, in bytes.
    pub fragment_offset: u16,
}

/// Walks from a header of kind `next` at `at` to the first that is no extension header.
///
/// The walk may end behind the packet's last byte, and it stops at a fragment header that is not the first
/// fragment's; `None` where it runs out of bytes or meets "no next header" (`ipv6_skip_exthdr`).
pub fn skip_extensions(datagram: &[u8], mut at: usize, mut next: u8) -> Option<Skipped> {
    let mut fragment_offset = 0;
    while is_extension(next) {
        if next == IpNumber::IPV6_NO_NEXT_HEADER.0 {
            return None;
        }
        let &[following, length] = datagram.get(at..)?.first_chunk()?;
        if next == IpNumber::IPV6_FRAGMENTATION_HEADER.0 {
            let field: [u8; 2] = *datagram.get(at + 2..)?.first_chunk()?;
            fragment_offset = u16::from_be_bytes(field) & !7;
            if fragment_offset != 0 {
                break;
            }
        }
        at += extension_length(next, length);
        next = following;
    }
    Some(Skipped {
        next,
        at,
        fragment_offset,
    })
}

/// `ipv6_ext_hdr`
pub fn is_extension(next: u8) -> bool {
    matches!(
        IpNumber(next),
        IpNumber::IPV6_HEADER_HOP_BY_HOP
            | IpNumber::IPV6_ROUTE_HEADER
            | IpNumber::IPV6_FRAGMENTATION_HEADER
            | IpNumber::AUTHENTICATION_HEADER
            | IpNumber::IPV6_NO_NEXT_HEADER
            | IpNumber::IPV6_DESTINATION_OPTIONS
    )
}

/// Bytes of an extension header from its own length field (`ipv6_optlen`, `ipv6_authlen`).
pub fn extension_length(kind: u8, length: u8) -> usize {
    match IpNumber(kind) {
        IpNumber::IPV6_FRAGMENTATION_HEADER => FRAGMENT_HEADER,
        IpNumber::AUTHENTICATION_HEADER => (usize::from(length) + 2) * 4,
        _ => (usize::from(length) + 1) * 8,
    }
}

fn is_ipv4(datagram: &[u8]) -> bool {
    datagram.first().is_some_and(|first| first >> 4 == 4)
}

/// RFC 4291, 2.5.3 and 2.7: what no router may let in.
fn check_addresses(src: Ipv6Addr, dst: Ipv6Addr) -> Result<(), Malformed> {
    if src.is_loopback() || dst.is_loopback() {
        return Err(Malformed::Loopback);
    }
    let dst_scope = dst.octets()[1] & 0x0f;
    if src.is_multicast() || dst.is_multicast() && dst_scope <= 1 {
        return Err(Malformed::MulticastScope);
    }
    Ok(())
}

/// RFC 8200, 4.2 and 4.3, as `ipv6_parse_hopopts` and `ip6_parse_tlv` apply them.
fn check_hop_by_hop(datagram: &[u8]) -> Result<(), Malformed> {
    let bad = Malformed::HopByHop;
    let header = datagram.get(IPV6_HEADER..).ok_or(bad)?;
    let length = extension_length(0, *header.get(1).ok_or(bad)?);
    let header = header.get(..length).ok_or(bad)?;
    let mut options = &header[2..];
    let (mut padding, mut count) = (0, 0);
    while let Some(&kind) = options.first() {
        if kind == OPTION_PAD1 {
            padding += 1;
            options = &options[1..];
        } else {
            let size = usize::from(*options.get(1).ok_or(bad)?) + 2;
            let body = options.get(2..size).ok_or(bad)?;
            if kind == OPTION_PADN {
                padding += size;
                if body.iter().any(|&byte| byte != 0) {
                    return Err(bad);
                }
            } else {
                count += 1;
                if count > MAX_HOP_BY_HOP_OPTIONS
                    || !may_pass(kind, IPV6_HEADER + length - options.len(), body)
                {
                    return Err(bad);
                }
                padding = 0;
            }
            options = &options[size..];
        }
        if padding > 7 {
            return Err(bad);
        }
    }
    Ok(())
}

/// Whether a packet with this option goes on; of an unknown one the two high bits say it.
fn may_pass(kind: u8, at: usize, body: &[u8]) -> bool {
    match kind {
        OPTION_ROUTER_ALERT => body.len() == 2,
        // A jumbogram of more than 64 KiB fits into no capture, and a shorter one is an error (`ipv6_hop_jumbo`).
        OPTION_JUMBO => false,
        // Only NetLabel's tables make one valid, and they are empty by default (`calipso_validate`).
        OPTION_CALIPSO => false,
        // What it asks for is done only where an interface has IOAM switched on.
        OPTION_IOAM => at.is_multiple_of(4),
        _ => kind >> 6 == 0,
    }
}

/// Bytes of IPv4's header without options.
pub const IPV4_HEADER: usize = 20;
/// Bytes of IPv6's fixed header.
pub const IPV6_HEADER: usize = 40;
/// Bytes of IPv6's fragment header.
pub const FRAGMENT_HEADER: usize = 8;
/// The longest datagram that either header can describe without a jumbo option.
pub const MAX_DATAGRAM: usize = 65535;

const OPTION_PAD1: u8 = 0x00;
const OPTION_PADN: u8 = 0x01;
const OPTION_ROUTER_ALERT: u8 = 0x05;
const OPTION_CALIPSO: u8 = 0x07;
const OPTION_IOAM: u8 = 0x31;
const OPTION_JUMBO: u8 = 0xc2;
/// `net.ipv6.max_hbh_opts_number`
const MAX_HOP_BY_HOP_OPTIONS: usize = 8;
