//! Numbers that one reader takes for another.

use super::{FTP, offer};
use crate::dialogue::{Number, Offer};
use crate::findings::{Entry, Evidence, Matcher, Severity};

pub const TRICKS: Entry = Entry {
    id: "ftp-number-tricks",
    title: "A port or an address that the helper and an end read differently",
    severity: Severity::Medium,
    helpers: FTP,
    wire: "PORT, EPRT, 227 or 229 with an octet above 255, a port above 65535, an empty number, a seventh number, or a \
        zero in front that makes another number of it where that means octal",
    alike: "a program that fills up all its numbers to three digits",
    references: &["net/netfilter/nf_conntrack_ftp.c try_number(), get_port()"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let offer = offer(dialogue, heard, line)?;
        let readings = too_large(&offer)
            .or_else(|| count(&offer))
            .or_else(|| octal(&offer))?;
        Evidence::of(format!("{}: {readings}", offer.verb.name()))
    }),
};

pub const OTHER_FAMILY: Entry = Entry {
    id: "ftp-other-family",
    title: "An address of the other family than the control connection's",
    severity: Severity::Low,
    helpers: FTP,
    wire: "EPRT of IPv6 on a control connection of IPv4, or of IPv4 on one of IPv6: the helper drops it",
    alike: "a client behind a translation between the two (NAT64)",
    references: &["RFC 2428, 2", "RFC 6384"],
    matcher: Matcher::Line(|dialogue, heard, line| {
        let says = offer(dialogue, heard, line)?.says_ipv6?;
        let speaks = dialogue.original.is_ipv6();
        let name = |ipv6| if ipv6 { "IPv6" } else { "IPv4" };
        let detail = || format!("an address of {} over {}", name(says), name(speaks));
        (says != speaks).then(|| Evidence::of(detail()))?
    }),
};

/// What wraps, before Linux 7.2.
fn too_large(offer: &Offer<'_>) -> Option<String> {
    let octet = offer.octets.iter().find(|number| number.value > 255);
    let port = offer.port_number.filter(|number| number.value > 65535);
    let number = port.or(octet.copied())?.value;
    let helper = match (offer.port_number, &offer.octets[..]) {
        (Some(port), _) => Some(wrapped(port.value)),
        (None, [_, _, _, _, high, low]) => Some(wrapped(wide_port(*high, *low))),
        _ => None,
    };
    let helper = helper.map_or("drops it".into(), |port| format!("reads port {port}"));
    Some(format!(
        "{number} is too large; the helper {helper} before Linux 7.2 and drops it since, an end refuses it or wraps it in a \
         way of its own"
    ))
}

/// One that is none, or one too many.
fn count(offer: &Offer<'_>) -> Option<String> {
    let count = offer.octets.len();
    let expected = if offer.port_number.is_some() { 4 } else { 6 };
    let is_empty = offer.octets.iter().any(|number| number.digits == 0);
    if count == expected && is_empty {
        return Some("an empty number, which the helper reads as 0 and an end refuses".into());
    }
    (count > expected).then(|| {
        format!("{count} numbers, which the helper drops; an end may read the first {expected}")
    })
}

/// Numbers of three digits each are merely filled up.
fn octal(offer: &Offer<'_>) -> Option<String> {
    let is_filled = offer.octets.iter().all(|number| number.digits == 3);
    let number = offer
        .octets
        .iter()
        .find(|number| number.value != number.octal)?;
    let Number { value, octal, .. } = number;
    (!is_filled).then(|| {
        format!("a zero in front; the helper reads {value}, to whom that means octal it is {octal}")
    })
}

/// A port of octets that are not cut.
fn wide_port(high: Number, low: Number) -> u64 {
    // As 32 bits, to which they wrap first.
    let [high, low] = [high, low].map(|number| number.value & u64::from(u32::MAX));
    high << 8 | low
}

/// Its last bits.
fn wrapped(port: u64) -> u16 {
    (port & 0xffff) as u16
}
