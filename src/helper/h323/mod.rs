//! H.323 (ITU-T H.323, H.225.0, H.245): calls, arranged over up to three connections before any voice flows.
//!
//! Why more connections: an endpoint registers with its gatekeeper by RAS (UDP 1719) and names the port where it takes
//! calls. A call is signalled there by Q.931 (TCP 1720 if nothing else was said), and that connection names the port of
//! a third, H.245, or carries H.245 itself. H.245 opens logical channels: a pair of UDP ports for RTP and RTCP each, or
//! a TCP connection for the data of T.120. Each end says where it listens itself.
//!
//! So `RAS` expects flows that `Q.931` reads, and `Q.931` those that `H.245` reads, which no rule can assign: its
//! record in the kernel has no port, and the protocol of another.
//!
//! An address must be the speaker's own, but in an answer of a gatekeeper and in a forwarded call. Not checked: which
//! port, whether anybody asked, and whether the other end agreed.
//!
//! Source: net/netfilter/nf_conntrack_h323_main.c.

mod h245;
mod notation;
mod per;
mod q931;
mod ras;
mod tpkt;
mod types;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use ipnet::IpNet;

use super::reasons::{NOT_THE_SPEAKER, PORT_0};
use super::{Master, Message, Spec};
use crate::expectation::{Expectation, Sourced};
use crate::tuple::Protocol;
use per::Value;

pub const SPECS: &[Spec] = &[h245::SPEC, q931::SPEC, ras::SPEC];

/// Where IPv4 and IPv6 addresses stand.
const H225: [&[&str]; 2] = [&["ipAddress", "ip"], &["ip6Address", "ip"]];
const H245: [&[&str]; 2] = [
    &["unicastAddress", "iPAddress", "network"],
    &["unicastAddress", "iP6Address", "network"],
];

const FOREIGN_FAMILY: &str = "names no unicast address of the connection's family";
const SOURCE: &str = "net/netfilter/nf_conntrack_h323_main.c";

/// Where somebody listens: an address in a payload, and a port right behind it.
struct Listener {
    address: IpAddr,
    address_bytes: Range<usize>,
    port: u16,
    port_bytes: Range<usize>,
}

impl Listener {
    /// `TransportAddress` of H.225.0 (`get_h225_addr`).
    fn h225(message: &Message<'_>, value: Option<&Value>, master: &mut dyn Master) -> Option<Self> {
        Self::read_or_decline(message, value?, H225, master)
    }

    /// `TransportAddress` of H.245 (`get_h245_addr`).
    fn h245(message: &Message<'_>, value: Option<&Value>, master: &mut dyn Master) -> Option<Self> {
        Self::read_or_decline(message, value?, H245, master)
    }

    fn read_or_decline(
        message: &Message<'_>,
        value: &Value,
        paths: [&[&str]; 2],
        master: &mut dyn Master,
    ) -> Option<Self> {
        let listener = Self::read(message, value, paths);
        if listener.is_none() {
            master.decline(FOREIGN_FAMILY, 0..message.payload.len());
        }
        listener
    }

    /// An address of the connection's family; the others say nothing to it.
    fn read(message: &Message<'_>, value: &Value, [ipv4, ipv6]: [&[&str]; 2]) -> Option<Self> {
        let is_ipv6 = message.same().is_ipv6();
        let (path, length) = if is_ipv6 { (ipv6, 16) } else { (ipv4, 4) };
        let Some(&Value::Octets(start)) = value.at(path) else {
            return None;
        };
        let octets = message.payload.get(start..)?;
        let address = if is_ipv6 {
            Ipv6Addr::from(*octets.first_chunk::<16>()?).into()
        } else {
            Ipv4Addr::from(*octets.first_chunk::<4>()?).into()
        };
        let &[high, low] = octets.get(length..)?.first_chunk()?;
        Some(Self {
            address,
            address_bytes: start..start + length,
            port: u16::from_be_bytes([high, low]),
            port_bytes: start + length..start + length + 2,
        })
    }

    fn bytes(&self) -> Range<usize> {
        self.address_bytes.start..self.port_bytes.end
    }

    fn is_speaker(&self, message: &Message<'_>) -> bool {
        self.address == message.same().src && self.port != 0
    }

    /// The listener, if it is the speaker itself.
    fn own(self, message: &Message<'_>, master: &mut dyn Master) -> Option<Self> {
        if self.is_speaker(message) {
            return Some(self);
        }
        let is_port_0 = self.address == message.same().src;
        let reason = if is_port_0 { PORT_0 } else { NOT_THE_SPEAKER };
        master.decline(reason, self.bytes());
        None
    }

    /// The other end may come to the speaker, at this port or one beside it.
    fn speaker(&self, message: &Message<'_>, protocol: Protocol, port: u16) -> Expectation {
        let speaker = Sourced::conntrack(message.opposite().dst, !message.direction);
        let port = Sourced::command(port, message.packet, self.port_bytes.clone());
        Expectation::new(protocol, other_end(message), speaker, port)
    }

    /// The other end may come to whoever is named.
    fn anybody(&self, message: &Message<'_>, protocol: Protocol) -> Expectation {
        let bytes = self.address_bytes.clone();
        let address = Sourced::command(self.address, message.packet, bytes);
        let port = Sourced::command(self.port, message.packet, self.port_bytes.clone());
        Expectation::new(protocol, other_end(message), address, port)
    }
}

fn other_end(message: &Message<'_>) -> Option<Sourced<IpNet>> {
    let other_end = message.opposite().src.into();
    Some(Sourced::conntrack(other_end, !message.direction))
}
