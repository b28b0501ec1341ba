//! Tunnels: packets in packets.
//!
//! As on a firewall between a tunnel's ends, conntrack sees the outer packet, unless the user asks to look inside. Then
//! the inner packet takes its place, as if the firewall stood where the tunnel ends.
//!
//! A packet that only claims to be a tunnel stays what it is: one that is malformed or of another version, a control
//! message, one around neither IP nor Ethernet (MPLS, NSH, PPP), or around less than the inner header says. PPTP's GRE
//! is none of these tunnels: conntrack has a tracker for it. A tunnel around an Ethernet frame that holds no IP (ARP,
//! STP) is a frame without IP, as it was on the wire that was mirrored: left to conntrack, it would show a flow of the
//! few frames of a mirror session that nobody asked about.
//!
//! Limits: checksums are not verified. All inner packets meet in one conntrack, and fragments in one reassembler a level:
//! networks that use the same addresses in different tunnels are mixed. An ICMP error about an outer packet is about a
//! flow that conntrack was not shown.

mod gre;
mod gtpu;
mod overlay;
mod rest;
mod teredo;

use std::net::IpAddr;
use std::str::FromStr;

use etherparse::{EtherType, IpNumber};
use serde::{Deserialize, Serialize};

use super::link::{self, NoIp};
use super::{Packet, ip};
use crate::tuple::Protocol;
use rest::Rest;

/// A protocol that carries packets in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// RFC 2784 and 2890, around IP or Ethernet; NVGRE (RFC 7637).
    Gre,
    /// RFC 7348, and its generic protocol extension.
    Vxlan,
    /// RFC 8926
    Geneve,
    /// 3GPP TS 29.281
    Gtpu,
    /// IPv4 in IPv4 (RFC 2003), IPv4 and IPv6 in IPv6 (RFC 2473).
    Ipip,
    /// IPv6 in IPv4 (RFC 4213): sit, 6to4, 6rd, ISATAP.
    SixInFour,
    /// RFC 4380
    Teredo,
    /// draft-foschiano-erspan, types I, II and III.
    Erspan,
}

impl Kind {
    /// In the order of their bits in `Kinds`.
    pub const ALL: [Self; 8] = [
        Self::Gre,
        Self::Vxlan,
        Self::Geneve,
        Self::Gtpu,
        Self::Ipip,
        Self::SixInFour,
        Self::Teredo,
        Self::Erspan,
    ];

    /// As `--decapsulate` takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gre => "gre",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Gtpu => "gtpu",
            Self::Ipip => "ipip",
            Self::SixInFour => "6in4",
            Self::Teredo => "teredo",
            Self::Erspan => "erspan",
        }
    }
}

/// Those that are opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

impl Kinds {
    /// Whether tunnels of this kind are opened.
    pub fn has(self, kind: Kind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    /// None are opened.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind as u8;
    }
}

/// Names with commas between them; `all` stands for every one.
impl FromStr for Kinds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut kinds = Self::default();
        for name in text.split(',') {
            match Kind::ALL.iter().find(|kind| kind.name() == name) {
                Some(kind) => kinds.insert(*kind),
                None if name == "all" => Kind::ALL.iter().for_each(|kind| kinds.insert(*kind)),
                None => {
                    let known = Kind::ALL.map(Kind::name).join(", ");
                    return Err(format!("no such tunnel; there are {known}, and all"));
                }
            }
        }
        Ok(kinds)
    }
}

/// What a packet was taken out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tunnel {
    /// The protocol that carries the packet.
    pub kind: Kind,
    /// GRE's key (NVGRE's network is its upper 24 bits), VXLAN's and Geneve's VNI, GTP's TEID, ERSPAN's session.
    pub id: Option<u32>,
    /// Who put the packet in.
    pub src: IpAddr,
    /// Who takes it out.
    pub dst: IpAddr,
}

/// A tunnel that was looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened<'a> {
    /// Which one.
    pub tunnel: Tunnel,
    /// The inner IP packet: what the capture holds of it, with whatever follows it; or why its frame has none.
    pub inner: Result<&'a [u8], NoIp>,
}

/// What a tunnel's header says of what is behind it.
struct Inside<'a> {
    kind: Kind,
    id: Option<u32>,
    form: Form,
    rest: Rest<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Ipv4,
    Ipv6,
    /// Of the version that the first four bits say.
    Ip,
    Ethernet,
}

