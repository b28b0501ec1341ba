//! The overlays of data centres: VXLAN (RFC 7348), its generic protocol extension (draft-ietf-nvo3-vxlan-gpe-13), and
//! Geneve (RFC 8926).

use super::rest::Rest;
use super::{Form, Inside, Kind};

/// Around Ethernet. A port is weak evidence: bits that nobody defined make it something else, as they do for the kernel
/// (`vxlan_rcv`). Those of a group policy (draft-smith-vxlan-group-policy) are defined.
pub fn vxlan(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[flags, policy @ .., vni_0, vni_1, vni_2, reserved], rest) = rest.take::<8>()?;
    let is_clean = match flags {
        INSTANCE => policy == [0; 3],
        GROUP_AND_INSTANCE => true,
        _ => false,
    };
    (is_clean && reserved == 0).then_some(Inside {
        kind: Kind::Vxlan,
        id: Some(number([vni_0, vni_1, vni_2])),
        form: Form::Ethernet,
        rest,
    })
}

/// Around what the P bit says that the header says, if it is not OAM.
pub fn vxlan_gpe(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[flags, _, _, next, vni_0, vni_1, vni_2, _], rest) = rest.take::<8>()?;
    if flags & (GPE_VERSION | GPE_OAM) != 0 {
        return None;
    }
    let form = match next {
        _ if flags & GPE_NEXT == 0 => Form::Ethernet,
        1 => Form::Ipv4,
        2 => Form::Ipv6,
        3 => Form::Ethernet,
        _ => return None,
    };
    Some(Inside {
        kind: Kind::Vxlan,
        id: (flags & INSTANCE != 0).then_some(number([vni_0, vni_1, vni_2])),
        form,
        rest,
    })
}

/// Control messages (the O bit) are for the tunnel's end.
pub fn geneve(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[first, control, high, low, vni_0, vni_1, vni_2, _], rest) = rest.take::<8>()?;
    let (version, options) = (first >> 6, usize::from(first & 0x3f) * 4);
    if version != 0 || control & GENEVE_CONTROL != 0 {
        return None;
    }
    Some(Inside {
        kind: Kind::Geneve,
        id: Some(number([vni_0, vni_1, vni_2])),
        form: Form::of(u16::from_be_bytes([high, low]))?,
        rest: rest.skip(options)?,
    })
}

fn number([high, middle, low]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, high, middle, low])
}

const INSTANCE: u8 = 0x08;
const GROUP_AND_INSTANCE: u8 = 0x88;
const GPE_VERSION: u8 = 0x30;
const GPE_NEXT: u8 = 0x04;
const GPE_OAM: u8 = 0x01;
const GENEVE_CONTROL: u8 = 0x80;
