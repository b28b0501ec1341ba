//! Q.931.

use super::{
    CLIENT, Hole, SERVER, THIRD, VERSION, address, bench, channel, declined, holes, media, request,
    tpkt,
};
use crate::helper::{Bench, Effect, declines};
use crate::traffic::per::{Per, per};
use ctaudit::tuple::Direction::{Original, Reply};
use ctaudit::tuple::Protocol;

fn q931(parameters: &[&str]) -> Bench {
    bench("Q.931", 1720, parameters)
}

/// A Q.931 message with a bearer capability in front of the user-user element.
pub fn message(information: &[u8]) -> Vec<u8> {
    let [high, low] = (information.len() as u16 + 1).to_be_bytes();
    let elements = [8, 2, 0x12, 0x34, 5, 4, 3, 0x88, 0x93, 0xa5];
    tpkt(&[&elements[..], &[0x7e, high, low, 5], information].concat())
}

/// The PDU around a body, with H.245 in it or without.
fn pdu(body: impl FnOnce(&mut Per), tunnelled: &[Vec<u8>]) -> Vec<u8> {
    per(|per| {
        per.bits(0, 2).bits(0b10, 2);
        body(per);
        let mut flag = Per::default();
        flag.bit(true);
        let mut control = Per::default();
        control.length(tunnelled.len());
        for message in tunnelled {
            control.counted(message);
        }
        let control = (!tunnelled.is_empty()).then_some(control);
        per.extensions(&[None, Some(flag), control]);
    })
    .finish()
}

fn endpoint(per: &mut Per) {
    per.bits(0, 7).bits(0, 2);
}

fn fast_start(channels: &[Per]) -> Per {
    per(|per| {
        per.length(channels.len());
        for channel in channels {
            per.open(channel);
        }
    })
}

pub fn setup(ip: [u8; 4], port: u16, channels: &[Per], tunnelled: &[Vec<u8>]) -> Vec<u8> {
    setup_of(ip, port, channels, tunnelled, 7)
}

/// With so many bits for extensions, of which the seventh is fastStart's.
fn setup_of(
    ip: [u8; 4],
    port: u16,
    channels: &[Per],
    tunnelled: &[Vec<u8>],
    extensions: usize,
) -> Vec<u8> {
    let body = |per: &mut Per| {
        let has_channels = !channels.is_empty();
        per.choice(0, 3).bit(has_channels).bits(0b100_0000, 7);
        per.counted(&VERSION);
        address(per, ip, port);
        endpoint(per);
        per.bit(false).octets(&[6; 16]).choice(0, 2).choice(0, 2);
        if has_channels {
            let mut present = vec![None; extensions];
            present[6] = Some(fast_start(channels));
            per.extensions(&present);
        }
    };
    pdu(body, tunnelled)
}

/// Alternative address and reason.
fn facility(ip: [u8; 4], port: u16, reason: u32) -> Vec<u8> {
    let body = |per: &mut Per| {
        per.choice(6, 3).bit(false).bits(0b100, 3).counted(&VERSION);
        address(per, ip, port);
        per.choice(reason, 2);
    };
    pdu(body, &[])
}

const H245: Hole = (
    Protocol::TCP,
    Some(SERVER),
    CLIENT,
    2000,
    false,
    Some("H.245"),
);

#[test]
fn a_call_says_where_it_is_controlled() {
    let setup = message(&setup(CLIENT, 2000, &[], &[]));
    assert_eq!(holes(&q931(&[]).say(Original, 0, &setup)), [H245]);
    let early = "said before there was traffic both ways";
    let effects = q931(&[]).show(Original, false, 0, &setup);
    assert_eq!(declines(&effects, &setup), [(early, &setup[4..])]);
    let foreign = "names an address that is not the speaker's";
    let effects = q931(&[]).say(Reply, 0, &setup);
    let address = [&CLIENT[..], &2000u16.to_be_bytes()].concat();
    assert_eq!(declines(&effects, &setup), [(foreign, &address[..])]);
    let mut bench = q931(&[]);
    bench.master.refuse = Some(2000);
    let drop = Effect::Drop("cannot process Q.931 message");
    assert_eq!(bench.say(Original, 0, &setup), [drop]);
}

#[test]
fn a_call_may_open_channels_at_once() {
    let channels = [channel(CLIENT, 5000, 5001), channel(CLIENT, 5003, 5007)];
    let setup = message(&setup(CLIENT, 2000, &channels, &[]));
    let expected: Vec<Hole> = [
        &[H245][..],
        &media(Original, 5000),
        &media(Original, 5000),
        &media(Original, 5002),
        &media(Original, 5006),
    ]
    .concat();
    assert_eq!(holes(&q931(&[]).say(Original, 0, &setup)), expected);
}

/// The kernel reads a map of extensions that ends with its fourth octet from the first bit of the first on. Here it
/// starts at the sixth: behind the conference's octets, two CHOICEs take three bits each and the map's length seven. So
/// 27 bits lead to the end. A map of 33 is longer than the kernel takes.
#[test]
fn a_map_of_extensions_may_be_misread() {
    let channels_opened = |extensions| {
        let channels = [channel(CLIENT, 5000, 5001)];
        let setup = message(&setup_of(CLIENT, 2000, &channels, &[], extensions));
        holes(&q931(&[]).say(Original, 0, &setup)).len() == 5
    };
    let opened: Vec<usize> = (7..=33).filter(|&number| channels_opened(number)).collect();
    let expected: Vec<usize> = (7..=32).filter(|&number| number != 27).collect();
    assert_eq!(opened, expected);
}

