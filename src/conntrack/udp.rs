//! UDP and UDP-Lite: what comes back within a time-out belongs to the flow.
//!
//! Source: net/netfilter/nf_conntrack_proto_udp.c. Checksums are not looked at.

use std::time::Duration;

use etherparse::UdpHeaderSlice;

use super::config::Sysctl;
use super::entry::{Cached, Conntrack, L4, Outcome};
use super::event::Status;
use super::{Context, Reason};
use crate::kernel::Kernel;

/// `nf_conntrack_udp_packet`
pub(super) fn packet(ct: &mut Conntrack, transport: &[u8], context: &Context<'_>) -> Outcome {
    let Ok(header) = UdpHeaderSlice::from_slice(transport) else {
        return Outcome::Invalid(Reason::UdpHeader);
    };
    let length = usize::from(header.length());
    if length < UDP_HEADER || length > transport.len() {
        return Outcome::Invalid(Reason::UdpLength);
    }
    if !ct.status.has(Status::CONFIRMED) {
        ct.l4 = L4::Udp(context.now + PROBE);
    }
    if !ct.status.has(Status::SEEN_REPLY) {
        return Outcome::Accept(Some(context.sysctls.timeout(Sysctl::UdpTimeout)));
    }
    // A question and its answer are over soon; what still goes on after two seconds is a stream.
    match ct.l4 {
        L4::Udp(stream_from) if context.now > stream_from => stream(ct, context),
        _ => Outcome::Accept(Some(context.sysctls.timeout(Sysctl::UdpTimeout))),
    }
}

/// `nf_conntrack_udplite_packet`, RFC 3828: the length field is the checksum's coverage, and a checksum must be.
pub(super) fn lite_packet(ct: &mut Conntrack, transport: &[u8], context: &Context<'_>) -> Outcome {
    let Some(&[_, _, _, _, high, low, check @ ..]) = transport.first_chunk::<UDP_HEADER>() else {
        return Outcome::Invalid(Reason::UdpHeader);
    };
    let coverage = usize::from(u16::from_be_bytes([high, low]));
    if coverage != 0 && (coverage < UDP_HEADER || coverage > transport.len()) || check == [0, 0] {
        return Outcome::Invalid(Reason::UdpLength);
    }
    if ct.status.has(Status::SEEN_REPLY) {
        stream(ct, context)
    } else {
        Outcome::Accept(Some(context.sysctls.timeout(Sysctl::UdpTimeout)))
    }
}

fn stream(ct: &mut Conntrack, context: &Context<'_>) -> Outcome {
    if ct.status.set(Status::ASSURED) {
        ct.cached.set(Cached::ASSURED);
    }
    Outcome::Accept(Some(context.sysctls.timeout(Sysctl::UdpTimeoutStream)))
}

const UDP_HEADER: usize = 8;
/// How long a flow must last before it counts as a stream: more ticks than make two seconds, so up to a tick longer
/// than that, and half a tick in the mean (`Kernel::TICK`).
const PROBE: Duration = Duration::from_millis(2000 + Kernel::TICK.as_millis() as u64 / 2);
