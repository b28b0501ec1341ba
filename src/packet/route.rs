//! What a router does with a packet after PREROUTING.
//!
//! The simulated firewall forwards: it has a default route and no address of its own. What it forwards passes
//! POSTROUTING, what it takes in itself (multicast, broadcast) passes LOCAL_IN; both run the helper and confirm
//! the conntrack. What routing discards does neither: its conntrack is forgotten. Hop counts are not looked at.
//!
//! Sources: `ip_route_input_slow` and `ip_mc_validate_source` (net/ipv4/route.c), `ip_rcv_options`
//! (net/ipv4/ip_input.c), `__ip_options_compile` (net/ipv4/ip_options.c), `ip6_forward` (net/ipv6/ip6_output.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::IpNumber;

use super::Packet;
use super::ip::IPV4_HEADER;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Forwarded,
    /// Taken in by the firewall itself.
    Delivered,
    /// Dropped by routing, whatever the rules say.
    Discarded,
}

/// The router's decision about this packet.
pub fn fate(packet: &Packet<'_>) -> Fate {
    use IpAddr::{V4, V6};
    match (packet.src, packet.dst) {
        (V4(src), V4(dst)) => ipv4(src, dst, packet.datagram),
        (V6(src), V6(dst)) => ipv6(src, dst),
        _ => Fate::Discarded,
    }
}

fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, datagram: &[u8]) -> Fate {
    let options = usize::from(datagram[0] & 0x0f) * 4;
    if options > IPV4_HEADER && !options_pass(&datagram[IPV4_HEADER..options]) {
        return Fate::Discarded;
    }
    if src.is_multicast() || src.is_broadcast() {
        return Fate::Discarded;
    }
    if dst.is_multicast() {
        let local_control = dst.octets()[..3] == [224, 0, 0];
        let igmp = datagram[9] == IpNumber::IGMP.0;
        return if src.is_unspecified() && !local_control && !igmp {
            Fate::Discarded
        } else {
            Fate::Delivered
        };
    }
    if dst.is_broadcast() || src.is_unspecified() && dst.is_unspecified() {
        return Fate::Delivered;
    }
    if src.is_unspecified() || dst.is_unspecified() {
        Fate::Discarded
    } else {
        Fate::Forwarded
    }
}

fn ipv6(src: Ipv6Addr, dst: Ipv6Addr) -> Fate {
    if dst.is_multicast() {
        return Fate::Delivered;
    }
    if src.is_unspecified() || src.is_unicast_link_local() || dst.is_unicast_link_local() {
        return Fate::Discarded;
    }
    Fate::Forwarded
}

/// Where a packet goes on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// The device of the default route.
    Default,
    /// To the firewall itself. IPv4 takes what it receives for others to hear in by the same device.
    Loopback,
    /// IPv6 multicast has routes of its own.
    Multicast,
}

impl Device {
    /// By which a packet goes on (`skb_dst`).
    pub fn of(packet: &Packet<'_>) -> Self {
        if packet.dst.is_ipv4() && fate(packet) == Fate::Delivered {
            Self::Loopback
        } else {
            Self::to(packet.dst)
        }
    }

    /// By which the firewall would send to an address (`ip_route_output_key_hash_rcu`, `ip6_route_output_flags`).
    pub fn to(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) if address.is_unspecified() => Self::Loopback,
            IpAddr::V6(address) if address.is_multicast() => Self::Multicast,
            address if address.is_loopback() => Self::Loopback,
            _ => Self::Default,
        }
    }
}

/// Whether IPv4 options are well formed and none is a source route, which a router refuses by default.
fn options_pass(mut options: &[u8]) -> bool {
    let (mut record_route, mut timestamp) = (false, false);
    while let Some(&kind) = options.first() {
        match kind {
            OPTION_END => return true,
            OPTION_NOP => {
                options = &options[1..];
                continue;
            }
            _ => {}
        }
        let Some(&length) = options.get(1) else {
            return false;
        };
        let length = usize::from(length);
        if length < 2 || length > options.len() {
            return false;
        }
        let option = &options[..length];
        let passes = match kind {
            OPTION_LSRR | OPTION_SSRR | OPTION_CIPSO => false,
            OPTION_RECORD_ROUTE => {
                !std::mem::replace(&mut record_route, true) && pointer_fits(option, 4, 3)
            }
            OPTION_TIMESTAMP => {
                !std::mem::replace(&mut timestamp, true) && timestamp_passes(option)
            }
            OPTION_ROUTER_ALERT => length >= 4,
            _ => true,
        };
        if !passes {
            return false;
        }
        options = &options[length..];
    }
    true
}

/// Whether the pointer (the third byte) is at least `least` and leaves room for `room` more bytes, or is past
/// the end because the option is full.
fn pointer_fits(option: &[u8], least: usize, room: usize) -> bool {
    match option.get(2).map(|&pointer| usize::from(pointer)) {
        Some(pointer) if pointer >= least => {
            pointer > option.len() || pointer + room <= option.len()
        }
        _ => false,
    }
}

fn timestamp_passes(option: &[u8]) -> bool {
    let Some(&flags) = option.get(3) else {
        return false;
    };
    let (overflow, form) = (flags >> 4, flags & 0x0f);
    if usize::from(option[2]) > option.len() {
        return form == TIMESTAMP_PRESPECIFIED || overflow != 15;
    }
    let room = if matches!(form, TIMESTAMP_AND_ADDRESS | TIMESTAMP_PRESPECIFIED) {
        7
    } else {
        3
    };
    pointer_fits(option, 5, room)
}

const OPTION_END: u8 = 0;
const OPTION_NOP: u8 = 1;
const OPTION_RECORD_ROUTE: u8 = 7;
const OPTION_TIMESTAMP: u8 = 68;
const OPTION_LSRR: u8 = 131;
const OPTION_CIPSO: u8 = 134;
const OPTION_SSRR: u8 = 137;
const OPTION_ROUTER_ALERT: u8 = 148;
const TIMESTAMP_AND_ADDRESS: u8 = 1;
const TIMESTAMP_PRESPECIFIED: u8 = 3;
