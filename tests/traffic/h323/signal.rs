//! Call signalling of H.225.0, written by its grammar.

use super::parts::{
    PROTOCOL, address, alias, clear_token, crypto_token, endpoint_type, flag, h221, non_standard,
};
use crate::traffic::flow::{Rng, one_in, pick};
use crate::traffic::packet::End;
use crate::traffic::per::{Per, per};

/// The body of a Q.931 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Setup,
    CallProceeding,
    Connect,
    Alerting,
    Information,
    ReleaseComplete,
    Facility,
    Progress,
    Other,
}

/// What a Q.931 message says.
#[derive(Clone, Debug, Default)]
pub struct Signal {
    pub h245: Option<End>,
    pub fast_start: Option<Vec<Per>>,
    /// Of a facility: why.
    pub reason: u32,
    pub alternative: Option<End>,
    pub tunnelled: Option<Vec<Vec<u8>>>,
}

/// A PDU of H.323, as it stands in the user-user element.
pub fn user_information(rng: &mut Rng, body: Body, signal: &Signal) -> Vec<u8> {
    let pdu = per(|per| {
        let non_standard_too = one_in(rng, 10);
        let extended = signal.tunnelled.is_some() || rng.bool();
        per.bits(0, 2);
        per.bit(extended).bit(non_standard_too);
        match body {
            Body::Other => per.extension(1 + rng.u32(..7), &Per::default()),
            Body::Progress => per.extension(0, &progress(rng, signal)),
            Body::Setup => per.choice(0, 3).add(|per| setup(per, rng, signal)),
            Body::CallProceeding => per.choice(1, 3).add(|per| alerting(per, rng, signal)),
            Body::Connect => per.choice(2, 3).add(|per| connect(per, rng, signal)),
            Body::Alerting => per.choice(3, 3).add(|per| alerting(per, rng, signal)),
            Body::Information => per.choice(4, 3).add(|per| information(per, rng, signal)),
            Body::ReleaseComplete => per.choice(5, 3).add(|per| release_complete(per, rng)),
            Body::Facility => per.choice(6, 3).add(|per| facility(per, rng, signal)),
        };
        if non_standard_too {
            non_standard(per, rng);
        }
        if extended {
            let tunnelled = signal.tunnelled.as_deref().map(tunnelled);
            let mut extensions = vec![None, Some(flag()), tunnelled];
            if one_in(rng, 8) {
                extensions.extend([None, Some(h221(rng, false))]);
            }
            per.extensions(&extensions);
        }
    });
    pdu.finish()
}

fn setup(per: &mut Per, rng: &mut Rng, signal: &Signal) {
    let mut extensions = vec![None, None, call_identifier(), None, None, None];
    extensions.extend([fast_start(signal), Some(flag()), Some(flag())]);
    let source = End {
        address: [192, 0, 2, 9].into(),
        port: 1720,
    };
    if one_in(rng, 4) {
        extensions[0] = Some(self::per(|per| address(per, rng, source)));
    }
    match rng.u8(..8) {
        0 => extensions.push(None),
        1 => extensions.resize(pick(rng, &[24, 25, 26, 27, 30, 32, 33]), None),
        _ => {}
    }
    let has: [bool; 6] = std::array::from_fn(|_| one_in(rng, 5));
    let [
        aliases,
        callees,
        callee_address,
        extra,
        references,
        services,
    ] = has;
    per.bit(true).bit(signal.h245.is_some());
    for has in has {
        per.bit(has);
    }
    per.counted(&PROTOCOL);
    h245(per, rng, signal);
    if aliases {
        per.length(1);
        alias(per, rng);
    }
    endpoint_type(per, rng);
    if callees {
        per.length(2);
        alias(per, rng);
        alias(per, rng);
    }
    if callee_address {
        address(per, rng, source);
    }
    if extra {
        per.length(1);
        alias(per, rng);
    }
    if references {
        per.length(2).word(1).word(2);
    }
    per.bit(false).octets(&[6; 16]).choice(rng.u32(..3), 2);
    if services {
        per.bits(0, 8).bits(0, 3);
    }
    per.choice(0, 2);
    extend(per, rng, extensions);
}

fn connect(per: &mut Per, rng: &mut Rng, signal: &Signal) {
    let extensions = vec![call_identifier(), None, None, None, fast_start(signal)];
    per.bit(true).bit(signal.h245.is_some()).counted(&PROTOCOL);
    h245(per, rng, signal);
    endpoint_type(per, rng);
    per.octets(&[6; 16]);
    extend(per, rng, extensions);
}

