//! GRE (RFC 2784 and 2890), and ERSPAN, which mirrors frames in it (draft-foschiano-erspan-03).

use super::rest::Rest;
use super::{Form, Inside, Kind};

/// Version 0 without source routes, as the kernel's own tunnels take it (`gre_parse_header`). Version 1 is PPTP's.
pub fn read(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[flags, version, high, low], mut rest) = rest.take()?;
    if flags & ROUTING != 0 || version & VERSION != 0 {
        return None;
    }
    if flags & CHECKSUM != 0 {
        rest = rest.skip(4)?;
    }
    let mut id = None;
    if flags & KEY != 0 {
        let (key, behind) = rest.take()?;
        (id, rest) = (Some(u32::from_be_bytes(*key)), behind);
    }
    let is_numbered = flags & SEQUENCE != 0;
    if is_numbered {
        rest = rest.skip(4)?;
    }
    match u16::from_be_bytes([high, low]) {
        // Type I has no header of its own.
        ERSPAN if !is_numbered => Some(Inside::bare(Kind::Erspan, Form::Ethernet, rest)),
        ERSPAN => type_ii(rest),
        ERSPAN_TYPE_III => type_iii(rest),
        ether_type => Some(Inside {
            kind: Kind::Gre,
            id,
            form: Form::of(ether_type)?,
            rest,
        }),
    }
}

fn type_ii(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[version, _, high, low, ..], rest) = rest.take::<8>()?;
    (version >> 4 == 1).then_some(Inside {
        kind: Kind::Erspan,
        id: Some(session(high, low)),
        form: Form::Ethernet,
        rest,
    })
}

/// With a timestamp, and where the O bit is set another 8 bytes that the platform alone can read.
fn type_iii(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (header, mut rest) = rest.take::<12>()?;
    let &[version, _, high, low, .., frame_type, options] = header;
    if version >> 4 != 2 {
        return None;
    }
    let form = match frame_type >> 2 & 0x1f {
        0 => Form::Ethernet,
        2 => Form::Ip,
        _ => return None,
    };
    if options & 1 != 0 {
        rest = rest.skip(8)?;
    }
    Some(Inside {
        kind: Kind::Erspan,
        id: Some(session(high, low)),
        form,
        rest,
    })
}

fn session(high: u8, low: u8) -> u32 {
    u32::from(u16::from_be_bytes([high, low]) & 0x3ff)
}

const CHECKSUM: u8 = 0x80;
const ROUTING: u8 = 0x40;
const KEY: u8 = 0x20;
const SEQUENCE: u8 = 0x10;
/// Of the second byte.
const VERSION: u8 = 0x07;

/// EtherTypes that GRE alone carries.
const ERSPAN: u16 = 0x88be;
const ERSPAN_TYPE_III: u16 = 0x22eb;
