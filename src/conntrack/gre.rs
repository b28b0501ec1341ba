//! GRE, for which version 1 (PPTP) has a key in each direction that packets carry one at a time.
//!
//! Source: net/netfilter/nf_conntrack_proto_gre.c, RFC 2637 4.1. A packet names the call of its receiver only; the
//! sender's is known from the pptp helper alone. Without it the two directions are two flows.

use super::Context;
use super::config::Sysctl;
use super::entry::{Cached, Conntrack, Outcome};
use super::event::Status;

/// The keys as `sport` and `dport` (`gre_pkt_to_tuple`); `None` for a version 1 packet that carries no PPP.
pub fn keys(transport: &[u8]) -> Option<(u16, u16)> {
    let Some(&[_, flags, high, low]) = transport.first_chunk() else {
        return Some((0, 0));
    };
    if flags & 0x07 != 1 {
        return Some((0, 0));
    }
    let Some(&[.., call_high, call_low]) = transport.first_chunk::<8>() else {
        return Some((0, 0));
    };
    (u16::from_be_bytes([high, low]) == PPP).then(|| (0, u16::from_be_bytes([call_high, call_low])))
}

/// `nf_conntrack_gre_packet`
pub(super) fn packet(ct: &mut Conntrack, context: &Context<'_>) -> Outcome {
    if !ct.status.has(Status::SEEN_REPLY) {
        return Outcome::Accept(Some(context.sysctls.timeout(Sysctl::GreTimeout)));
    }
    if ct.status.set(Status::ASSURED) {
        ct.cached.set(Cached::ASSURED);
    }
    Outcome::Accept(Some(context.sysctls.timeout(Sysctl::GreTimeoutStream)))
}

/// The EtherType of PPP in GRE.
const PPP: u16 = 0x880b;