impl Form {
    /// `None` for what is not looked into.
    fn of(ether_type: u16) -> Option<Self> {
        match EtherType(ether_type) {
            EtherType::IPV4 => Some(Self::Ipv4),
            EtherType::IPV6 => Some(Self::Ipv6),
            TRANSPARENT_ETHERNET => Some(Self::Ethernet),
            _ => None,
        }
    }
}

/// Looks into a packet; `None` where it is no tunnel. Of all others only the protocol is looked at, and of UDP the ports.
pub fn open<'a>(packet: &Packet<'a>) -> Option<Opened<'a>> {
    let inside = inside(packet)?;
    Some(Opened {
        tunnel: Tunnel {
            kind: inside.kind,
            id: inside.id,
            src: packet.src,
            dst: packet.dst,
        },
        inner: inside.inner()?,
    })
}

fn inside<'a>(packet: &Packet<'a>) -> Option<Inside<'a>> {
    let (protocol, at) = packet.transport?;
    let rest = || Rest::of(packet, at);
    match protocol {
        Protocol::UDP => udp(rest()?),
        Protocol::GRE => gre::read(rest()?),
        IPV4 => Some(Inside::bare(Kind::Ipip, Form::Ipv4, rest()?)),
        IPV6 if packet.src.is_ipv4() => Some(Inside::bare(Kind::SixInFour, Form::Ipv6, rest()?)),
        IPV6 => Some(Inside::bare(Kind::Ipip, Form::Ipv6, rest()?)),
        _ => None,
    }
}

/// By the destination port, as the source port is there to spread the load (RFC 7348, 5; RFC 8926, 3.3); GTP-U's and
/// Teredo's peers answer from that port.
fn udp(rest: Rest<'_>) -> Option<Inside<'_>> {
    let (&[source_high, source_low, high, low, length @ .., _, _], rest) = rest.take::<8>()?;
    let source = u16::from_be_bytes([source_high, source_low]);
    let destination = u16::from_be_bytes([high, low]);
    let read = match (source, destination) {
        (_, VXLAN | VXLAN_OF_LINUX) => overlay::vxlan,
        (_, VXLAN_GPE) => overlay::vxlan_gpe,
        (_, GENEVE) => overlay::geneve,
        (_, GTPU) | (GTPU, _) => gtpu::read,
        (_, TEREDO) | (TEREDO, _) => teredo::read,
        _ => return None,
    };
    let length = usize::from(u16::from_be_bytes(length));
    read(rest.limit(length.checked_sub(UDP_HEADER)?)?)
}

impl<'a> Inside<'a> {
    /// Where no header says more than what is behind it.
    fn bare(kind: Kind, form: Form, rest: Rest<'a>) -> Self {
        Self {
            kind,
            id: None,
            form,
            rest,
        }
    }

    /// An IP packet of the version that was promised, or why there is none; `None` where it is cut off or malformed.
    fn inner(&self) -> Option<Result<&'a [u8], NoIp>> {
        let bytes = match self.form {
            Form::Ethernet => match link::network_layer(link::ETHERNET, self.rest.captured) {
                Ok(bytes) => bytes,
                Err(NoIp::Malformed) => return None,
                Err(why) => return Some(Err(why)),
            },
            _ => self.rest.captured,
        };
        let version = bytes.first()? >> 4;
        let is_promised = match self.form {
            Form::Ipv4 => version == 4,
            Form::Ipv6 => version == 6,
            Form::Ip | Form::Ethernet => matches!(version, 4 | 6),
        };
        // Only a mirror may send less than all of a packet (the T bit of ERSPAN's header).
        let room = match self.kind {
            Kind::Erspan => usize::MAX,
            _ => bytes.len() + self.rest.missing(),
        };
        let fits = ip::total_length(bytes).is_ok_and(|length| length <= room);
        (is_promised && fits).then_some(Ok(bytes))
    }
}

/// Tunnels in tunnels that are opened; what is deeper stays in its packet.
pub const MOST_NESTED: usize = 4;

const IPV4: Protocol = Protocol(IpNumber::IPV4.0);
const IPV6: Protocol = Protocol(IpNumber::IPV6.0);
/// RFC 1701
const TRANSPARENT_ETHERNET: EtherType = EtherType(0x6558);

const UDP_HEADER: usize = 8;
const VXLAN: u16 = 4789;
/// What a Linux device without a `dstport` sends to, from before the port was assigned.
const VXLAN_OF_LINUX: u16 = 8472;
const VXLAN_GPE: u16 = 4790;
const GENEVE: u16 = 6081;
const GTPU: u16 = 2152;
const TEREDO: u16 = 3544;
