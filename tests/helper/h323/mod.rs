//! Registrations, calls and channels. The messages are written octet by octet as X.691 has it; that this is how they
//! are written was checked with another program's dissector.

mod channel;
mod registration;
mod signal;

use std::net::IpAddr;

use ctaudit::expectation::Expectation;
use ctaudit::helper::Modules;
use ctaudit::tuple::Direction::{self, Original, Reply};
use ctaudit::tuple::Protocol;

use super::{Bench, Effect};
use crate::traffic::per::{Per, per};

const CLIENT: [u8; 4] = [192, 0, 2, 11];
const SERVER: [u8; 4] = [198, 51, 100, 66];
const THIRD: [u8; 4] = [203, 0, 113, 9];
/// Version 4 of H.225.0.
const VERSION: [u8; 6] = [0, 8, 0x91, 0x4a, 0, 4];

fn bench(name: &str, port: u16, parameters: &[&str]) -> Bench {
    let mut modules = Modules::default();
    for parameter in parameters {
        modules
            .set(&format!("nf_conntrack_h323.{parameter}"))
            .unwrap();
    }
    Bench::new(name, "192.0.2.11", "198.51.100.66", port, &modules)
}

/// Source, destination and port, whether permanent, and the helper of an expectation.
type Hole = (
    Protocol,
    Option<[u8; 4]>,
    [u8; 4],
    u16,
    bool,
    Option<&'static str>,
);

fn hole(expectation: &Expectation) -> Hole {
    let octets = |address| match address {
        IpAddr::V4(address) => address.octets(),
        IpAddr::V6(_) => panic!("IPv6"),
    };
    assert_eq!(expectation.src_port, None);
    (
        expectation.protocol,
        expectation
            .src_addr
            .as_ref()
            .map(|net| octets(net.value.addr())),
        octets(expectation.dst_addr.value),
        expectation.dst_port.value,
        expectation.flags.permanent,
        expectation.helper,
    )
}

fn holes(effects: &[Effect]) -> Vec<Hole> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Expect(expectation) => Some(hole(expectation)),
            _ => None,
        })
        .collect()
}

fn declined(effects: &[Effect]) -> bool {
    matches!(effects, [Effect::Decline { .. }])
}

fn address(per: &mut Per, ip: [u8; 4], port: u16) {
    per.choice(0, 3).octets(&ip).word(port);
}

fn tpkt(message: &[u8]) -> Vec<u8> {
    let [high, low] = (message.len() as u16 + 4).to_be_bytes();
    [&[3, 0, high, low], message].concat()
}

fn media_address(per: &mut Per, ip: [u8; 4], port: u16) {
    per.choice(0, 1)
        .choice(0, 3)
        .bit(false)
        .octets(&ip)
        .word(port);
}

/// `OpenLogicalChannel`: G.711, and where media and media control are awaited.
fn channel(ip: [u8; 4], media: u16, control: u16) -> Per {
    per(|per| {
        per.bits(0, 2).word(1).bits(0, 2);
        per.choice(3, 3).choice(1, 4).octets(&[19]);
        let mut parameters = Per::default();
        parameters.bits(0, 3).bits(0b101, 3).bits(0, 5).octets(&[1]);
        media_address(&mut parameters, ip, media);
        media_address(&mut parameters, ip, control);
        per.extension(0, &parameters);
    })
}

fn request(channel: &Per) -> Vec<u8> {
    per(|per| {
        per.choice(0, 2).choice(3, 4).octets(&channel.finish());
    })
    .finish()
}

/// RTP and RTCP from the other end to the speaker.
fn media(direction: Direction, port: u16) -> [Hole; 2] {
    let (from, to) = match direction {
        Original => (SERVER, CLIENT),
        Reply => (CLIENT, SERVER),
    };
    [port & !1, port | 1].map(|port| (Protocol::UDP, Some(from), to, port, false, None))
}

#[test]
fn no_octets_harm_the_decoder() {
    let rng = &mut fastrand::Rng::with_seed(7);
    let seeds = [
        registration::request(&[(CLIENT, 1720)], Some(60), true),
        signal::message(&signal::setup(
            CLIENT,
            2000,
            &[channel(CLIENT, 5000, 5001)],
            &[],
        )),
    ];
    for _ in 0..20_000 {
        let mut message = seeds[rng.usize(..2)].clone();
        for _ in 0..rng.usize(1..12) {
            let at = rng.usize(..message.len());
            message[at] = rng.u8(..);
        }
        bench("RAS", 1719, &[]).say(Original, 0, &message);
        bench("Q.931", 1720, &[]).say(Original, 0, &message);
        bench("H.245", 2000, &[]).say(Original, 0, &tpkt(&message));
    }
}
