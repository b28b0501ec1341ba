//! What is recognised over UDP: a datagram is a message.

use super::text::{is_amanda, is_sip, is_ssdp};
use super::{Content, Kind, asks_for_a_port, length};

pub fn beginning_with(first: u8) -> &'static [Kind] {
    const RAS: Kind = (Content::Control("RAS"), is_ras);
    const DHCPV6: Kind = (Content::Control("dhcpv6"), is_dhcpv6);
    match first {
        0 => &[(Content::Control("tftp"), is_tftp), RAS],
        2 => &[(Content::Control("slp"), is_slp), RAS],
        // Types of DHCPv6 that a client or a relay sends; what a server sends are answers.
        1 | 3..=6 | 8 | 9 | 11 | 12 => &[DHCPV6, RAS],
        13..=15 => &[RAS],
        0x30 => &[(Content::Control("snmp"), is_snmp)],
        b'A'..=b'Z' => &[
            (Content::Control("sip"), is_sip),
            (Content::Control("ssdp"), is_ssdp),
            (Content::Control("amanda"), is_amanda),
        ],
        _ => &[],
    }
}

/// What begins with a number that the asker makes up.
pub const NUMBERED: &[Kind] = &[
    (Content::Control("mdns"), is_mdns),
    (Content::Control("netbios-ns"), is_netbios_ns),
    (Content::Control("rpc"), asks_for_a_port),
];

