//! The overlays of data centres: VXLAN (RFC 7348), its generic protocol extension (draft-ietf-nvo3-vxlan-gpe-13), and
//! Geneve (RFC 8926).

use super::rest::Rest;
use super::{Form, Inside, Kind};

/// Around Ethernet, for which the I bit says that there is a VNI. A port is weak evidence: bits that nobody defined make
/// it something else, as they do for the kernel (`vxlan_rcv`). A group policy (draft-smith-vxlan-group-policy-05) is
/// defined.
pub fn vxlan(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (header, rest) = rest.take::<8>()?;
    let (&[INSTANCE, 0, 0, 0, vni @ .., 0] | &[GROUP_AND_INSTANCE, _, _, _, vni @ .., 0]) = header
    else {
        return None;
    };
    Some(Inside {
        kind: Kind::Vxlan,
        id: Some(number(vni)),
        form: Form::Ethernet,
        rest,
    })
}

/// Around what the header names, in version 0 and not for OAM (`vxlan_parse_gpe_proto`).
pub fn vxlan_gpe(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[NEXT_AND_INSTANCE, 0, 0, next, vni @ .., 0], rest) = rest.take::<8>()? else {
        return None;
    };
    let form = match next {
        1 => Form::Ipv4,
        2 => Form::Ipv6,
        3 => Form::Ethernet,
        _ => return None,
    };
    Some(Inside {
        kind: Kind::Vxlan,
        id: Some(number(vni)),
        form,
        rest,
    })
}

/// Control messages (the O bit) are for the tunnel's end.
pub fn geneve(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[first, control, high, low, vni @ .., _], rest) = rest.take::<8>()?;
    let (version, options) = (first >> 6, usize::from(first & 0x3f) * 4);
    if version != 0 || control & GENEVE_CONTROL != 0 {
        return None;
    }
    Some(Inside {
        kind: Kind::Geneve,
        id: Some(number(vni)),
        form: Form::of(u16::from_be_bytes([high, low]))?,
        rest: rest.skip(options)?,
    })
}

fn number([high, middle, low]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, high, middle, low])
}

const INSTANCE: u8 = 0x08;
const GROUP_AND_INSTANCE: u8 = 0x88;
const NEXT_AND_INSTANCE: u8 = 0x0c;
const GENEVE_CONTROL: u8 = 0x80;
