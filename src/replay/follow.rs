//! Who follows the flows.

use std::hint::black_box;
use std::ops::Range;

use super::batch::{Batch, Brought, Frames, Told};
use crate::conntrack::{Examined, Verdict, WARMED_UP};
use crate::firewall::Firewall;

pub(super) struct Follower {
    pub firewall: Firewall,
    /// The frame whose packet is looked at closely.
    pub sought: Option<u64>,
    /// What was seen of it, once it has come, if it has a packet.
    pub examined: Option<Examined>,
}

impl Follower {
    /// Takes the packets of a batch through the firewall.
    pub fn follow(&mut self, batch: &mut Batch) {
        let Batch { frames, told, .. } = batch;
        let all = frames.heads.len();
        let sought = self.sought.and_then(|number| {
            let heads = &frames.heads;
            heads.binary_search_by_key(&number, |head| head.number).ok()
        });
        match sought {
            None => follow(&mut self.firewall, frames, told, 0..all),
            Some(at) => {
                follow(&mut self.firewall, frames, told, 0..at);
                self.examine(frames, told, at);
                follow(&mut self.firewall, frames, told, at + 1..all);
            }
        }
    }

    fn examine(&mut self, frames: &Frames, told: &mut Told, at: usize) {
        let firewall = &mut self.firewall;
        let head = &frames.heads[at];
        let Brought::Packet(datagram) = &head.brought else {
            return follow(firewall, frames, told, at..at + 1);
        };
        // First what time does, so that a flow that is over by now is not taken for one that the packet found.
        firewall.advance(head.clock);
        told.gather(firewall);
        let packet = frames.packet(head, datagram);
        let (verdict, examined) = firewall.examine(head.clock, &packet);
        told.add(verdict, firewall);
        self.examined = Some(examined);
    }
}

fn follow(firewall: &mut Firewall, frames: &Frames, told: &mut Told, range: Range<usize>) {
    for (at, head) in range.clone().zip(&frames.heads[range]) {
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
