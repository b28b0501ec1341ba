//! H.245: messages that open logical channels, written by the standard's grammar.

use super::parts::{flag, h221, octets};
use crate::traffic::flow::{Rng, one_in, pick};
use crate::traffic::packet::End;
use crate::traffic::per::{Per, per};

/// A logical channel: media and media control of each direction, and an address for T.120.
#[derive(Clone, Copy, Debug, Default)]
pub struct Channel {
    pub forward: [Option<End>; 2],
    pub reverse: Option<[Option<End>; 2]>,
    pub stack: Option<End>,
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
            per.extensions(&[Some(flag())]);
        }
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
