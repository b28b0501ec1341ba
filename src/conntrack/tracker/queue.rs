//! The way to conntrackd and back, for helpers that live there: each packet of the connection waits in a queue
//! (`nfnl_userspace_cthelper`, `NF_QUEUE`) until conntrackd has said what becomes of it.

use std::time::Duration;

use super::Tracker;
use crate::conntrack::entry::Conntrack;
use crate::conntrack::event::Status;
use crate::helper::{Dropped, Home, Spec};
use crate::packet::Packet;
use crate::packet::route::{Exit, Fate};
use crate::tuple::Protocol;

/// Whether the packet comes as far as conntrackd's helper. An error drops it.
pub(super) fn arrives(
    packet: &Packet<'_>,
    ct: &Conntrack,
    spec: &Spec,
    fate: Fate,
    exit: Exit,
) -> Result<bool, Dropped> {
    if message_length(packet, ct, spec, fate, exit) > PAGE {
        return Err(Dropped("more than conntrackd reads at once"));
    }
    Ok(is_read(packet))
}

/// Of the packets that come to conntrackd it shows a helper those with TCP or UDP right behind the IP header, and lets
/// the others pass (`pkt_get`): ICMP errors about the connection, and IPv6 with extension headers.
fn is_read(packet: &Packet<'_>) -> bool {
    match packet.transport {
        Some((Protocol::TCP | Protocol::UDP, start)) => {
            packet.src.is_ipv4() || start == IPV6_HEADER
        }
        _ => false,
    }
}

/// Bytes of the message in which a packet comes to conntrackd, which reads one page of it (`nfq_cb`,
/// `MNL_SOCKET_BUFFER_SIZE`). A longer one is lost, and the packet waits for its verdict for ever; when as many wait as
/// the queue is long, no other packet passes.
///
/// They are those of `nfqnl_build_packet_message` and `__ctnetlink_glue_build` for a device without hardware addresses:
/// Ethernet adds 16, a packet's mark 8. What the firewall sends itself counts as if it were marked, as in the records:
/// unmarked, it and its copies have 8 less.
fn message_length(
    packet: &Packet<'_>,
    ct: &Conntrack,
    spec: &Spec,
    fate: Fate,
    exit: Exit,
) -> usize {
    let attribute = |length: usize| (4 + length).next_multiple_of(4);
    let device = attribute(4);
    let tuple = {
        let address = attribute(if packet.src.is_ipv6() { 16 } else { 4 });
        let ip = 4 + 2 * address;
        let proto = 4 + attribute(1) + 2 * attribute(2);
        4 + ip + proto
    };
    let is_forwarded = fate == Fate::Forwarded;
    let devices = if is_forwarded { 2 } else { 1 };
    // A router takes an IPv4 packet's priority from its TOS, and tells it where it is not 0 (`rt_tos2priority`).
    let tos = packet.datagram.get(1).copied().unwrap_or(0);
    let has_priority = is_forwarded && packet.src.is_ipv4() && tos & 0x18 != 0;
    let priority = if has_priority { attribute(4) } else { 0 };
    // Of its own packets the firewall need not say that nobody verified the checksum, but that they have a mark; of the
    // copies both.
    let mark = if exit == Exit::Copy { attribute(4) } else { 0 };
    // Number and hook of the packet, checksum or mark, and what it is to the connection.
    let header = 16 + 4 + attribute(7) + devices * device + attribute(4) + mark + attribute(4);
    let private = match spec.home {
        Home::Conntrackd { private, .. } if private > 0 => attribute(private),
        _ => 0,
    };
    let help = 4 + attribute(spec.called().len() + 1) + private;
    let tuples = if ct.related().is_some() { 3 } else { 2 };
    let tcp = match ct.original.protocol {
        Protocol::TCP => 4 + 4 + 3 * attribute(1) + 2 * attribute(2),
        _ => 0,
    };
    // Number, status, time-out and mark.
    let conntrack = 4 + tuples * tuple + 4 * attribute(4) + tcp + help;
    header + priority + conntrack + attribute(packet.datagram.len())
}

impl Tracker {
    /// How often, and as what, a packet of the flow comes to its end. A queue takes no copy of a packet whose flow is not
    /// in the table yet (`nf_ct_drop_unconfirmed`): it is lost, and does not come back in.
    pub(super) fn exits(&self, slot: u32, fate: Fate) -> &'static [Exit] {
        let is_lost = |ct: &Conntrack| {
            let help = ct.help();
            help.is_some_and(|help| help.spec.in_userspace()) && !ct.status.has(Status::CONFIRMED)
        };
        match fate {
            Fate::Broadcast if self.table.get(slot).is_some_and(is_lost) => &[Exit::Own],
            _ => fate.exits(),
        }
    }

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