/// Alike: what a call proceeding says, and what an alerting one does.
fn alerting(per: &mut Per, rng: &mut Rng, signal: &Signal) {
    let extensions = vec![call_identifier(), None, None, None, fast_start(signal)];
    per.bit(true).bit(signal.h245.is_some()).counted(&PROTOCOL);
    endpoint_type(per, rng);
    h245(per, rng, signal);
    extend(per, rng, extensions);
}

fn information(per: &mut Per, rng: &mut Rng, signal: &Signal) {
    let extensions = vec![call_identifier(), None, None, fast_start(signal)];
    per.bit(true).counted(&PROTOCOL);
    extend(per, rng, extensions);
}

fn release_complete(per: &mut Per, rng: &mut Rng) {
    let extensions = vec![call_identifier()];
    per.bit(true)
        .bit(true)
        .counted(&PROTOCOL)
        .choice(rng.u32(..12), 4);
    extend(per, rng, extensions);
}

fn facility(per: &mut Per, rng: &mut Rng, signal: &Signal) {
    let mut extensions = vec![
        call_identifier(),
        None,
        None,
        None,
        None,
        None,
        None,
        fast_start(signal),
    ];
    if let Some(address) = signal.h245 {
        extensions[6] = Some(self::per(|per| self::address(per, rng, address)));
    }
    let (name, conference) = (one_in(rng, 6), one_in(rng, 6));
    per.bit(true)
        .bit(signal.alternative.is_some())
        .bit(name)
        .bit(conference);
    per.counted(&PROTOCOL);
    if let Some(alternative) = signal.alternative {
        address(per, rng, alternative);
    }
    if name {
        per.length(1);
        alias(per, rng);
    }
    if conference {
        per.octets(&[6; 16]);
    }
    match signal.reason {
        reason @ ..4 => {
            per.choice(reason, 2);
        }
        reason => {
            per.extension(reason - 4, &Per::default());
        }
    }
    extend(per, rng, extensions);
}

/// The only body that is an extension itself, and that has its channels behind tokens.
fn progress(rng: &mut Rng, signal: &Signal) -> Per {
    let mut value = Per::default();
    let per = &mut value;
    let (mode, tokens, crypto) = (one_in(rng, 5), one_in(rng, 5), one_in(rng, 5));
    let extended = one_in(rng, 3);
    per.bit(extended)
        .bit(signal.h245.is_some())
        .bit(mode)
        .bit(tokens)
        .bit(crypto);
    per.bit(signal.fast_start.is_some()).counted(&PROTOCOL);
    endpoint_type(per, rng);
    h245(per, rng, signal);
    per.bit(false).octets(&[5; 16]);
    if mode {
        per.choice(1, 2);
    }
    if tokens {
        per.length(1);
        clear_token(per, rng);
    }
    if crypto {
        per.length(1);
        crypto_token(per, rng);
    }
    if let Some(channels) = &signal.fast_start {
        channel_list(per, channels);
    }
    if extended {
        per.extensions(&[Some(flag()), Some(flag())]);
    }
    value
}

fn h245(per: &mut Per, rng: &mut Rng, signal: &Signal) {
    if let Some(h245) = signal.h245 {
        address(per, rng, h245);
    }
}

fn fast_start(signal: &Signal) -> Option<Per> {
    let channels = signal.fast_start.as_ref()?;
    Some(per(|per| channel_list(per, channels)))
}

fn channel_list(per: &mut Per, channels: &[Per]) {
    per.length(channels.len());
    for channel in channels {
        per.open(channel);
    }
}

fn tunnelled(messages: &[Vec<u8>]) -> Per {
    per(|per| {
        per.length(messages.len());
        for message in messages {
            per.counted(message);
        }
    })
}

fn call_identifier() -> Option<Per> {
    Some(per(|per| {
        per.bit(false).octets(&[5; 16]);
    }))
}

/// Now and then somebody writes a later version than the reader knows.
fn extend(per: &mut Per, rng: &mut Rng, mut extensions: Vec<Option<Per>>) {
    if one_in(rng, 30) {
        extensions.extend((0..rng.usize(1..20)).map(|_| None));
    }
    per.extensions(&extensions);
}
