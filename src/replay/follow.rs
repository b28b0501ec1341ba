//! Who follows the flows.

use std::hint::black_box;

use super::batch::{Batch, Brought, Frames};
use crate::conntrack::{Verdict, WARMED_UP};
use crate::firewall::Firewall;

/// Takes the packets of a batch through the firewall.
pub(super) fn follow(firewall: &mut Firewall, batch: &mut Batch) {
    let Batch { frames, told, .. } = batch;
    for (at, head) in frames.heads.iter().enumerate() {
        if at.is_multiple_of(WARMED_UP) {
            warm_up(firewall, frames, at);
        }
        let verdict = match &head.brought {
            Brought::Other(_) | Brought::Duplicate => Verdict::default(),
            Brought::Unseen(why) => firewall.unseen(head.clock, *why).verdict,
            Brought::Packet(datagram) => {
                let packet = frames.packet(head, datagram);
                firewall.packet(head.clock, &packet).verdict
            }
        };
        told.add(verdict, firewall);
    }
}

/// Looks at the headers and the flows of the next few packets.
fn warm_up(firewall: &Firewall, frames: &Frames, from: usize) {
    let ahead = frames.heads[from..].iter().take(WARMED_UP);
    let datagrams = ahead.filter_map(|head| match &head.brought {
        Brought::Packet(datagram) => Some(datagram),
        _ => None,
    });
    let headers = datagrams.clone().map(|datagram| frames.touch(datagram));
    black_box(headers.fold(0, |sum, byte| sum ^ byte));
    let hashes = datagrams.filter_map(|datagram| datagram.key.map(|key| key.hash));
    firewall.warm_up(hashes);
}
