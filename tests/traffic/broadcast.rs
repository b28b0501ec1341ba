//! Questions by broadcast, and who answers them: netbios-ns and snmp.
//!
//! The firewall asks from `OWN`, and others ask beside it. No two questions of the firewall's share port and
//! destination: the kernel compares uninitialised bytes when it looks whether the expectation of the first one is the
//! same as that of the second, so what it does then is left to chance.

use std::net::{IpAddr, Ipv4Addr};

use super::flow::{Rng, Step, one_in, pick};
use super::packet::{End, TCP, ip, udp};

/// The firewall's address, in a network of 24 bits.
pub const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A question with its answers. `number` tells the sessions of a run apart.
pub fn session(rng: &mut Rng, number: usize) -> Vec<Step> {
    let port = 1024 + (number % 60_000) as u16;
    let asker = End {
        address: match rng.u8(..12) {
            0 => Ipv4Addr::new(192, 0, 2, 9).into(),
            1 => Ipv4Addr::new(203, 0, 113, 9).into(),
            _ => OWN.into(),
        },
        port,
    };
    let asked = End {
        address: IpAddr::V4(match rng.u8(..20) {
            0 => Ipv4Addr::BROADCAST,
            1 => Ipv4Addr::new(192, 0, 2, 0),
            2 => Ipv4Addr::new(192, 0, 2, 7),
            3 => Ipv4Addr::new(203, 0, 113, 255),
            4 => Ipv4Addr::new(224, 0, 0, 251),
            5 => Ipv4Addr::new(224, 0, 0, 1),
            6 => OWN,
            _ => Ipv4Addr::new(192, 0, 2, 255),
        }),
        port: match rng.u8(..20) {
            0 => pick(rng, &[138, 53, 21, 69, 1900]),
            1..10 => 137,
            _ => 161,
        },
    };
    let question: &[u8] = pick(
        rng,
        &[b"".as_slice(), b"\x80\x94\x01\x10", b"0\x82\x01\x02"],
    );
    let mut steps = vec![Step::Packet(udp(asker, asked, question))];
    for _ in 0..rng.usize(..4) {
        steps.push(Step::Packet(answer(rng, asker, asked)));
    }
    if one_in(rng, 6) {
        // The far end of an answered question may be asked again from the same port: an ordinary flow by now.
        let host = End {
            address: Ipv4Addr::new(192, 0, 2, 7).into(),
            port: asked.port,
        };
        steps.push(Step::Packet(udp(asker, host, b"again")));
        steps.push(Step::Packet(udp(host, asker, b"once more")));
    }
    steps
}

/// Mostly from a host of the network and the helper's port; else a stranger, another port, another protocol.
fn answer(rng: &mut Rng, asker: End, asked: End) -> Vec<u8> {
    let mut from = End {
        address: Ipv4Addr::new(192, 0, 2, rng.u8(2..=12)).into(),
        port: asked.port,
    };
    let mut to = asker;
    match rng.u8(..16) {
        0 => from.address = Ipv4Addr::new(198, 51, 100, 7).into(),
        1 => from.address = asked.address,
        2 => from.port = pick(rng, &[137, 161, 138, 0]),
        3 => from.port = from.port.wrapping_add(1),
        4 => to.port = to.port.wrapping_add(1),
        5 => to.address = Ipv4Addr::new(192, 0, 2, 200).into(),
        6 => return ip(from.address, to.address, TCP, vec![0; 20]),
        _ => {}
    }
    udp(from, to, b"\x85\x00answer")
}
