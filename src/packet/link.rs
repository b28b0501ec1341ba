//! The link layers: where in a frame the IP packet starts.
//!
//! A frame whose IP header is of another version than the link layer says is taken at the header's word, as a
//! tunnel device does. Link types not listed carry no IP here; the capture's summary counts them.

use etherparse::EtherType;

/// LINKTYPE_ numbers, as <https://www.tcpdump.org/linktypes.html> gives them.
pub const NULL: u16 = 0;
pub const ETHERNET: u16 = 1;
pub const PPP: u16 = 9;
pub const RAW_BSD: u16 = 12;
pub const RAW_OPENBSD: u16 = 14;
pub const RAW: u16 = 101;
pub const LOOP: u16 = 108;
pub const LINUX_SLL: u16 = 113;
pub const IPV4: u16 = 228;
pub const IPV6: u16 = 229;
pub const LINUX_SLL2: u16 = 276;

/// Whether IP packets are looked for in frames of this link type at all.
pub fn is_known(link: u16) -> bool {
    matches!(
        link,
        NULL | ETHERNET
            | PPP
            | RAW_BSD
            | RAW_OPENBSD
            | RAW
            | LOOP
            | LINUX_SLL
            | IPV4
            | IPV6
            | LINUX_SLL2
    )
}

/// Why there is no IP packet in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoIp {
    /// Another protocol, as it should be: ARP, STP, a beacon.
    OtherProtocol,
    /// It ends within the headers of the link layer, or these contradict themselves.
    Malformed,
    /// Nobody here has the key.
    Encrypted,
    /// Part of a packet that the link layer cut into pieces.
    Piece,
    /// A link type that is not read.
    UnreadLink,
}

impl NoIp {
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherProtocol => "another protocol",
            Self::Malformed => "link header cut off or malformed",
            Self::Encrypted => "encrypted by the link layer",
            Self::Piece => "piece of a link-layer fragmentation",
            Self::UnreadLink => "link type not read",
        }
    }
}

/// The IPv4 or IPv6 packet in a frame, with whatever padding follows it.
pub fn network_layer(link: u16, frame: &[u8]) -> Result<&[u8], NoIp> {
    if !is_known(link) {
        return Err(NoIp::UnreadLink);
    }
    ip(link, frame).ok_or(NoIp::OtherProtocol)
}

fn ip(link: u16, frame: &[u8]) -> Option<&[u8]> {
    let bytes = match link {
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => frame,
        // Four bytes of address family, in the byte order of the host that captured.
        NULL | LOOP => frame.get(4..)?,
        // Two addresses, then the EtherType.
        ETHERNET => behind_ether_type(frame, 12, 14)?,
        LINUX_SLL => behind_ether_type(frame, 14, 16)?,
        LINUX_SLL2 => behind_ether_type(frame, 0, 20)?,
        PPP => ppp(frame)?,
        _ => return None,
    };
    matches!(bytes.first()? >> 4, 4 | 6).then_some(bytes)
}

/// Where a frame came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via {
    /// The number that the capture gives the interface.
    pub interface: u32,
    /// The sender's address on the link.
    pub sender: [u8; 6],
}

/// Interface and sender; `None` for link layers that name no sender. Of the cooked ones, the second tells of each
/// packet which interface it was (`sll2_if_index`); `interface` is what the capture says for all packets.
pub fn via(link: u16, interface: u32, frame: &[u8]) -> Option<Via> {
    let sender = |at: usize| frame.get(at..)?.first_chunk().copied();
    let (interface, sender) = match link {
        ETHERNET => (interface, sender(6)?),
        LINUX_SLL => (interface, sender(6)?),
        LINUX_SLL2 => {
            let index = frame.get(4..)?.first_chunk()?;
            (u32::from_be_bytes(*index), sender(12)?)
        }
        _ => return None,
    };
    Some(Via { interface, sender })
}

/// What follows the EtherType at `at` and the rest of the link header, and any number of VLAN tags.
fn behind_ether_type(frame: &[u8], at: usize, header: usize) -> Option<&[u8]> {
    let mut kind = ether_type(frame.get(at..)?)?;
    let mut rest = frame.get(header..)?;
    while matches!(
        kind,
        EtherType::VLAN_TAGGED_FRAME
            | EtherType::PROVIDER_BRIDGING
            | EtherType::VLAN_DOUBLE_TAGGED_FRAME
    ) {
        kind = ether_type(rest.get(2..)?)?;
        rest = rest.get(4..)?;
    }
    matches!(kind, EtherType::IPV4 | EtherType::IPV6).then_some(rest)
}

fn ether_type(bytes: &[u8]) -> Option<EtherType> {
    bytes
        .first_chunk()
        .map(|two| EtherType(u16::from_be_bytes(*two)))
}

/// RFC 1661 and 1662: address and control bytes may be there or not.
fn ppp(frame: &[u8]) -> Option<&[u8]> {
    let frame = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    frame
        .strip_prefix(&[0x00, 0x21])
        .or_else(|| frame.strip_prefix(&[0x00, 0x57]))
}
