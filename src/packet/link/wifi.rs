//! 802.11 (IEEE 802.11-2020, clause 9), bare or behind what a driver says of the radio.

use super::ethernet::{IPV4, IPV6};
use super::{
    IEEE802_11_AVS, IEEE802_11_PRISM, IEEE802_11_RADIOTAP, Next, NoIp, Step, array, length16, llc,
    number16, skip,
};

pub fn header(link: u16, frame: &[u8]) -> Step<'_> {
    let (frame, is_padded) = unwrap(link, frame)?;
    data(frame, is_padded)
}

/// The station that transmitted a data frame.
pub fn transmitter(link: u16, frame: &[u8]) -> Option<[u8; 6]> {
    let (frame, _) = unwrap(link, frame).ok()?;
    array(frame, 10).ok()
}

/// The frame itself, and whether its payload was moved to a multiple of four bytes.
fn unwrap(link: u16, frame: &[u8]) -> Result<(&[u8], bool), NoIp> {
    let (length, is_padded) = match link {
        IEEE802_11_RADIOTAP => {
            let length = length16(frame, 2)?;
            let flags = radiotap_flags(frame).unwrap_or(0);
            if flags & RADIOTAP_BAD_FCS != 0 {
                return Err(NoIp::Malformed);
            }
            (length, flags & RADIOTAP_DATA_PAD != 0)
        }
        // Some drivers write the one header where the capture promises the other.
        IEEE802_11_PRISM | IEEE802_11_AVS => match array(frame, 0)? {
            [0x80, 0x21, 0x10, _] => (usize::from(number16(frame, 6)?), false),
            [..] => (PRISM_LENGTH, false),
        },
        _ => (0, false),
    };
    Ok((skip(frame, length)?, is_padded))
}

/// <https://www.radiotap.org>: words that say which fields follow, in order, each aligned to its size from the start.
/// The flags are the second, behind a timestamp of eight bytes.
fn radiotap_flags(frame: &[u8]) -> Option<u8> {
    let header = frame.get(..length16(frame, 2).ok()?)?;
    let present = header.get(4)?;
    if present & RADIOTAP_FLAGS == 0 {
        return None;
    }
    let words = header.get(4..)?.chunks_exact(4);
    let more = words.take_while(|word| word[3] & RADIOTAP_MORE_WORDS != 0);
    let mut at = 4 + 4 * (more.count() + 1);
    if present & RADIOTAP_TIMESTAMP != 0 {
        at = at.next_multiple_of(8) + 8;
    }
    header.get(at).copied()
}

fn data(frame: &[u8], is_padded: bool) -> Step<'_> {
    let [kind, flags] = array(frame, 0)?;
    if kind & VERSION_AND_TYPE != DATA || kind & WITHOUT_DATA != 0 {
        return Err(NoIp::OtherProtocol);
    }
    if flags & PROTECTED != 0 {
        return Err(NoIp::Encrypted);
    }
    let [fragment] = array(frame, 22)?;
    if flags & MORE_FRAGMENTS != 0 || fragment & FRAGMENT_NUMBER != 0 {
        return Err(NoIp::Piece);
    }
    let mut length = match flags & BETWEEN_ACCESS_POINTS {
        BETWEEN_ACCESS_POINTS => 30,
        _ => 24,
    };
    let mut is_aggregate = false;
    if kind & QOS != 0 {
        let [control] = array(frame, length)?;
        is_aggregate = control & AGGREGATE != 0;
        length += 2;
        if flags & HT_CONTROL != 0 {
            length += 4;
        }
    }
    if is_padded {
        length = length.next_multiple_of(4);
    }
    let body = skip(frame, length)?;
    if is_aggregate {
        first_with_ip(body)
    } else {
        Ok((Next::Llc, body))
    }
}

/// An A-MSDU: each subframe has two addresses and a length, and ends at a multiple of four bytes. A frame is one packet
/// here: IP in the subframes behind the first that has any is not seen.
fn first_with_ip(mut rest: &[u8]) -> Step<'_> {
    while let Ok(length) = number16(rest, 12) {
        let length = usize::from(length);
        let body = skip(rest, 14)?;
        if matches!(
            llc::header(body),
            Ok((Next::EtherType(IPV4 | IPV6) | Next::Ip, _))
        ) {
            return Ok((Next::Llc, body));
        }
        let next = (14 + length).next_multiple_of(4);
        rest = rest.get(next..).unwrap_or_default();
    }
    Err(NoIp::OtherProtocol)
}

const PRISM_LENGTH: usize = 144;

/// In the first byte of the words that say what is present, and the last.
const RADIOTAP_TIMESTAMP: u8 = 0x01;
const RADIOTAP_FLAGS: u8 = 0x02;
const RADIOTAP_MORE_WORDS: u8 = 0x80;

/// In its flags.
const RADIOTAP_DATA_PAD: u8 = 0x20;
const RADIOTAP_BAD_FCS: u8 = 0x40;

/// In the first byte of frame control.
const VERSION_AND_TYPE: u8 = 0x0f;
const DATA: u8 = 0x08;
const WITHOUT_DATA: u8 = 0x40;
const QOS: u8 = 0x80;

/// In its second.
const BETWEEN_ACCESS_POINTS: u8 = 0x03;
const MORE_FRAGMENTS: u8 = 0x04;
const PROTECTED: u8 = 0x40;
const HT_CONTROL: u8 = 0x80;

/// In sequence control, and in QoS control.
const FRAGMENT_NUMBER: u8 = 0x0f;
const AGGREGATE: u8 = 0x80;
