//! The range of ports that a server hands out, or a client listens at, as far as flows show it.

use std::ops::RangeInclusive;

use crate::exposure::Related;
use crate::tuple::Protocol;

/// The ports that a rule for such flows names; `None` for GRE, whose calls have numbers in place of ports. `services` are
/// the ports of their control connections.
///
/// Ports that a helper's record names, those of the services themselves, and one that several flows went to stand as
/// they are. Of others, those that were seen are a sample: the range goes on at each end for the mean distance between
/// them, which is the unbiased estimate for the ends of a uniform distribution. One flow shows no range at all. None
/// goes down into the ports of services (below 1024, RFC 6335, 6) unless such a port was seen.
pub fn range(protocol: Protocol, flows: &Related, services: &[u16]) -> Option<RangeInclusive<u16>> {
    let (low, high) = flows.ports.range.filter(|_| protocol != Protocol::GRE)?;
    let least = low.min(UNPRIVILEGED);
    let is_service = low == high && (services.contains(&low) || low < UNPRIVILEGED);
    if flows.ports.negotiated == 0 || is_service || low == high && flows.flows > 1 {
        return Some(low..=high);
    }
    if low == high {
        return Some(least..=u16::MAX);
    }
    let seen = u16::try_from(flows.ports.seen.len()).unwrap_or(u16::MAX);
    let apart = (high - low) / seen.saturating_sub(1).max(1);
    let from = if low < UNPRIVILEGED {
        low
    } else {
        low.saturating_sub(apart).max(least)
    };
    Some(from..=high.saturating_add(apart))
}

/// The first port that programs without privileges may use.
const UNPRIVILEGED: u16 = 1024;
