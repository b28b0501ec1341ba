//! A variant sent through a firewall.

use crate::conntrack::{State, Verdict};
use crate::firewall::Firewall;
use crate::packet::Decoder;
use crate::packet::link::RAW;
use crate::packet::tunnel::Kinds;

use super::Variant;

/// Whether the probe gets through as RELATED. `Firewall::new` stands for rules that accept all that is.
pub fn passes(variant: &Variant, firewall: Firewall) -> bool {
    let verdict = verdict(variant, firewall);
    verdict.is_some_and(|probe| probe.state == State::Related && probe.dropped != Some(true))
}

/// What the probe is to a firewall that has seen nothing else; `None` where its IP input refuses it.
pub fn verdict(variant: &Variant, mut firewall: Firewall) -> Option<Verdict> {
    let mut decoder = Decoder::new(firewall.fragment_limits(), Kinds::default());
    let mut last = None;
    for (datagram, number) in variant.datagrams.iter().zip(1..) {
        let arrived = decoder
            .decode(datagram.at, number, RAW, &datagram.bytes)
            .ok()?;
        last = match arrived {
            Ok(packet) => {
                let step = firewall.packet(datagram.at, &packet);
                Some(step.verdict)
            }
            Err(why) => {
                firewall.unseen(datagram.at, why);
                None
            }
        };
    }
    last
}
