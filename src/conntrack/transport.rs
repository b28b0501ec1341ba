//! What conntrack itself reads of a transport header: the tuple, and where the payload starts.

use std::net::IpAddr;

use super::Context;
use crate::kernel::{Behaviour, Kernel};
use crate::packet::Packet;
use crate::tuple::{Key, Protocol, Tuple};

/// What the packet's flow is found by, where that is so in every kernel and whatever went before.
pub fn key(packet: &Packet<'_>) -> Option<Key> {
    let (protocol, _) = packet.transport?;
    let transport = packet.transport_bytes();
    let (sport, dport) = match protocol {
        Protocol::TCP | Protocol::UDP | Protocol::SCTP => ports(transport)?,
        Protocol::ICMP | Protocol::ICMPV6 => query(transport)?,
        _ => return None,
    };
    let tuple = Tuple {
        src: packet.src,
        dst: packet.dst,
        sport,
        dport,
        protocol,
    };
    Some(Key {
        sport,
        dport,
        hash: tuple.hash_of_flow(),
    })
}

/// The tuple that a packet's transport header gives (`nf_ct_get_tuple`); `None` where the header is too short.
pub(super) fn tuple_of(
    src: IpAddr,
    dst: IpAddr,
    protocol: Protocol,
    transport: &[u8],
    context: &Context<'_>,
) -> Option<Tuple> {
    let (sport, dport) = match protocol {
        _ if has_ports(protocol, context.kernel) => ports(transport)?,
        Protocol::ICMP | Protocol::ICMPV6 => query(transport)?,
        Protocol::GRE => context.gre_keys.of(src, dst, transport)?,
        _ => (0, 0),
    };
    Some(Tuple {
        src,
        dst,
        sport,
        dport,
        protocol,
    })
}

fn ports(transport: &[u8]) -> Option<(u16, u16)> {
    let &[a, b, c, d] = transport.first_chunk()?;
    Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])))
}

/// Identifier, type and code.
fn query(transport: &[u8]) -> Option<(u16, u16)> {
    let &[kind, code, _, _, high, low, ..] = transport.first_chunk::<8>()?;
    let identifier = u16::from_be_bytes([high, low]);
    Some((identifier, u16::from_be_bytes([kind, code])))
}

/// Whether conntrack takes the first four bytes of this protocol's header for two ports.
pub fn has_ports(protocol: Protocol, kernel: &Kernel) -> bool {
    match protocol {
        Protocol::TCP | Protocol::UDP | Protocol::SCTP => true,
        Protocol::UDPLITE => kernel.does(Behaviour::TracksUdpLite),
        Protocol::DCCP => kernel.does(Behaviour::TracksDccp),
        _ => false,
    }
}

/// What a helper reads: header, payload, and for TCP the sequence number of its first byte. A UDP payload ends with
/// the datagram, whatever the UDP header says: so the kernel's helpers see it.
pub fn payload(protocol: Protocol, transport: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (seq, length) = match protocol {
        Protocol::TCP => {
            let &[_, _, _, _, a, b, c, d, _, _, _, _, offset, ..] =
                transport.first_chunk::<20>()?;
            (
                u32::from_be_bytes([a, b, c, d]),
                usize::from(offset >> 4) * 4,
            )
        }
        Protocol::UDP => (0, 8),
        _ => return None,
    };
    let (header, payload) = transport.split_at_checked(length)?;
    Some((seq, header, payload))
}
