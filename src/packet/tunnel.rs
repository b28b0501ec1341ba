//! Tunnels: packets in packets. Conntrack sees the outer one, unless the user asks to look inside.

use std::net::IpAddr;

/// A protocol that carries packets in packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Gre,
    Vxlan,
    Geneve,
    Gtpu,
    Ipip,
    SixInFour,
    Teredo,
    Erspan,
}

/// Those that are opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u8);

/// What a packet was taken out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tunnel {
    pub kind: Kind,
    /// GRE's key, VXLAN's and Geneve's VNI, GTP's TEID, ERSPAN's session.
    pub id: Option<u32>,
    pub src: IpAddr,
    pub dst: IpAddr,
}

/// Tunnels in tunnels that are opened; what is deeper stays in its packet.
pub const MOST_NESTED: usize = 4;
