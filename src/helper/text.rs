//! Numbers and addresses as the kernel reads them out of a payload.
//!
//! Each function returns where it stopped, so that a caller can say which bytes it took for what.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Numbers with where they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers<const N: usize> {
    /// As 32 bits hold them.
    pub values: [u32; N],
    /// The first digit of each.
    pub starts: [usize; N],
    /// Where the byte stands that ended the last one.
    pub end: usize,
}

/// `N` numbers with `separator` between them, ended by `terminator` or, if that is `None`, by any other byte, which
/// must be there (`try_number` in nf_conntrack_ftp.c).
///
/// A number may be empty or have any number of digits. It is at most `largest`; where that is `u32::MAX`, it wraps.
pub fn numbers<const N: usize>(
    text: &[u8],
    separator: u8,
    terminator: Option<u8>,
    largest: u32,
) -> Option<Numbers<N>> {
    let (mut values, mut starts) = ([0u32; N], [0; N]);
    let mut index = 0;
    for (at, &byte) in text.iter().enumerate() {
        if byte.is_ascii_digit() {
            values[index] = values[index]
                .wrapping_mul(10)
                .wrapping_add(u32::from(byte - b'0'));
            if values[index] > largest {
                return None;
            }
        } else if byte == separator {
            index += 1;
            *starts.get_mut(index)? = at + 1;
        } else {
            let ends = index == N - 1 && terminator.is_none_or(|terminator| terminator == byte);
            return ends.then_some(Numbers {
                values,
                starts,
                end: at,
            });
        }
    }
    None
}

/// Four numbers as the bits of an IPv4 address; one that does not fit its octet runs into the one before.
pub fn octets([a, b, c, d]: [u32; 4]) -> u32 {
    a << 24 | b << 16 | c << 8 | d
}

/// A decimal number as `simple_strtoul` reads it: no sign, no space, wrapping at 64 bits, zero for no digits.
/// Returns the number and how many bytes it took.
pub fn decimal(text: &[u8]) -> (u64, usize) {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let add = |number: u64, digit: &u8| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'))
    };
    (text[..digits].iter().fold(0, add), digits)
}

/// An IPv6 address up to `delimiter`, a NUL or the end of the text, and the length of its text. Without a delimiter any
/// byte ends it that no address has: neither a hexadecimal digit nor a colon nor a dot.
///
/// Laxer than RFC 4291, as `in6_pton` (net/core/utils.c) is: a group may have leading zeros beyond four digits, so
/// may the octets of an embedded IPv4 address, and a colon ends that one as well.
pub fn ipv6_until(text: &[u8], delimiter: Option<u8>) -> Option<(Ipv6Addr, usize)> {
    let byte = |at: usize| byte_of_address(text, at, delimiter);
    let mut groups: Vec<u16> = Vec::with_capacity(8);
    // "::" stands before the group with this index.
    let mut gap = None;
    let mut at = 0;
    if byte(0) == Some(b':') {
        if byte(1) != Some(b':') {
            return None;
        }
        gap = Some(0);
        at = 2;
    }
    loop {
        // What "::" stands for is at least one group.
        let room = 8 - groups.len() - usize::from(gap.is_some());
        if gap == Some(groups.len()) && byte(at).is_none() {
            break;
        }
        let start = at;
        let mut group = 0u16;
        while let Some(digit) = byte(at).and_then(|byte| char::from(byte).to_digit(16)) {
            if group > 0x0fff {
                return None;
            }
            group = group << 4 | digit as u16;
            at += 1;
        }
        if at == start || room == 0 {
            return None;
        }
        if byte(at) == Some(b'.') && (room == 2 || gap.is_some() && room > 2) {
            let (octets, end) = octets_until(text, start, delimiter)?;
            groups.extend([
                u16::from_be_bytes([octets[0], octets[1]]),
                u16::from_be_bytes([octets[2], octets[3]]),
            ]);
            at = end;
            break;
        }
        groups.push(group);
        match byte(at) {
            None if gap.is_some() || room == 1 => break,
            Some(b':') if room > 1 => at += 1,
            _ => return None,
        }
        if byte(at) == Some(b':') && gap.is_none() {
            gap = Some(groups.len());
            at += 1;
        }
    }
    let mut address = [0u16; 8];
    let split = gap.unwrap_or(groups.len());
    address[..split].copy_from_slice(&groups[..split]);
    address[8 - (groups.len() - split)..].copy_from_slice(&groups[split..]);
    Some((Ipv6Addr::from(address), at))
}

/// An IPv4 address, delimited in the same way; a colon ends it as well (`in4_pton`).
pub fn ipv4_until(text: &[u8], delimiter: Option<u8>) -> Option<(Ipv4Addr, usize)> {
    let (octets, length) = octets_until(text, 0, delimiter)?;
    Some((octets.into(), length))
}

/// The octets of an IPv4 address that begins at `start`, and where it ends.
fn octets_until(text: &[u8], start: usize, delimiter: Option<u8>) -> Option<([u8; 4], usize)> {
    let byte = |at: usize| byte_of_address(text, at, delimiter);
    let mut octets = [0u8; 4];
    let mut at = start;
    for (index, octet) in octets.iter_mut().enumerate() {
        let first = at;
        while let Some(digit) = byte(at).filter(u8::is_ascii_digit) {
            *octet = octet.checked_mul(10)?.checked_add(digit - b'0')?;
            at += 1;
        }
        let ends_well = if index < 3 {
            byte(at) == Some(b'.')
        } else {
            matches!(byte(at), None | Some(b':'))
        };
        if at == first || !ends_well {
            return None;
        }
        at += usize::from(index < 3);
    }
    Some((octets, at))
}

/// The byte there, unless the address ends before it.
fn byte_of_address(text: &[u8], at: usize, delimiter: Option<u8>) -> Option<u8> {
    text.get(at).copied().filter(|&byte| match delimiter {
        Some(delimiter) => byte != delimiter && byte != 0,
        None => byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'),
    })
}
