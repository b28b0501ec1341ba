//! What messages of H.323 are made of, with what is optional left to chance.

use std::net::IpAddr;

use crate::traffic::flow::{Rng, one_in, pick};
use crate::traffic::packet::End;
use crate::traffic::per::{Per, per};

/// `ProtocolIdentifier`: version 4.
pub const PROTOCOL: [u8; 6] = [0, 8, 0x91, 0x4a, 0, 4];

pub fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

pub fn h221(rng: &mut Rng, extensible: bool) -> Per {
    per(|per| {
        if extensible {
            per.bit(false);
        }
        per.octets(&[181]).octets(&[0]).word(rng.u16(..));
    })
}

pub fn non_standard(per: &mut Per, rng: &mut Rng) {
    let data = vec![rng.u8(..); pick(rng, &[0, 1, 5, 127, 130])];
    if one_in(rng, 2) {
        per.choice(0, 1).counted(&[0x2b, 0x0c, 0x02]);
    } else {
        per.choice(1, 1).bit(false);
        per.octets(&[181]).octets(&[0]).word(rng.u16(..));
    }
    per.counted(&data);
}

/// `TransportAddress` of H.225.0; now and then of a kind that is no IP address.
pub fn address(per: &mut Per, rng: &mut Rng, end: End) {
    let octets = octets(end.address);
    match rng.u8(..40) {
        0 => {
            per.choice(1, 3)
                .bit(false)
                .octets(&[192, 0, 2, 1])
                .word(1720);
            per.length(2)
                .octets(&[192, 0, 2, 2])
                .octets(&[192, 0, 2, 3]);
            per.choice(0, 1);
        }
        1 => {
            per.choice(2, 3)
                .octets(&[1; 6])
                .octets(&[2; 4])
                .octets(&[3; 2]);
        }
        2 => {
            per.choice(4, 3).octets(b"a NetBIOS name..");
        }
        3 => {
            let length = rng.u32(1..=20);
            per.choice(5, 3).bits(length - 1, 5);
            per.octets(&vec![0x47; length as usize]);
        }
        4 => {
            per.choice(6, 3);
            non_standard(per, rng);
        }
        5 => {
            per.extension(rng.u32(..3), &h221(rng, true));
        }
        _ if end.address.is_ipv4() => {
            per.choice(0, 3).octets(&octets).word(end.port);
        }
        6 => {
            per.choice(3, 3).bit(true).octets(&octets).word(end.port);
            per.extensions(&[Some(h221(rng, false))]);
        }
        _ => {
            per.choice(3, 3).bit(false).octets(&octets).word(end.port);
        }
    }
}

pub fn alias(per: &mut Per, rng: &mut Rng) {
    match rng.u8(..4) {
        0 => {
            let digits = rng.u32(1..=9);
            per.choice(0, 1).bits(digits - 1, 7);
            per.octets(&[]);
            for digit in 0..digits {
                per.bits(digit + 2, 4);
            }
        }
        1 => {
            per.extension(0, &url());
        }
        _ => {
            let name = pick(rng, &["a", "bob", "gatekeeper"]);
            per.choice(1, 1)
                .octets(&[name.len() as u8 - 1])
                .octets(&bmp(name));
        }
    }
}

/// A URL, one of the extensions.
fn url() -> Per {
    per(|per| {
        per.word(3).octets(b"h@x.");
    })
}

fn bmp(name: &str) -> Vec<u8> {
    name.bytes().flat_map(|byte| [0, byte]).collect()
}

/// `GatekeeperIdentifier`, `EndpointIdentifier`
pub fn identifier(per: &mut Per, name: &str) {
    per.bits(name.len() as u32 - 1, 7).octets(&bmp(name));
}

pub fn vendor(per: &mut Per, rng: &mut Rng) {
    let product = rng.bool();
    per.bit(false).bit(product).bit(false);
    per.bit(false).octets(&[181]).octets(&[0]).word(21324);
    if product {
        per.octets(&[4]).octets(b"phone");
    }
}

pub fn endpoint_type(per: &mut Per, rng: &mut Rng) {
    let extended = one_in(rng, 6);
    let has: [bool; 6] = std::array::from_fn(|_| one_in(rng, 4));
    per.bit(extended);
    for has in has {
        per.bit(has);
    }
    if has[0] {
        non_standard(per, rng);
    }
    if has[1] {
        vendor(per, rng);
    }
    if has[2] {
        per.bits(0, 2);
    }
    if has[3] {
        per.bit(false).bit(true).bit(false).length(1);
        // H.323 capabilities without anything in them.
        per.choice(5, 4).bits(0, 2);
    }
    if has[4] {
        per.bits(0, 2);
    }
    if has[5] {
        per.bits(0, 2);
    }
    per.bits(0, 2);
    if extended {
        per.extensions(&[Some(set())]);
    }
}

/// What kinds of simple endpoint it stands for.
fn set() -> Per {
    per(|per| {
        per.octets(&[0, 0, 0, 1]);
    })
}

/// A component that is a BOOLEAN.
pub fn flag() -> Per {
    per(|per| {
        per.bit(true);
    })
}

pub fn clear_token(per: &mut Per, rng: &mut Rng) {
    let has: [bool; 8] = std::array::from_fn(|_| one_in(rng, 3));
    per.bit(false);
    for has in has {
        per.bit(has);
    }
    per.counted(&[0, 8]);
    if has[0] {
        per.number(rng.u32(..));
    }
    if has[1] {
        identifier(per, "secret");
    }
    if has[2] {
        per.bit(false);
        for bits in [16, 9, 3] {
            per.word(bits).octets(&vec![0; usize::from(bits / 8)]);
            per.bits(0, u32::from(bits % 8));
        }
    }
    if has[3] {
        per.bits(1, 7).octets(&[1; 9]);
    }
    if has[4] {
        per.counted(&[1, 2, 3]);
    }
    if has[5] {
        per.bit(false).counted(&[0, 8]).counted(&[1; 200]);
    }
    if has[6] {
        identifier(per, "general");
    }
    if has[7] {
        per.counted(&[0, 8]).counted(b"x");
    }
}

pub fn crypto_token(per: &mut Per, rng: &mut Rng) {
    let parameters = |per: &mut Per| {
        per.bits(1, 3).octets(&[2; 8]);
    };
    let hash = |per: &mut Per| {
        per.counted(&[0, 8]);
        parameters(per);
        per.length(96).octets(&[3; 12]);
    };
    match rng.u8(..4) {
        0 => {
            per.choice(0, 3);
            alias(per, rng);
            per.number(rng.u32(..));
            hash(per);
        }
        1 => {
            per.choice(4, 3).counted(b"anything").counted(&[0, 8]);
            parameters(per);
            per.length(12).octets(&[3]).bits(5, 4);
        }
        2 => {
            per.choice(7, 3).choice(2, 2).counted(&[0, 8]);
            clear_token(per, rng);
            hash(per);
        }
        _ => {
            per.choice(2, 3).counted(&[0, 8]);
            parameters(per);
            per.counted(&[4; 20]);
        }
    }
}