/// A request to read or to write (RFC 1350, 5): what follows it goes to another port.
fn is_tftp(payload: &[u8]) -> bool {
    let &[0, 1 | 2, ref rest @ ..] = payload else {
        return false;
    };
    let mut texts = rest[..rest.len().min(LONGEST_REQUEST)].splitn(3, |&byte| byte == 0);
    let (Some(name), Some(mode), Some(_)) = (texts.next(), texts.next(), texts.next()) else {
        return false;
    };
    let modes: [&[u8]; 3] = [b"netascii", b"octet", b"mail"];
    modes.iter().any(|known| mode.eq_ignore_ascii_case(known))
        && !name.is_empty()
        && name.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A question for a name that multicast tells (RFC 6762, 3 and 18). It asks nobody to ask further, as hosts ask the
/// server of a domain that somebody called local. Servers ask each other in the same way: so the question is without a
/// number, as it should be, or for a service that any host may have (RFC 6763, 4.1).
fn is_mdns(payload: &[u8]) -> bool {
    let Some((&[high, low, 0 | TRUNCATED, 0, _, 1..=255, ..], mut name)) =
        payload.split_first_chunk::<12>()
    else {
        return false;
    };
    let mut above: &[u8] = b"";
    // RFC 1035, 2.3.4: no name has more labels.
    for _ in 0..MOST_LABELS {
        let Some((&length @ 1..=63, rest)) = name.split_first() else {
            return false;
        };
        let Some((label, rest)) = rest.split_at_checked(usize::from(length)) else {
            return false;
        };
        if let [0, _, _, 0 | 0x80, 1, ..] = rest {
            let is_free = [high, low] == [0, 0] || matches!(above, b"_tcp" | b"_udp");
            return is_free && label.eq_ignore_ascii_case(b"local");
        }
        (above, name) = (label, rest);
    }
    false
}

/// A request for a name in the encoding of RFC 1001, 14.1: 32 letters up to P, and no scope (RFC 1002, 4.2).
fn is_netbios_ns(payload: &[u8]) -> bool {
    let Some((&[_, _, flags, _, 0, 1, ..], question)) = payload.split_first_chunk::<12>() else {
        return false;
    };
    let Some((&[32, ref name @ .., 0, 0, 0x20 | 0x21, 0, 1], _)) =
        question.split_first_chunk::<38>()
    else {
        return false;
    };
    let is_answer = flags & 0x80 != 0;
    !is_answer && name.iter().all(|letter| (b'A'..=b'P').contains(letter))
}

/// gatekeeperRequest, 0, or registrationRequest, 3 (H.225.0, annex H, in aligned PER): they name the version of
/// H.225.0, which later requests do not.
///
/// The first octet holds the number of the message and the first marks of what is optional, the second one the other
/// marks; a sequence number follows, and the protocol identifier with its length.
fn is_ras(payload: &[u8]) -> bool {
    const H225: [u8; 6] = [6, 0, 8, 0x91, 0x4a, 0];
    let Some(&[kind, _, _, _, ref identifier @ .., version]) = payload.first_chunk::<11>() else {
        return false;
    };
    matches!(kind >> 2, 0 | 3) && *identifier == H225 && (1..16).contains(&version)
}

/// What is asked of servers (RFC 2608, 8): a header that counts the whole datagram, is sparing of flags and names a
/// language.
fn is_slp(payload: &[u8]) -> bool {
    let Some((header, body)) = payload.split_first_chunk::<14>() else {
        return false;
    };
    let &[2, function, 0, _, _, flags, 0, .., 0, language] = header else {
        return false;
    };
    // SrvRqst, SrvReg, SrvDeReg, AttrRqst, SrvTypeRqst
    let asks = matches!(function, 1 | 3 | 4 | 6 | 9);
    let language = body.get(..usize::from(language)).unwrap_or_default();
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    asks && flags & 0x1f == 0
        && length(payload, 3) == Some(payload.len())
        && !language.is_empty()
        && language.iter().all(is_letter)
}

/// What a client or a relay asks (RFC 8415, 8 and 9): options up to the end, among them who the client is, by a DUID of
/// a type that is assigned, or what is relayed. Without a name a client may ask for information alone; that is not
/// seen.
fn is_dhcpv6(payload: &[u8]) -> bool {
    let (start, wanted) = match payload.first() {
        Some(&RELAY_FORW) => (34, RELAY_MESSAGE),
        _ => (4, CLIENT_IDENTIFIER),
    };
    let mut options = payload.get(start..).unwrap_or_default();
    let mut found = false;
    for _ in 0..MOST_OPTIONS {
        // No code above 255 is assigned yet.
        let Some((&[0, code @ 1..=255, _, _], rest)) = options.split_first_chunk() else {
            break;
        };
        let size = length(options, 2).unwrap_or_default();
        let Some((value, rest)) = rest.split_at_checked(size) else {
            return false;
        };
        // RFC 8415, 11.1
        let is_duid = matches!(value, [0, 1..=4, _, ..]);
        found |= code == wanted && (code == RELAY_MESSAGE || is_duid);
        options = rest;
    }
    found && options.is_empty()
}

/// A request that is answered (RFC 1157, 4; 3416, 3; 3412, 6), in BER whose lengths agree. Not traps, which nobody
/// answers.
fn is_snmp(payload: &[u8]) -> bool {
    snmp(payload).unwrap_or(false)
}

fn snmp(payload: &[u8]) -> Option<bool> {
    let (message, behind) = element(payload, SEQUENCE)?;
    let (version, rest) = element(message, INTEGER)?;
    let is_request = match *version {
        [0 | 1] => {
            let (_community, pdu) = element(rest, OCTET_STRING)?;
            // get, get-next, set, get-bulk, inform
            let &tag @ (0xa0 | 0xa1 | 0xa3 | 0xa5 | 0xa6) = pdu.first()? else {
                return None;
            };
            element(pdu, tag)?.1.is_empty()
        }
        [3] => {
            let (header, rest) = element(rest, SEQUENCE)?;
            let (_id, header) = element(header, INTEGER)?;
            let (_max_size, header) = element(header, INTEGER)?;
            let (flags, _security_model) = element(header, OCTET_STRING)?;
            let _security_parameters = element(rest, OCTET_STRING)?;
            // reportableFlag: an answer is wanted.
            matches!(flags, [flags] if flags & 4 != 0)
        }
        _ => false,
    };
    Some(is_request && behind.is_empty())
}

/// What an element with this tag holds, and what follows it (X.690, 8.1.3).
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&[found, first], rest) = bytes.split_first_chunk()?;
    let (size, octets) = match first {
        0..=0x7f => (usize::from(first), 0),
        0x81 => (usize::from(*rest.first()?), 1),
        0x82 => (length(rest, 0)?, 2),
        _ => return None,
    };
    if found != tag {
        return None;
    }
    rest.get(octets..)?.split_at_checked(size)
}

/// The flag TC: more known answers follow.
const TRUNCATED: u8 = 2;
/// RFC 2347: all of a request.
const LONGEST_REQUEST: usize = 512;
const RELAY_FORW: u8 = 12;
const CLIENT_IDENTIFIER: u8 = 1;
const RELAY_MESSAGE: u8 = 9;
const MOST_LABELS: usize = 127;
const MOST_OPTIONS: usize = 64;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
