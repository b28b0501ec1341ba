//! RAS, written by the grammar of H.225.0.

use super::parts::{
    PROTOCOL, address, alias, endpoint_type, flag, h221, identifier, non_standard, vendor,
};
use crate::traffic::flow::{Rng, one_in, pick};
use crate::traffic::packet::End;
use crate::traffic::per::{Per, per};

/// A message of RAS.
#[derive(Clone, Debug)]
pub enum Ras {
    GatekeeperConfirm(End),
    RegistrationRequest {
        calls: Vec<End>,
        ras: Vec<End>,
        ttl: Option<u32>,
    },
    RegistrationConfirm {
        calls: Vec<End>,
        ttl: Option<u32>,
    },
    UnregistrationRequest(Vec<End>),
    AdmissionConfirm(End),
    LocationConfirm {
        call: End,
        ras: End,
    },
    /// The rest: this one's number, and anything.
    Other(u32),
}

pub fn ras(rng: &mut Rng, message: &Ras) -> Vec<u8> {
    let non_standard_too = one_in(rng, 10);
    let named = one_in(rng, 3);
    let number = rng.u16(..);
    let addresses = |per: &mut Per, rng: &mut Rng, ends: &[End]| {
        per.length(ends.len());
        for &end in ends {
            address(per, rng, end);
        }
    };
    let per = per(|per| match message {
        Ras::GatekeeperConfirm(ras) => {
            let extended = one_in(rng, 4);
            per.choice(1, 5)
                .bit(extended)
                .bit(non_standard_too)
                .bit(named)
                .word(number);
            per.counted(&PROTOCOL);
            if non_standard_too {
                non_standard(per, rng);
            }
            if named {
                identifier(per, "gk");
            }
            address(per, rng, *ras);
            if extended {
                per.extensions(&[None, None, Some(h221(rng, false))]);
            }
        }
        Ras::RegistrationRequest { calls, ras, ttl } => {
            let extended = ttl.is_some() || one_in(rng, 4);
            let alias_too = rng.bool();
            per.choice(3, 5)
                .bit(extended)
                .bit(non_standard_too)
                .bit(alias_too)
                .bit(named);
            per.word(number).counted(&PROTOCOL);
            if non_standard_too {
                non_standard(per, rng);
            }
            per.bit(true);
            addresses(per, rng, calls);
            addresses(per, rng, ras);
            endpoint_type(per, rng);
            if alias_too {
                per.length(1);
                alias(per, rng);
            }
            if named {
                identifier(per, "gk");
            }
            vendor(per, rng);
            if extended {
                registration_extensions(per, rng, *ttl);
            }
        }
        Ras::RegistrationConfirm { calls, ttl } => {
            let extended = ttl.is_some() || one_in(rng, 4);
            let alias_too = rng.bool();
            per.choice(4, 5)
                .bit(extended)
                .bit(non_standard_too)
                .bit(alias_too)
                .bit(named);
            per.word(number).counted(&PROTOCOL);
            if non_standard_too {
                non_standard(per, rng);
            }
            addresses(per, rng, calls);
            if alias_too {
                per.length(1);
                alias(per, rng);
            }
            if named {
                identifier(per, "gk");
            }
            identifier(per, "endpoint 7");
            if extended {
                registration_extensions(per, rng, *ttl);
            }
        }
        Ras::UnregistrationRequest(calls) => {
            per.choice(6, 5).bits(0, 4).word(number);
            addresses(per, rng, calls);
        }
        Ras::AdmissionConfirm(call) => {
            let frequency = one_in(rng, 5);
            per.choice(10, 5)
                .bit(false)
                .bit(frequency)
                .bit(false)
                .word(number);
            per.number(pick(rng, &[1280, 5, 100_000])).choice(0, 1);
            address(per, rng, *call);
            if frequency {
                per.word(30);
            }
        }
        Ras::LocationConfirm { call, ras } => {
            per.choice(19, 5).bits(0, 2).word(number);
            address(per, rng, *call);
            address(per, rng, *ras);
        }
        Ras::Other(index) => {
            per.choice(*index, 5).bits(0, 3).word(number);
        }
    });
    per.finish()
}

fn registration_extensions(per: &mut Per, rng: &mut Rng, ttl: Option<u32>) {
    let ttl = ttl.map(|ttl| {
        self::per(|per| {
            per.number(ttl - 1);
        })
    });
    let mut extensions = vec![None, ttl];
    // The kernel wants as many octets behind the time as it has itself, so it must not come last.
    if !one_in(rng, 8) {
        extensions.extend([None, None, None, Some(flag()), None, Some(flag())]);
    }
    per.extensions(&extensions);
}
