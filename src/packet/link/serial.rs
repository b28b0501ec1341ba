//! Serial lines: PPP in its framings, Cisco HDLC, Frame Relay.

use super::llc::{self, UNNUMBERED};
use super::{Next, NoIp, Step, array, ethernet, number16, skip};

/// RFC 1661 and 1662. Address and control may be left out, and so may be the first byte of the protocol, which is zero
/// where the next is odd (RFC 1661, 6.5 and 6.6).
pub fn ppp(frame: &[u8]) -> Step<'_> {
    let frame = frame
        .strip_prefix(&[ALL_STATIONS, UNNUMBERED])
        .unwrap_or(frame);
    let (protocol, rest) = match *frame {
        [protocol, ref rest @ ..] if protocol & 1 == 1 => (u16::from(protocol), rest),
        _ => (number16(frame, 0)?, skip(frame, 2)?),
    };
    match protocol {
        0x0021 | 0x0057 => Ok((Next::Ip, rest)),
        0x0281 | 0x0283 => ethernet::mpls(rest),
        // RFC 1990. One that is first and last at once is whole; how long its header is, was negotiated.
        0x003d => Err(NoIp::Piece),
        // RFC 1968.
        0x0053 | 0x0055 => Err(NoIp::Encrypted),
        // ROHC, Van Jacobson's, RFC 2507's, and RFC 1962, which MPPE encrypts by.
        0x0003 | 0x0005 | 0x002d | 0x002f | 0x00fb | 0x00fd => Err(NoIp::Compressed),
        0x0061 | 0x0063 | 0x0065 | 0x0067 | 0x0069 => Err(NoIp::Compressed),
        0x2063 | 0x2067 | 0x2069 => Err(NoIp::Compressed),
        _ => Err(NoIp::OtherProtocol),
    }
}

/// In HDLC framing, where a Cisco address tells Cisco's protocol from PPP.
pub fn ppp_or_cisco(frame: &[u8]) -> Step<'_> {
    match frame {
        [0x0f | 0x8f, ..] => cisco(frame),
        _ => ppp(frame),
    }
}

/// As pppd records it: the direction stands in the place of the address.
pub fn pppd(frame: &[u8]) -> Step<'_> {
    match frame {
        [_, UNNUMBERED, rest @ ..] => ppp(rest),
        _ => ppp(skip(frame, 1)?),
    }
}

/// RFC 2516, 4: version and type 1, code 0 for a session, its number, a length.
pub fn pppoe(rest: &[u8]) -> Step<'_> {
    match array(rest, 0)? {
        [0x11, 0] => Ok((Next::Ppp, skip(rest, 6)?)),
        [0x11, _] => Err(NoIp::OtherProtocol),
        [..] => Err(NoIp::Malformed),
    }
}

/// Address, a byte of zero, an EtherType.
pub fn cisco(frame: &[u8]) -> Step<'_> {
    Ok((Next::EtherType(number16(frame, 2)?), skip(frame, 4)?))
}

/// Q.922, 3.2: an address of two to four bytes, of which the last is odd; then RFC 2427, 3, with its pad, or
/// Cisco's EtherType.
pub fn frame_relay(frame: &[u8]) -> Step<'_> {
    let last = frame.iter().take(4).position(|byte| byte & 1 == 1);
    let last = last.filter(|&at| at > 0).ok_or(NoIp::Malformed)?;
    match skip(frame, last + 1)? {
        [UNNUMBERED, 0, rest @ ..] | [UNNUMBERED, rest @ ..] => llc::nlpid(rest),
        rest => Ok((Next::EtherType(number16(rest, 0)?), skip(rest, 2)?)),
    }
}

const ALL_STATIONS: u8 = 0xff;
