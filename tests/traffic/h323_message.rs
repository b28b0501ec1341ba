//! Messages of H.225.0 and H.245, written by the standards' grammar, with what is optional left to chance.

use std::net::IpAddr;

use super::flow::{Rng, one_in, pick};
use super::packet::End;
use super::per::{Per, per};

/// A logical channel: media and media control of each direction, and an address for T.120.
#[derive(Clone, Copy, Debug, Default)]
pub struct Channel {
    pub forward: [Option<End>; 2],
    pub reverse: Option<[Option<End>; 2]>,
    pub stack: Option<End>,
}

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

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn h221(rng: &mut Rng, extensible: bool) -> Per {
    per(|per| {
        if extensible {
            per.bit(false);
        }
        per.octets(&[181]).octets(&[0]).word(rng.u16(..));
    })
}

fn non_standard(per: &mut Per, rng: &mut Rng) {
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

/// `TransportAddress` of H.245.
fn channel_address(per: &mut Per, rng: &mut Rng, end: End) {
    let octets = octets(end.address);
    let index = if end.address.is_ipv4() { 0 } else { 2 };
    match rng.u8(..40) {
        0 => {
            per.choice(1, 1)
                .choice(0, 1)
                .bit(false)
                .octets(&[224, 0, 0, 9])
                .word(end.port);
        }
        1 => {
            per.choice(0, 1).choice(3, 3).octets(&[7; 16]);
        }
        2 => {
            let nsap = self::per(|per| {
                per.bits(1, 5).octets(&[0x47; 2]);
            });
            per.choice(0, 1).extension(0, &nsap);
        }
        3 => {
            per.choice(0, 1).choice(4, 3).bit(false).bit(true);
            per.octets(&[192, 0, 2, 1])
                .word(5000)
                .length(1)
                .octets(&[192, 0, 2, 2]);
        }
        4 => {
            per.choice(0, 1)
                .choice(index, 3)
                .bit(true)
                .octets(&octets)
                .word(end.port);
            per.extensions(&[None, Some(h221(rng, false))]);
        }
        _ => {
            per.choice(0, 1)
                .choice(index, 3)
                .bit(false)
                .octets(&octets)
                .word(end.port);
        }
    }
}

fn alias(per: &mut Per, rng: &mut Rng) {
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
fn identifier(per: &mut Per, name: &str) {
    per.bits(name.len() as u32 - 1, 7).octets(&bmp(name));
}

fn vendor(per: &mut Per, rng: &mut Rng) {
    let product = rng.bool();
    per.bit(false).bit(product).bit(false);
    per.bit(false).octets(&[181]).octets(&[0]).word(21324);
    if product {
        per.octets(&[4]).octets(b"phone");
    }
}

fn endpoint_type(per: &mut Per, rng: &mut Rng) {
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
        per.extensions(&[Some(per_set())]);
    }
}

fn per_set() -> Per {
    per(|per| {
        per.octets(&[0, 0, 0, 1]);
    })
}

fn h2250(rng: &mut Rng, [media, control]: [Option<End>; 2]) -> Per {
    let extended = one_in(rng, 8);
    let (non_standard_too, associated, guaranteed) =
        (one_in(rng, 20), one_in(rng, 10), one_in(rng, 10));
    let more = rng.u32(..) & if one_in(rng, 3) { 0x18 } else { 0 };
    per(|per| {
        per.bit(extended).bit(non_standard_too).bit(associated);
        per.bit(media.is_some())
            .bit(guaranteed)
            .bit(control.is_some());
        per.bits(more, 5);
        if non_standard_too {
            per.length(1).choice(0, 1).counted(&[0x2b, 1]).counted(b"x");
        }
        per.octets(&[1]);
        if associated {
            per.bits(1, 8);
        }
        if let Some(media) = media {
            channel_address(per, rng, media);
        }
        if guaranteed {
            per.bit(false);
        }
        if let Some(control) = control {
            channel_address(per, rng, control);
        }
        if more & 8 != 0 {
            per.bit(true);
        }
        if more & 16 != 0 {
            per.bit(true);
        }
        if extended {
            per.extensions(&[None, None, Some(h221(rng, false))]);
        }
    })
}

fn data_type(per: &mut Per, rng: &mut Rng, t120: bool) {
    match rng.u8(..12) {
        _ if t120 => {
            per.choice(4, 3).bit(false).choice(1, 4);
            let index = if one_in(rng, 8) { rng.u32(..8) } else { 3 };
            per.extension(index, &Per::default()).number(640);
        }
        0 => {
            per.choice(1, 3);
        }
        1 => {
            // H.261, QCIF and CIF.
            per.choice(2, 3).choice(1, 3).bit(false).bits(3, 2);
            per.bits(0, 2).bits(1, 2).bit(false).word(6217).bit(false);
        }
        2 => {
            per.choice(3, 3).choice(8, 4).octets(&[3]).bit(true);
        }
        3 => {
            per.choice(3, 3).extension(rng.u32(..6), &h221(rng, false));
        }
        4 => {
            per.choice(0, 3).bit(true);
            per.octets(&[181]).octets(&[0]).word(9).counted(b"codec");
        }
        5 => {
            per.extension(rng.u32(..3), &h221(rng, false));
        }
        _ => {
            per.choice(3, 3)
                .choice(pick(rng, &[1, 3, 10, 11]), 4)
                .octets(&[19]);
        }
    }
}

fn multiplex(per: &mut Per, rng: &mut Rng, channel: [Option<End>; 2], root: u32) {
    if one_in(rng, 25) {
        // H.222 or H.223.
        match root {
            1 => {
                per.bit(false).bits(0, 4).word(1).word(2);
            }
            _ => {
                per.choice(1, root).bit(false).choice(1, 3).bit(true);
            }
        }
        return;
    }
    let index = u32::from(one_in(rng, 40));
    per.extension(index, &h2250(rng, channel));
}

fn network_access(rng: &mut Rng, stack: End) -> Per {
    per(|per| {
        let distribution = one_in(rng, 4);
        per.bit(false).bit(distribution).bit(false);
        if distribution {
            per.choice(0, 1);
        }
        match rng.u8(..12) {
            0 => {
                per.choice(1, 2).bits(1, 7).octets(&[0x12]);
            }
            1 => {
                per.choice(0, 2)
                    .bits(0, 2)
                    .choice(0, 1)
                    .bits(1, 4)
                    .octets(&[0x12]);
            }
            _ => {
                per.choice(2, 2);
                channel_address(per, rng, stack);
            }
        }
        per.bit(false);
    })
}

/// `OpenLogicalChannel`
pub fn open(rng: &mut Rng, channel: &Channel) -> Per {
    let sync = channel.stack.is_some() && one_in(rng, 10);
    per(|per| {
        let (port, extended) = (one_in(rng, 20), one_in(rng, 20));
        per.bit(channel.stack.is_some())
            .bit(channel.reverse.is_some());
        per.word(rng.u16(..300));
        per.bit(extended).bit(port);
        if port {
            per.word(7);
        }
        let t120 = channel.stack.is_some() && !one_in(rng, 8);
        data_type(per, rng, t120);
        multiplex(per, rng, channel.forward, 2);
        if extended {
            per.extensions(&[Some(h221(rng, false)), None]);
        }
        if let Some(reverse) = channel.reverse {
            let multiplexed = !one_in(rng, 12);
            per.bit(false).bit(multiplexed);
            data_type(per, rng, false);
            if multiplexed {
                if one_in(rng, 25) {
                    per.choice(0, 1).bit(false).choice(1, 3).bit(true);
                } else {
                    per.extension(0, &h2250(rng, reverse));
                }
            }
        }
        if let Some(stack) = channel.stack {
            let mut extensions = vec![Some(network_access(rng, stack))];
            extensions.extend(sync.then(|| Some(h221(rng, false))));
            per.extensions(&extensions);
        }
    })
}

/// `OpenLogicalChannelAck`
fn acknowledge(rng: &mut Rng, channel: &Channel) -> Per {
    let forward = channel.forward != [None; 2] || one_in(rng, 8);
    let extended = forward || channel.stack.is_some();
    per(|per| {
        per.bit(extended).bit(channel.reverse.is_some());
        per.word(rng.u16(..300));
        if let Some(reverse) = channel.reverse {
            let port = one_in(rng, 10);
            per.bit(false).bit(port).bit(true).word(5);
            if port {
                per.word(9);
            }
            multiplex(per, rng, reverse, 1);
        }
        if extended {
            let stack = channel.stack.map(|stack| network_access(rng, stack));
            let ack = forward.then(|| h2250_ack(rng, channel.forward));
            let mut extensions = vec![stack, ack];
            extensions.extend(one_in(rng, 12).then(|| Some(h221(rng, false))));
            per.extensions(&extensions);
        }
    })
}

fn h2250_ack(rng: &mut Rng, [media, control]: [Option<End>; 2]) -> Per {
    per(|per| {
        let (session, payload, flow) = (rng.bool(), one_in(rng, 4), one_in(rng, 8));
        per.bit(false).bit(flow).bit(false).bit(session);
        per.bit(media.is_some()).bit(control.is_some()).bit(payload);
        if session {
            per.bits(0, 8);
        }
        if let Some(media) = media {
            channel_address(per, rng, media);
        }
        if let Some(control) = control {
            channel_address(per, rng, control);
        }
        if payload {
            per.bits(3, 5);
        }
        if flow {
            per.extensions(&[Some(per_bit())]);
        }
    })
}

fn per_bit() -> Per {
    per(|per| {
        per.bit(true);
    })
}

/// A message of H.245: it opens a channel, acknowledges one, or is about something else.
pub fn control(rng: &mut Rng, channel: &Channel) -> Vec<u8> {
    let message = match rng.u8(..20) {
        0 => per(|per| {
            per.choice(0, 2)
                .choice(pick(rng, &[1, 2, 4, 9]), 4)
                .octets(&[9; 5]);
        }),
        1 => per(|per| {
            per.choice(1, 2)
                .choice(pick(rng, &[0, 1, 3, 7]), 5)
                .octets(&[9; 5]);
        }),
        2 => per(|per| {
            per.choice(2, 2).choice(0, 3).octets(&[9; 3]);
        }),
        3 => per(|per| {
            per.choice(3, 2).choice(4, 4).octets(&[9; 3]);
        }),
        4 => per(|per| {
            per.extension(0, &h221(rng, false));
        }),
        5 => per(|per| {
            per.choice(0, 2).extension(rng.u32(..6), &h221(rng, false));
        }),
        6..12 => per(|per| {
            per.choice(1, 2).choice(5, 5);
            let ack = acknowledge(rng, channel);
            splice(per, &ack);
        }),
        _ => per(|per| {
            per.choice(0, 2).choice(3, 4);
            let open = open(rng, channel);
            splice(per, &open);
        }),
    };
    message.finish()
}

/// Goes on with a value that was written by itself. What is aligned in it must stay so: both an OpenLogicalChannel and
/// its acknowledgement have a word behind their first two bits.
fn splice(per: &mut Per, value: &Per) {
    let octets = value.finish();
    per.bits(u32::from(octets[0] >> 6), 2).octets(&octets[1..]);
}

const PROTOCOL: [u8; 6] = [0, 8, 0x91, 0x4a, 0, 4];

/// A PDU of H.323, as it stands in the user-user element.
pub fn user_information(rng: &mut Rng, body: Body, signal: &Signal) -> Vec<u8> {
    let information = per(|per| {
        let non_standard_too = one_in(rng, 10);
        let extended = signal.tunnelled.is_some() || rng.bool();
        per.bits(0, 2);
        per.bit(extended).bit(non_standard_too);
        let index = match body {
            Body::Setup => 0,
            Body::CallProceeding => 1,
            Body::Connect => 2,
            Body::Alerting => 3,
            Body::Information => 4,
            Body::ReleaseComplete => 5,
            Body::Facility => 6,
            Body::Progress | Body::Other => 7,
        };
        match body {
            Body::Progress => {
                let progress = per_body(rng, body, signal);
                per.extension(0, &progress);
            }
            Body::Other => {
                per.extension(1 + rng.u32(..7), &Per::default());
            }
            _ => {
                per.choice(index, 3);
                write_body(per, rng, body, signal);
            }
        }
        if non_standard_too {
            non_standard(per, rng);
        }
        if extended {
            let tunnelled = signal.tunnelled.as_ref().map(|messages| {
                self::per(|per| {
                    per.length(messages.len());
                    for message in messages {
                        per.counted(message);
                    }
                })
            });
            let mut extensions = vec![None, Some(per_bit()), tunnelled];
            if one_in(rng, 8) {
                extensions.extend([None, Some(h221(rng, false))]);
            }
            per.extensions(&extensions);
        }
    });
    information.finish()
}

fn per_body(rng: &mut Rng, body: Body, signal: &Signal) -> Per {
    per(|per| write_body(per, rng, body, signal))
}

fn write_body(per: &mut Per, rng: &mut Rng, body: Body, signal: &Signal) {
    let fast_start = signal.fast_start.as_ref().map(|channels| {
        self::per(|per| {
            per.length(channels.len());
            for channel in channels {
                per.open(channel);
            }
        })
    });
    let identifier = Some(self::per(|per| {
        per.bit(false).octets(&[5; 16]);
    }));
    let h245 = |per: &mut Per, rng: &mut Rng| {
        if let Some(h245) = signal.h245 {
            address(per, rng, h245);
        }
    };
    let has_h245 = signal.h245.is_some();
    // Now and then somebody writes a later version than the reader knows.
    let mut extensions: Vec<Option<Per>> = Vec::new();
    match body {
        Body::Setup => {
            extensions.extend([None, None, identifier, None, None, None, fast_start]);
            extensions.extend([Some(per_bit()), Some(per_bit())]);
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
            per.bit(true)
                .bit(has_h245)
                .bit(has[0])
                .bit(has[1])
                .bit(has[2])
                .bit(has[3]);
            per.bit(has[4]).bit(has[5]).counted(&PROTOCOL);
            h245(per, rng);
            if has[0] {
                per.length(1);
                alias(per, rng);
            }
            endpoint_type(per, rng);
            if has[1] {
                per.length(2);
                alias(per, rng);
                alias(per, rng);
            }
            if has[2] {
                address(per, rng, source);
            }
            if has[3] {
                per.length(1);
                alias(per, rng);
            }
            if has[4] {
                per.length(2).word(1).word(2);
            }
            per.bit(false).octets(&[6; 16]).choice(rng.u32(..3), 2);
            if has[5] {
                per.bits(0, 8).bits(0, 3);
            }
            per.choice(0, 2);
        }
        Body::Connect => {
            extensions.extend([identifier, None, None, None, fast_start]);
            per.bit(true).bit(has_h245).counted(&PROTOCOL);
            h245(per, rng);
            endpoint_type(per, rng);
            per.octets(&[6; 16]);
        }
        Body::CallProceeding | Body::Alerting => {
            extensions.extend([identifier, None, None, None, fast_start]);
            per.bit(true).bit(has_h245).counted(&PROTOCOL);
            endpoint_type(per, rng);
            h245(per, rng);
        }
        Body::Information => {
            extensions.extend([identifier, None, None, fast_start]);
            per.bit(true).counted(&PROTOCOL);
        }
        Body::ReleaseComplete | Body::Other => {
            extensions.push(identifier);
            per.bit(true)
                .bit(true)
                .counted(&PROTOCOL)
                .choice(rng.u32(..12), 4);
        }
        Body::Facility => {
            extensions.extend([identifier, None, None, None, None, None, None, fast_start]);
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
        }
        Body::Progress => {
            let (mode, tokens, crypto) = (one_in(rng, 5), one_in(rng, 5), one_in(rng, 5));
            let extended = one_in(rng, 3);
            per.bit(extended)
                .bit(has_h245)
                .bit(mode)
                .bit(tokens)
                .bit(crypto);
            per.bit(fast_start.is_some()).counted(&PROTOCOL);
            endpoint_type(per, rng);
            h245(per, rng);
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
                per.length(channels.len());
                for channel in channels {
                    per.open(channel);
                }
            }
            if extended {
                per.extensions(&[Some(per_bit()), Some(per_bit())]);
            }
            return;
        }
    }
    if one_in(rng, 30) {
        extensions.extend((0..rng.usize(1..20)).map(|_| None));
    }
    per.extensions(&extensions);
}

fn clear_token(per: &mut Per, rng: &mut Rng) {
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

fn crypto_token(per: &mut Per, rng: &mut Rng) {
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
        extensions.extend([None, None, None, Some(per_bit()), None, Some(per_bit())]);
    }
    per.extensions(&extensions);
}
