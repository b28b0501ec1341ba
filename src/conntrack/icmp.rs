//! ICMP and ICMPv6: queries are flows of their own, errors belong to the flow that they quote.
//!
//! Sources: net/netfilter/nf_conntrack_proto_icmp.c and nf_conntrack_proto_icmpv6.c; RFC 792, 4443, 4861.

use std::net::IpAddr;

use super::config::Sysctl;
use super::entry::{Conntrack, Outcome};
use super::event::Status;
use super::transport::tuple_of;
use super::{Context, Reason};
use crate::kernel::Behaviour;
use crate::packet::{Packet, ip};
use crate::tuple::{Protocol, Tuple};

/// What an ICMP packet is to conntrack, before any table is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Query or answer, or a type that is neither: looked up by its own tuple.
    Query,
    /// It speaks of the packet with this tuple, which it quotes.
    Error(Tuple),
    /// Neighbour discovery and the like: not tracked.
    Untracked,
    Invalid(Reason),
}

/// `nf_conntrack_icmpv4_error`, `nf_conntrack_icmpv6_error`
pub(super) fn kind(protocol: Protocol, packet: &Packet<'_>, context: &Context<'_>) -> Kind {
    let icmp = packet.transport_bytes();
    let Some(&[kind, code]) = icmp.get(..HEADER).and_then(|header| header.first_chunk()) else {
        return Kind::Invalid(Reason::IcmpHeader);
    };
    match (protocol, kind) {
        // 18 is the highest type that Linux knows (NR_ICMP_TYPES).
        (Protocol::ICMP, 19..) => Kind::Invalid(Reason::IcmpType),
        // Unreachable, source quench, redirect, time exceeded, parameter problem.
        (Protocol::ICMP, 3 | 4 | 5 | 11 | 12) => quoted(packet, &icmp[HEADER..], context),
        (Protocol::ICMP, _) => Kind::Query,
        // MLD, router and neighbour discovery, MLDv2.
        (_, 130..=136 | 143) => Kind::Untracked,
        (_, 151 | 152) if context.kernel.does(Behaviour::MrdiscUntracked) => Kind::Untracked,
        (_, 137) => redirect(packet, code, icmp, context),
        (_, ..128) => quoted(packet, &icmp[HEADER..], context),
        _ => Kind::Query,
    }
}

/// A query that is looked up by its tuple (`nf_conntrack_icmp_packet`, `nf_conntrack_icmpv6_packet`).
pub(super) fn packet(ct: &Conntrack, context: &Context<'_>) -> Outcome {
    let opens = match (ct.original.protocol, ct.original.src) {
        // One family's ICMP in the other's IP is nobody's.
        (Protocol::ICMP, IpAddr::V6(_)) | (Protocol::ICMPV6, IpAddr::V4(_)) => false,
        (Protocol::ICMP, _) => matches!(ct.original.icmp(), Some([8 | 13 | 15 | 17, _])),
        // Echo request, node information query.
        _ => ct.status.has(Status::CONFIRMED) || matches!(ct.original.icmp(), Some([128 | 139, _])),
    };
    if !opens {
        return Outcome::Invalid(Reason::IcmpNew);
    }
    let sysctl = match ct.original.protocol {
        Protocol::ICMP => Sysctl::IcmpTimeout,
        _ => Sysctl::Icmpv6Timeout,
    };
    Outcome::Accept(Some(context.sysctls.timeout(sysctl)))
}

/// The tuple of the packet that an error quotes (`nf_ct_get_tuplepr`).
fn quoted(packet: &Packet<'_>, inner: &[u8], context: &Context<'_>) -> Kind {
    quoted_tuple(packet, inner, context).map_or(Kind::Invalid(Reason::IcmpQuote), Kind::Error)
}

fn quoted_tuple(packet: &Packet<'_>, inner: &[u8], context: &Context<'_>) -> Option<Tuple> {
    // The family is the outer packet's, whatever the quote says; nothing else of the inner header is checked.
    let header = match packet.src {
        IpAddr::V4(_) => {
            let fixed: &[u8; ip::IPV4_HEADER] = inner.first_chunk()?;
            let address =
                |at: usize| IpAddr::from([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
            let length = usize::from(fixed[0] & 0x0f) * 4;
            if length > inner.len() {
                return None;
            }
            ip::Header {
                src: address(12),
                dst: address(16),
                hop_limit: fixed[8],
                next: fixed[9],
                length,
            }
        }
        IpAddr::V6(_) => ip::Header::ipv6(inner).ok()?,
    };
    let (protocol, at) = ip::transport(&header, inner)?;
    tuple_of(
        header.src,
        header.dst,
        protocol,
        inner.get(at..).unwrap_or_default(),
        context,
    )
}

/// RFC 4861, 4.5 and 8.1: a redirect quotes the packet in an option.
fn redirect(packet: &Packet<'_>, code: u8, icmp: &[u8], context: &Context<'_>) -> Kind {
    if icmp.len() < REDIRECT {
        return Kind::Invalid(Reason::IcmpHeader);
    }
    if code != 0 {
        return Kind::Query;
    }
    let link_local = matches!(packet.src, IpAddr::V6(src) if src.is_unicast_link_local());
    if packet.hop_limit != 255 || !link_local {
        return Kind::Invalid(Reason::IcmpRedirect);
    }
    match icmp[REDIRECT..] {
        [_] | [] | [_, 0, ..] => Kind::Invalid(Reason::IcmpRedirect),
        [OPTION_REDIRECTED_HEADER, ..] => quoted(
            packet,
            icmp.get(REDIRECT + 8..).unwrap_or_default(),
            context,
        ),
        _ => Kind::Query,
    }
}

const HEADER: usize = 8;
/// ICMPv6 header, target and destination address.
const REDIRECT: usize = 40;
const OPTION_REDIRECTED_HEADER: u8 = 4;
