//! GTP-U, by which a mobile network carries its users' packets (3GPP TS 29.281, 5.1 and 5.2).

use super::rest::Rest;
use super::{Form, Inside, Kind};

/// A G-PDU of version 1: every other message is between the tunnel's ends. GTP' (PT 0) charges, and carries nothing.
pub fn read(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[flags, message, high, low, teid @ ..], rest) = rest.take::<8>()?;
    if flags & VERSION_AND_TYPE != VERSION_1_GTP || message != G_PDU {
        return None;
    }
    let mut rest = rest.limit(usize::from(u16::from_be_bytes([high, low])))?;
    if flags & (EXTENDED | SEQUENCE | N_PDU) != 0 {
        let (&[_, _, _, next], behind) = rest.take()?;
        rest = match flags & EXTENDED {
            0 => behind,
            _ => skip_extensions(next, behind)?,
        };
    }
    Some(Inside {
        kind: Kind::Gtpu,
        id: Some(u32::from_be_bytes(teid)),
        form: Form::Ip,
        rest,
    })
}

/// Each begins with its length in units of 4 bytes, and ends with the type of the next, of which 0 is none.
fn skip_extensions(mut next: u8, mut rest: Rest<'_>) -> Option<Rest<'_>> {
    while next != 0 {
        let length = usize::from(*rest.captured.first()?) * 4;
        next = *rest.captured.get(length.checked_sub(1)?)?;
        rest = rest.skip(length)?;
    }
    Some(rest)
}

const VERSION_AND_TYPE: u8 = 0xf0;
const VERSION_1_GTP: u8 = 0x30;
const EXTENDED: u8 = 0x04;
const SEQUENCE: u8 = 0x02;
const N_PDU: u8 = 0x01;
const G_PDU: u8 = 255;
