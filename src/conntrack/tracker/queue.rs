//! The way to conntrackd and back, for helpers that live there: each packet of the connection waits in a queue
//! (`nfnl_userspace_cthelper`, `NF_QUEUE`) until conntrackd has said what becomes of it.

use std::time::Duration;

use super::Tracker;
use crate::conntrack::entry::Conntrack;
use crate::helper::{Home, Spec};
use crate::packet::Packet;
use crate::packet::route::Fate;
use crate::tuple::Protocol;

/// Whether conntrackd shows the packet to a helper: it looks for TCP or UDP right behind the IP header, and lets
/// everything else pass (`pkt_get`). ICMP errors about the connection are such, and IPv6 with extension headers.
pub(super) fn is_read(packet: &Packet<'_>) -> bool {
    match packet.transport {
        Some((Protocol::TCP | Protocol::UDP, start)) => {
            packet.src.is_ipv4() || start == IPV6_HEADER
        }
        _ => false,
    }
}

/// Whether the message in which the packet comes to conntrackd fits the one page that it reads it into (`nfq_cb`,
/// `MNL_SOCKET_BUFFER_SIZE`). One that does not is lost, and the packet waits for its verdict for ever; when as many
/// wait as the queue is long, no other packet passes.
///
/// The sizes are those of `nfqnl_build_packet_message` and `__ctnetlink_glue_build` for a device without hardware
/// addresses; Ethernet adds 16 bytes, a packet's mark 8.
pub(super) fn fits(packet: &Packet<'_>, ct: &Conntrack, spec: &Spec, fate: Fate) -> bool {
    let attribute = |length: usize| (4 + length).next_multiple_of(4);
    let device = attribute(4);
    let tuple = {
        let address = attribute(if packet.src.is_ipv6() { 16 } else { 4 });
        let ip = 4 + 2 * address;
        let proto = 4 + attribute(1) + 2 * attribute(2);
        4 + ip + proto
    };
    let devices = if fate == Fate::Forwarded { 2 } else { 1 };
    // Number and hook of the packet; that nobody verified its checksum; what it is to the connection.
    let header = 16 + 4 + attribute(7) + devices * device + attribute(4) + attribute(4);
    let private = match spec.home {
        Home::Conntrackd { private, .. } if private > 0 => attribute(private),
        _ => 0,
    };
    let help = 4 + attribute(spec.called().len() + 1) + private;
    let tuples = if ct.related.is_some() { 3 } else { 2 };
    let tcp = match ct.original.protocol {
        Protocol::TCP => 4 + 4 + 3 * attribute(1) + 2 * attribute(2),
        _ => 0,
    };
    // Number, status, time-out and mark.
    let conntrack = 4 + tuples * tuple + 4 * attribute(4) + tcp + help;
    header + conntrack + attribute(packet.datagram.len()) <= PAGE
}

impl Tracker {
    /// With its verdict conntrackd hands back the connection as it was told of it, the time that it has left in whole
    /// seconds (`ctnetlink_glue_parse_ct`, `ctnetlink_change_timeout`).
    pub(super) fn return_from_queue(&mut self, slot: u32) {
        let now = self.now;
        if let Some(ct) = self.table.get_mut(slot) {
            ct.expires = now + Duration::from_secs(ct.expires.since(now).as_secs());
        }
    }
}

const IPV6_HEADER: usize = 40;
/// Of x86-64; `MNL_SOCKET_BUFFER_SIZE` is the smaller of this and 8192.
const PAGE: usize = 4096;
