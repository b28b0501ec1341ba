//! 802.2 LLC, SNAP and NLPID, and the links that begin with LLC.

use super::{Next, NoIp, Step, array, number16, serial, skip};

/// Unnumbered information from and to the service access points that carry IP.
pub fn header(frame: &[u8]) -> Step<'_> {
    match array(frame, 0)? {
        [0xaa, 0xaa, UNNUMBERED] => snap(skip(frame, 3)?),
        [0xfe, 0xfe, UNNUMBERED] => nlpid(skip(frame, 3)?),
        [0x06, 0x06, UNNUMBERED] => Ok((Next::Ip, skip(frame, 3)?)),
        [..] => Err(NoIp::OtherProtocol),
    }
}

/// An organisation and a protocol of its own (802, 10.3). That of RFC 1042 and of 802.1H has EtherTypes, that of 802.1
/// bridged frames (RFC 2427, 4.2).
fn snap(rest: &[u8]) -> Step<'_> {
    let protocol = number16(rest, 3)?;
    let next = match (array(rest, 0)?, protocol) {
        ([0, 0, 0] | [0, 0, 0xf8], kind) => Next::EtherType(kind),
        ([0, 0x80, 0xc2], 1 | 7) => Next::Ethernet,
        _ => return Err(NoIp::OtherProtocol),
    };
    Ok((next, skip(rest, 5)?))
}

/// ISO/IEC TR 9577, as RFC 2427 and RFC 1973 use it.
pub fn nlpid(rest: &[u8]) -> Step<'_> {
    let (&protocol, rest) = rest.split_first().ok_or(NoIp::Malformed)?;
    match protocol {
        0xcc | 0x8e => Ok((Next::Ip, rest)),
        0x80 => snap(rest),
        0xcf => serial::ppp(rest),
        // FRF.9 and FRF.12.
        0xb0 => Err(NoIp::Compressed),
        0xb1 => Err(NoIp::Piece),
        _ => Err(NoIp::OtherProtocol),
    }
}

/// Frame control and two addresses; LLC where the control's format is that.
pub fn fddi(frame: &[u8]) -> Step<'_> {
    match frame.first().ok_or(NoIp::Malformed)? & 0x30 {
        0x10 => header(skip(frame, 13)?),
        _ => Err(NoIp::OtherProtocol),
    }
}

/// RFC 2684, 5.2: two bytes pad a bridged Ethernet frame.
pub fn atm(frame: &[u8]) -> Step<'_> {
    match frame {
        [
            0xaa,
            0xaa,
            UNNUMBERED,
            0,
            0x80,
            0xc2,
            0,
            1 | 7,
            _,
            _,
            bridged @ ..,
        ] => Ok((Next::Ethernet, bridged)),
        _ => header(frame),
    }
}

/// The control field of unnumbered information.
pub const UNNUMBERED: u8 = 0x03;
