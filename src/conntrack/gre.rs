//! GRE, for which version 1 (PPTP) has a key in each direction that packets carry one at a time.
//!
//! Source: net/netfilter/nf_conntrack_proto_gre.c, RFC 2637 4.1. A packet names the call of its receiver only; the
//! sender's is known from the pptp helper alone. Without it the two directions are two flows.
//!
//! Keys go with the first flow of their call that ends. A kernel that has not collected an expired flow yet still knows
//! them for one packet more; it is NEW here and there, but there it has both keys.

use std::net::IpAddr;

use hashbrown::HashMap;

use super::Context;
use super::config::Sysctl;
use super::entry::{Cached, Conntrack, Outcome};
use super::event::{ConntrackId, Status};
use crate::tuple::{Direction, Tuple};

/// The keys of calls in both directions (`keymap_list`).
#[derive(Default)]
pub struct Keymap {
    /// The keys that senders of these packets have, in the order in which they were added.
    by_packet: HashMap<Packets, Vec<(ConntrackId, u16)>>,
    /// What each control connection added, by direction.
    by_master: HashMap<ConntrackId, [Option<Packets>; 2]>,
}

/// Packets that look alike: source, destination, `dport`.
type Packets = (IpAddr, IpAddr, u16);

impl Keymap {
    /// The keys as `sport` and `dport` (`gre_pkt_to_tuple`); `None` for a version 1 packet that carries no PPP.
    pub fn of(&self, src: IpAddr, dst: IpAddr, transport: &[u8]) -> Option<(u16, u16)> {
        let Some(&[_, flags, high, low]) = transport.first_chunk() else {
            return Some((0, 0));
        };
        if flags & 0x07 != 1 {
            return Some((0, 0));
        }
        let Some(&[.., call_high, call_low]) = transport.first_chunk::<8>() else {
            return Some((0, 0));
        };
        if u16::from_be_bytes([high, low]) != PPP {
            return None;
        }
        let dport = u16::from_be_bytes([call_high, call_low]);
        let known = self.by_packet.get(&(src, dst, dport));
        let sport = known.and_then(|keys| keys.first()).map_or(0, |key| key.1);
        Some((sport, dport))
    }

    /// `false` where the connection has other keys for this direction (`nf_ct_gre_keymap_add`).
    pub fn add(&mut self, master: ConntrackId, direction: Direction, keys: &Tuple) -> bool {
        let packets = (keys.src, keys.dst, keys.dport);
        let own = &mut self.by_master.entry(master).or_default()[direction.index()];
        if let Some(before) = own {
            return *before == packets;
        }
        *own = Some(packets);
        let known = self.by_packet.entry(packets).or_default();
        known.push((master, keys.sport));
        true
    }

    /// `nf_ct_gre_keymap_destroy`
    pub fn remove(&mut self, master: ConntrackId) {
        let own = self.by_master.remove(&master).unwrap_or_default();
        for packets in own.into_iter().flatten() {
            if let Some(keys) = self.by_packet.get_mut(&packets) {
                keys.retain(|(other, _)| *other != master);
                if keys.is_empty() {
                    self.by_packet.remove(&packets);
                }
            }
        }
    }
}

/// `nf_conntrack_gre_packet`
pub(super) fn packet(ct: &mut Conntrack, context: &Context<'_>) -> Outcome {
    if !ct.status.has(Status::SEEN_REPLY) {
        return Outcome::Accept(Some(context.sysctls.timeout(Sysctl::GreTimeout)));
    }
    if ct.status.set(Status::ASSURED) {
        ct.cached.set(Cached::ASSURED);
    }
    Outcome::Accept(Some(context.sysctls.timeout(Sysctl::GreTimeoutStream)))
}

/// The EtherType of PPP in GRE.
const PPP: u16 = 0x880b;