/// The same map of 33, and what else kernels once stumbled over.
#[test]
fn malformed_messages_by_their_names() {
    let reason = |message: &[u8]| {
        let effects = q931(&[]).say(Original, 0, message);
        let [(reason, bytes)] = declines(&effects, message)[..] else {
            panic!("{effects:?}");
        };
        assert_eq!(bytes, &message[4..]);
        reason
    };
    let malformed = "the kernel cannot decode the message";
    let long_bitmap = "an extension bitmap of more than 32 bits (CVE-2024-26851)";
    let channels = [channel(CLIENT, 5000, 5001)];
    let setup = setup_of(CLIENT, 2000, &channels, &[], 33);
    assert_eq!(reason(&message(&setup)), long_bitmap);

    let empty = "a user-user element of length 0 (CVE-2026-23455)";
    let element = |length: u8, text: &[u8]| tpkt(&[&[8, 0, 5, 0x7e, 0, length], text].concat());
    assert_eq!(reason(&element(0, &[])), empty);
    assert_eq!(reason(&element(0, &[5, 0x20])), empty);
    assert_eq!(reason(&element(1, &[5])), malformed);

    // The body is `progress`, of the extension, whose length ought to stand in the third octet.
    let choice = "a choice that ends where the message does (CVE-2026-43233)";
    let progress = per(|per| {
        per.bits(0, 4).bit(true).bits(0, 7);
    });
    let with = |length: &[u8]| message(&[&progress.finish()[..], length].concat());
    assert_eq!(reason(&with(&[])), choice);
    assert_eq!(reason(&with(&[0x80])), choice);
    assert_eq!(reason(&with(&[0x7f])), malformed);
}

/// Of channels in a call 30 are kept, of tunnelled messages four.
#[test]
fn what_is_beyond_the_kernels_lists_opens_nothing() {
    let holes_of = |channels: usize, tunnelled: usize| {
        let channel = channel(CLIENT, 5000, 5001);
        let channels = vec![channel.clone(); channels];
        let tunnelled = vec![request(&channel); tunnelled];
        let setup = message(&setup(CLIENT, 2000, &channels, &tunnelled));
        holes(&q931(&[]).say(Original, 0, &setup)).len()
    };
    assert_eq!(holes_of(30, 0), 1 + 4 * 30);
    assert_eq!(holes_of(31, 0), 1 + 4 * 30);
    assert_eq!(holes_of(0, 4), 1 + 4 * 4);
    assert_eq!(holes_of(0, 5), 1 + 4 * 4);
}

#[test]
fn a_forwarded_call() {
    let forwarded = |ip, port, reason, parameters: &[&str]| {
        let facility = message(&facility(ip, port, reason));
        q931(parameters).say(Reply, 0, &facility)
    };
    let call = |ip| (Protocol::TCP, Some(CLIENT), ip, 1720, false, Some("Q.931"));
    assert_eq!(holes(&forwarded(THIRD, 1720, 1, &[])), [call(THIRD)]);
    assert_eq!(holes(&forwarded(SERVER, 1720, 1, &[])), [call(SERVER)]);
    assert!(declined(&forwarded(THIRD, 0, 1, &[])));
    assert_eq!(forwarded(THIRD, 1720, 0, &[]), []);
    // To where the caller is.
    assert!(declined(&forwarded(CLIENT, 1720, 1, &[])));
    let unfiltered = forwarded(CLIENT, 1720, 1, &["callforward_filter=0"]);
    assert_eq!(holes(&unfiltered), [call(CLIENT)]);
}

/// Without a length of its own it is taken to have one, and the message is lost.
#[test]
fn an_element_of_one_octet() {
    let information = setup(CLIENT, 2000, &[], &[]);
    let message = message(&information);
    let with_element = |element: &[u8]| tpkt(&[&message[4..14], element, &message[14..]].concat());
    for (element, expected) in [(&[0x28, 1, b'x'][..], 1), (&[0xa1][..], 0)] {
        let effects = q931(&[]).say(Original, 0, &with_element(element));
        assert_eq!(holes(&effects).len(), expected, "{element:?}");
    }
}

#[test]
fn cut_at_every_octet() {
    let setup = message(&setup(CLIENT, 2000, &[channel(CLIENT, 5000, 5001)], &[]));
    for length in 0..setup.len() {
        let cut = &setup[..length];
        let effects = q931(&[]).say(Original, 0, cut);
        // A header alone announces its body.
        let expected: &[_] = match length {
            ..=4 => &[],
            _ => &[("the segment does not hold all of the message", cut)],
        };
        assert_eq!(declines(&effects, cut), expected);
        assert_eq!(effects.len(), expected.len());
        // Nor where the TPKT says that this is all.
        let mut shorter = setup[..length.max(4)].to_vec();
        let whole = shorter.len() as u16;
        shorter[2..4].copy_from_slice(&whole.to_be_bytes());
        let effects = q931(&[]).say(Original, 0, &shorter);
        // The user-user element begins behind octet 14.
        let expected: &[_] = match length {
            ..=14 => &[],
            _ => &[("the kernel cannot decode the message", &shorter[4..])],
        };
        assert_eq!(declines(&effects, &shorter), expected);
        assert_eq!(effects.len(), expected.len());
    }
}
