//! What a router does with a packet after PREROUTING, and which hooks that makes it pass.
//!
//! The simulated firewall forwards: it has a default route, and the addresses that it is told are its own. What it
//! forwards passes POSTROUTING, what it takes in itself (multicast, broadcast, its own addresses) passes LOCAL_IN; both
//! run the helper and confirm the conntrack. What routing discards does neither: its conntrack is forgotten. A packet
//! from an address of its own is one that it sends (LOCAL_OUT in place of PREROUTING). Hop counts are not looked at.
//!
//! Sources: `ip_route_input_slow`, `ip_mc_validate_source` and `__mkroute_output` (net/ipv4/route.c), `ip_rcv_options`
//! (net/ipv4/ip_input.c), `__ip_options_compile` (net/ipv4/ip_options.c), `ip_mc_output` (net/ipv4/ip_output.c),
//! `ip6_forward` (net/ipv6/ip6_output.c).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::IpNumber;
use ipnet::{IpNet, Ipv4Net};

use super::Packet;
use super::ip::IPV4_HEADER;

/// What routing makes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// In by one interface and out by another.
    Forwarded,
    /// Taken in by the firewall itself.
    Delivered,
    /// Dropped by routing, whatever the rules say.
    Discarded,
    /// The firewall's own.
    Sent,
    /// The firewall's own, to everybody on one of its networks, itself included.
    Broadcast,
    /// The firewall's own, to itself.
    Looped,
}

/// The end of a packet's way through the firewall: POSTROUTING or LOCAL_IN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The packet itself.
    Own,
    /// A copy of it, or the packet come back through the loopback device: no socket belongs to it any more.
    Copy,
}

impl Fate {
    /// How often, and as what, the packet comes to its end. A broadcast goes out as a copy first, then as itself
    /// (`ip_mc_output`), and the copy comes back in.
    pub fn exits(self) -> &'static [Exit] {
        match self {
            Self::Forwarded | Self::Delivered | Self::Sent => &[Exit::Own],
            Self::Discarded => &[],
            Self::Broadcast => &[Exit::Copy, Exit::Own, Exit::Copy],
            Self::Looped => &[Exit::Own, Exit::Copy],
        }
    }

    /// Whether it is seen to leave; `None` where the firewall takes it in itself.
    pub fn leaves(self) -> Option<bool> {
        match self {
            Self::Forwarded | Self::Sent => Some(true),
            Self::Delivered | Self::Broadcast | Self::Looped => None,
            Self::Discarded => Some(false),
        }
    }
}

/// The router's decision about this packet. `local`: its own addresses, with the networks that they are in.
pub fn fate(packet: &Packet<'_>, local: &[IpNet]) -> Fate {
    let is_own = |address: IpAddr| local.iter().any(|own| own.addr() == address);
    match (packet.src, packet.dst) {
        (src, dst) if is_own(src) => {
            if is_own(dst) {
                Fate::Looped
            } else if is_broadcast(dst, local) {
                Fate::Broadcast
            } else {
                Fate::Sent
            }
        }
        (IpAddr::V4(src), IpAddr::V4(dst)) => match ipv4(src, dst, packet.datagram) {
            Fate::Forwarded if is_own(packet.dst) || is_broadcast(packet.dst, local) => {
                Fate::Delivered
            }
            fate => fate,
        },
        (IpAddr::V6(src), IpAddr::V6(dst)) => match ipv6(src, dst) {
            Fate::Forwarded if is_own(packet.dst) => Fate::Delivered,
            fate => fate,
        },
        _ => Fate::Discarded,
    }
}

/// What an address is to the firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Another host's.
    Unicast,
    /// Its own.
    Local,
    /// Everybody's on one of its networks.
    Broadcast,
    /// A group's.
    Multicast,
    /// IPv6's `::`.
    Unspecified,
}

impl Kind {
    /// `__inet_dev_addr_type` (net/ipv4/fib_frontend.c), `match_type6` (net/netfilter/xt_addrtype.c).
    pub fn of(address: IpAddr, local: &[IpNet]) -> Self {
        let is_own = address.is_loopback() || local.iter().any(|own| own.addr() == address);
        match address {
            _ if address.is_multicast() => Self::Multicast,
            IpAddr::V4(address) if address.octets()[0] == 0 => Self::Broadcast,
            IpAddr::V6(address) if address.is_unspecified() => Self::Unspecified,
            _ if is_broadcast(address, local) => Self::Broadcast,
            _ if is_own => Self::Local,
            _ => Self::Unicast,
        }
    }
}

/// The first network of the firewall's that has this broadcast address.
pub fn broadcast_network(dst: IpAddr, local: &[IpNet]) -> Option<Ipv4Net> {
    local.iter().find_map(|own| match own {
        // A prefix of 31 or 32 bits has none (RFC 3021); one of 0 bits gives a mask that the kernel takes for none.
        IpNet::V4(net) if (1..31).contains(&net.prefix_len()) && dst == net.broadcast() => {
            Some(*net)
        }
        _ => None,
    })
}

fn is_broadcast(dst: IpAddr, local: &[IpNet]) -> bool {
    dst == IpAddr::V4(Ipv4Addr::BROADCAST) || broadcast_network(dst, local).is_some()
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
    pub fn of(packet: &Packet<'_>, fate: Fate) -> Self {
        if packet.dst.is_ipv4() && fate == Fate::Delivered {
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
