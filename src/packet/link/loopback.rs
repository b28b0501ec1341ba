//! Headers that hold little but what follows: an address family or an EtherType.

use super::{Next, NoIp, Step, array, number16, serial, skip};

/// A header of that length that begins with four bytes of address family, in the order of the host that captured.
pub fn family(frame: &[u8], length: usize) -> Step<'_> {
    match array::<4>(frame, 0)? {
        // What some record of Cisco's serial lines under this number.
        [0x0f | 0x8f, 0, ..] => serial::cisco(frame),
        [family, 0, 0, 0] | [0, 0, 0, family] => of(family, skip(frame, length)?),
        [..] => Err(NoIp::OtherProtocol),
    }
}

/// OpenBSD's packet filter and those that came from it: the header's length without padding to a word, then the family.
pub fn pflog(frame: &[u8]) -> Step<'_> {
    let [length, family] = array(frame, 0)?;
    of(
        family,
        skip(frame, usize::from(length).next_multiple_of(4))?,
    )
}

/// Solaris: version, family in its own numbers, and the rest of 24 bytes.
pub fn ipnet(frame: &[u8]) -> Step<'_> {
    match array(frame, 0)? {
        [_, 2 | 26] => Ok((Next::Ip, skip(frame, 24)?)),
        [..] => Err(NoIp::OtherProtocol),
    }
}

/// A header of that length with an EtherType at `at`.
pub fn ether_type(frame: &[u8], at: usize, length: usize) -> Step<'_> {
    Ok((Next::EtherType(number16(frame, at)?), skip(frame, length)?))
}

/// AF_INET, and AF_INET6 as NetBSD and OpenBSD, FreeBSD, and Darwin number it.
fn of(family: u8, rest: &[u8]) -> Step<'_> {
    match family {
        2 | 24 | 28 | 30 => Ok((Next::Ip, rest)),
        _ => Err(NoIp::OtherProtocol),
    }
}
