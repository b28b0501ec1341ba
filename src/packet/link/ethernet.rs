//! Ethernet, and what may stand between it and IP: tags, labels, LLC.

use super::{Next, NoIp, Step, number16, serial, skip};

/// Two addresses, then a length or an EtherType.
pub fn header(frame: &[u8]) -> Step<'_> {
    tag(frame, 12)
}

/// What stands behind an EtherType.
pub fn behind(kind: u16, rest: &[u8]) -> Step<'_> {
    match kind {
        IPV4 | IPV6 => Ok((Next::Ip, rest)),
        VLAN | PROVIDER_BRIDGING | 0x9100 | 0x9200 | 0x9300 => tag(rest, 2),
        VN_TAG => tag(rest, 4),
        FABRIC_PATH => Ok((Next::Ethernet, skip(rest, 2)?)),
        MPLS_UNICAST | MPLS_MULTICAST => mpls(rest),
        PPPOE_SESSION => serial::pppoe(rest),
        MACSEC => macsec(rest),
        _ => Err(NoIp::OtherProtocol),
    }
}

/// A header of that length, and a length or an EtherType at its end: below 0x600 it is a length (802.3, 3.2.6), also
/// in a tag.
pub fn tag(bytes: &[u8], length: usize) -> Step<'_> {
    let next = match number16(bytes, length)? {
        0..0x600 => Next::Llc,
        kind => Next::EtherType(kind),
    };
    Ok((next, skip(bytes, length + 2)?))
}

/// RFC 3032: labels to the bottom of the stack. What is behind them they do not say; routers that have to know look at
/// the first four bits, as does this (RFC 4928).
pub fn mpls(mut rest: &[u8]) -> Step<'_> {
    loop {
        let (label, behind) = rest.split_first_chunk::<4>().ok_or(NoIp::Malformed)?;
        rest = behind;
        if label[2] & BOTTOM_OF_STACK != 0 {
            break;
        }
    }
    match rest.first().ok_or(NoIp::Malformed)? >> 4 {
        4 | 6 => Ok((Next::Ip, rest)),
        0 => pseudowire(rest),
        _ => Err(NoIp::OtherProtocol),
    }
}

/// RFC 4448, 4.6: a control word of which only the sequence number may be set, then Ethernet. An address that begins
/// with zeros looks the same, so the EtherType has to be of IP or a tag's, and IP's version fit. A pseudowire without
/// control word cannot be told from other payloads.
fn pseudowire(rest: &[u8]) -> Step<'_> {
    let [0, 0, _, _, frame @ ..] = rest else {
        return Err(NoIp::OtherProtocol);
    };
    let version = frame.get(14).map(|first| first >> 4);
    match (number16(frame, 12)?, version) {
        (IPV4, Some(4)) | (IPV6, Some(6)) => Ok((Next::Ethernet, frame)),
        (VLAN | PROVIDER_BRIDGING, Some(_)) => Ok((Next::Ethernet, frame)),
        _ => Err(NoIp::OtherProtocol),
    }
}

/// 802.1AE, 9.3: the SecTAG names the channel or not. With C the payload is not as it was, encrypted or not.
fn macsec(rest: &[u8]) -> Step<'_> {
    let control = rest.first().ok_or(NoIp::Malformed)?;
    if control & MACSEC_VERSION != 0 {
        return Err(NoIp::Malformed);
    }
    if control & (MACSEC_ENCRYPTED | MACSEC_CHANGED) != 0 {
        return Err(NoIp::Encrypted);
    }
    match control & MACSEC_CHANNEL {
        0 => tag(rest, 6),
        _ => tag(rest, 14),
    }
}

pub const IPV4: u16 = 0x0800;
pub const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const PROVIDER_BRIDGING: u16 = 0x88a8;
const MPLS_UNICAST: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const PPPOE_SESSION: u16 = 0x8864;
const MACSEC: u16 = 0x88e5;

/// Of Cisco's switches.
const VN_TAG: u16 = 0x8926;
const FABRIC_PATH: u16 = 0x8903;

/// In the third byte of a label.
const BOTTOM_OF_STACK: u8 = 0x01;

/// In the first byte of a SecTAG.
const MACSEC_VERSION: u8 = 0x80;
const MACSEC_CHANNEL: u8 = 0x20;
const MACSEC_ENCRYPTED: u8 = 0x08;
const MACSEC_CHANGED: u8 = 0x04;
