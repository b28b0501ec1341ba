//! From a captured frame to the datagram that conntrack reads.
//!
//! This layer finds the IP packet in a frame, does what the kernel's IP input does before the netfilter hooks
//! (refuses what is malformed, puts fragments together) and finds the transport header. It knows nothing of flows.

pub mod duplicate;
pub mod fragment;
pub mod ip;
pub mod link;
pub mod route;
pub mod tunnel;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::tuple::{Key, Protocol};
use fragment::Reassembler;
use link::NoIp;
use tunnel::{Kinds, Tunnel};

/// An IP packet as it stands in PREROUTING, after defragmentation.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// The frame's number in the capture; the last fragment's, where it came in fragments.
    pub number: u64,
    /// The source address of the IP header.
    pub src: IpAddr,
    /// The destination address of the IP header.
    pub dst: IpAddr,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// The whole datagram. A tail that the snap length cut off is zeros.
    pub datagram: &'a [u8],
    /// The protocol and where its header starts; `None` where extension headers or a fragment that was let
    /// through do not lead to one (`get_l4proto` in `nf_conntrack_core.c`).
    pub transport: Option<(Protocol, usize)>,
    /// Bytes of the datagram that the capture holds; one that came in fragments counts as whole.
    pub captured: usize,
    /// It came in fragments.
    pub fragmented: bool,
    /// What it was taken out of, where that was asked for; of several around each other, the innermost.
    pub tunnel: Option<&'a Tunnel>,
    /// What its flow is found by, where somebody has had time to look.
    pub key: Option<Key>,
}

impl<'a> Packet<'a> {
    /// From the transport header to the end; empty where there is none.
    pub fn transport_bytes(&self) -> &'a [u8] {
        self.transport
            .and_then(|(_, at)| self.datagram.get(at..))
            .unwrap_or_default()
    }
}

/// Why an IP packet never comes to the netfilter rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Unseen {
    /// The IP layer refuses it.
    Refused(Malformed),
    /// It waits for the other fragments.
    Fragment,
    /// A fragment that contradicts or repeats the others, or finds no room.
    FragmentDropped,
}

/// What the kernel's IP input refuses (`ip_rcv_core`, `ip6_rcv_core`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Malformed {
    /// The capture holds less than the header.
    HeaderCut,
    /// The header claims fewer bytes than it has, or more than the packet.
    HeaderLength,
    /// `::1` on a wire.
    Loopback,
    /// A multicast address where none may be, or of a scope that never leaves a host.
    MulticastScope,
    /// Hop-by-hop options that a router must not let pass.
    HopByHop,
}

impl Unseen {
    /// As reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused(Malformed::HeaderCut) => "IP header cut off",
            Self::Refused(Malformed::HeaderLength) => "IP header length wrong",
            Self::Refused(Malformed::Loopback) => "IPv6 loopback address on a wire",
            Self::Refused(Malformed::MulticastScope) => "IPv6 multicast address out of its scope",
            Self::Refused(Malformed::HopByHop) => "IPv6 hop-by-hop options refused",
            Self::Fragment => "fragment, waiting for the rest",
            Self::FragmentDropped => "fragment dropped",
        }
    }
}

/// Turns frames into packets.
#[derive(Debug)]
pub struct Decoder {
    /// Tunnels that are opened.
    decapsulate: Kinds,
    outer: Layer,
    /// One for each tunnel around a packet.
    inner: [Layer; tunnel::MOST_NESTED],
    /// The last one that was opened.
    tunnel: Option<Tunnel>,
}

/// One IP layer. It owns the fragments that wait and the one buffer that a packet may need.
#[derive(Debug)]
struct Layer {
    reassembler: Reassembler,
    /// For a packet whose captured bytes are not the whole of it.
    padded: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(fragment::Limits::default(), Kinds::default())
    }
}

impl Decoder {
    /// With room for so many fragments, and looking into these tunnels.
    pub fn new(limits: fragment::Limits, decapsulate: Kinds) -> Self {
        Self {
            decapsulate,
            outer: Layer::new(limits),
            inner: std::array::from_fn(|_| Layer::new(limits)),
            tunnel: None,
        }
    }

    /// A frame without IP is none, be it as good as any, and neither is one in a tunnel that is opened. `at` is the clock
    /// of the simulation, which never runs backwards.
    pub fn decode<'a>(
        &'a mut self,
        at: Timestamp,
        number: u64,
        link: u16,
        frame: &'a [u8],
    ) -> Result<Result<Packet<'a>, Unseen>, NoIp> {
        let bytes = link::network_layer(link, frame)?;
        let mut arrived = self.outer.datagram(at, number, bytes);
        if self.decapsulate.is_empty() {
            return Ok(arrived);
        }
        self.tunnel = None;
        for layer in &mut self.inner {
            let opened = arrived.as_ref().ok().and_then(tunnel::open);
            let Some(opened) = opened.filter(|opened| self.decapsulate.has(opened.tunnel.kind))
            else {
                break;
            };
            self.tunnel = Some(opened.tunnel);
            arrived = layer.datagram(at, number, opened.inner?);
        }
        let tunnel = self.tunnel.as_ref();
        Ok(arrived.map(|packet| Packet { tunnel, ..packet }))
    }
}

impl Layer {
    fn new(limits: fragment::Limits) -> Self {
        Self {
            reassembler: Reassembler::new(limits),
            padded: Vec::new(),
        }
    }

    fn datagram<'a>(
        &'a mut self,
        at: Timestamp,
        number: u64,
        captured: &'a [u8],
    ) -> Result<Packet<'a>, Unseen> {
        let length = ip::total_length(captured).map_err(Unseen::Refused)?;
        let datagram = match captured.get(..length) {
            Some(whole) => whole,
            None => {
                self.padded.clear();
                self.padded.extend_from_slice(captured);
                self.padded.resize(length, 0);
                &self.padded
            }
        };
        let header = ip::Header::parse(datagram).map_err(Unseen::Refused)?;
        ip::check(&header, datagram).map_err(Unseen::Refused)?;
        let gathered = self.reassembler.gather(at, header, datagram)?;
        let fragmented = gathered.is_some();
        let (datagram, header, captured) = match gathered {
            None => (datagram, header, captured.len().min(length)),
            Some(whole) => {
                // The family is known; a reassembled IPv6 header may have lost its version (see `Fragment::ipv6`).
                let parse = match header.src {
                    IpAddr::V4(_) => ip::Header::parse,
                    IpAddr::V6(_) => ip::Header::ipv6,
                };
                let header = parse(whole).map_err(Unseen::Refused)?;
                (whole, header, whole.len())
            }
        };
        Ok(Packet {
            number,
            src: header.src,
            dst: header.dst,
            hop_limit: header.hop_limit,
            datagram,
            transport: ip::transport(&header, datagram),
            captured,
            fragmented,
            tunnel: None,
            key: None,
        })
    }
}
