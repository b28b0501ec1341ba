//! The link layers: where in a frame the IP packet starts.
//!
//! | file | reads |
//! |---|---|
//! | `ethernet` | Ethernet, tags of VLANs and switches, MACsec, MPLS and Ethernet pseudowires |
//! | `llc` | 802.2, SNAP, and the links that begin with them: FDDI, ATM, Fibre Channel |
//! | `serial` | PPP, PPPoE, Cisco HDLC, Frame Relay, SLIP |
//! | `cooked` | what `tcpdump -i any` writes on Linux |
//! | `loopback` | headers of an address family or an EtherType: BSD, pflog, ipnet, InfiniBand, IEEE 1394 |
//! | `wifi` | 802.11 and what drivers put before it |
//! | `nflog` | what a firewall's rules logged, with the rule's words |
//! | `types` | numbers and names, of what is not read as well |
//!
//! Each header leads to the next until one says that IP follows. A packet whose version is another than the link
//! layer says is taken at its own word, as a tunnel device does. Check sequences and padding behind it lie beyond the
//! length that IP gives itself, and are left where they are.

use serde::{Deserialize, Serialize};

mod cooked;
mod ethernet;
mod llc;
mod loopback;
pub mod nflog;
mod serial;
mod types;
mod wifi;

pub use types::*;

/// Why there is no IP packet in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum NoIp {
    /// Another protocol, as it should be: ARP, STP, a beacon.
    OtherProtocol,
    /// It ends within the headers of the link layer, these contradict themselves or what they announce, or its
    /// receiver found it damaged.
    Malformed,
    /// Nobody here has the key.
    Encrypted,
    /// Of a stream that can be read from its beginning alone.
    Compressed,
    /// Part of a packet that the link layer cut into pieces.
    Piece,
    /// A link type that is not read.
    UnreadLink,
}

impl NoIp {
    /// As reports call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OtherProtocol => "another protocol",
            Self::Malformed => "link header cut off or malformed",
            Self::Encrypted => "encrypted by the link layer",
            Self::Compressed => "compressed by the link layer",
            Self::Piece => "piece of a link-layer fragmentation",
            Self::UnreadLink => "link type not read",
        }
    }
}

/// What a header says that follows it.
#[derive(Clone, Copy)]
enum Next {
    Link(u16),
    Ethernet,
    EtherType(u16),
    Llc,
    Ppp,
    Ip,
}

/// That, and what stands there.
type Step<'a> = Result<(Next, &'a [u8]), NoIp>;

/// The IPv4 or IPv6 packet in a frame, with whatever padding follows it.
pub fn network_layer(link: u16, frame: &[u8]) -> Result<&[u8], NoIp> {
    let mut step = (Next::Link(link), frame);
    // A header takes at least a byte of the frame, or is the last.
    loop {
        step = match step {
            (Next::Link(link), rest) => begin(link, rest)?,
            (Next::Ethernet, rest) => ethernet::header(rest)?,
            (Next::EtherType(kind), rest) => ethernet::behind(kind, rest)?,
            (Next::Llc, rest) => llc::header(rest)?,
            (Next::Ppp, rest) => serial::ppp(rest)?,
            (Next::Ip, rest) => return ip(rest),
        };
    }
}

fn begin(link: u16, frame: &[u8]) -> Step<'_> {
    match link {
        ETHERNET => ethernet::header(frame),
        DSA_TAG_BRCM | DSA_TAG_DSA => ethernet::tag(frame, 16),
        DSA_TAG_EDSA => ethernet::tag(frame, 20),
        DSA_TAG_BRCM_PREPEND => ethernet::header(skip(frame, 4)?),
        RAW | RAW_BSD | RAW_OPENBSD | IPV4 | IPV6 => Ok((Next::Ip, frame)),
        LINUX_SLL => cooked::v1(frame),
        LINUX_SLL2 => cooked::v2(frame),
        NULL | LOOP => loopback::family(frame, 4),
        ENC => loopback::family(frame, 12),
        PFLOG => loopback::pflog(frame),
        IPNET => loopback::ipnet(frame),
        IPOIB => loopback::ether_type(frame, 40, 44),
        APPLE_IP_OVER_IEEE1394 => loopback::ether_type(frame, 16, 18),
        PPP => serial::ppp(frame),
        PPP_HDLC => serial::ppp_or_cisco(frame),
        PPP_PPPD => serial::pppd(frame),
        PPP_WITH_DIR => serial::ppp(skip(frame, 1)?),
        PPP_ETHER => serial::pppoe(frame),
        SLIP => Ok((Next::Ip, skip(frame, 16)?)),
        C_HDLC => serial::cisco(frame),
        C_HDLC_WITH_DIR => serial::cisco(skip(frame, 1)?),
        FRELAY => serial::frame_relay(frame),
        FRELAY_WITH_DIR => serial::frame_relay(skip(frame, 1)?),
        MPLS => ethernet::mpls(frame),
        FDDI => llc::fddi(frame),
        ATM_RFC1483 => llc::atm(frame),
        IP_OVER_FC => llc::header(skip(frame, 16)?),
        IEEE802_11 | IEEE802_11_RADIOTAP | IEEE802_11_PRISM | IEEE802_11_AVS => {
            wifi::header(link, frame)
        }
        NFLOG => nflog::header(frame),
        PPI => inner(frame, length16(frame, 2)?, 4, 8),
        PKTAP => inner(frame, length16(frame, 0)?, 8, 12),
        _ => Err(NoIp::UnreadLink),
    }
}

/// A header of that length, at least of `least` bytes, that names the link type behind it in its own byte order, which
/// is that of the x86 and ARM machines that write it.
fn inner(frame: &[u8], length: usize, at: usize, least: usize) -> Step<'_> {
    let link = length16(frame, at)?;
    let link = u16::try_from(link).map_err(|_| NoIp::Malformed)?;
    Ok((Next::Link(link), skip(frame, length.max(least))?))
}

fn ip(bytes: &[u8]) -> Result<&[u8], NoIp> {
    match bytes.first().map(|first| first >> 4) {
        Some(4 | 6) => Ok(bytes),
        _ => Err(NoIp::Malformed),
    }
}

/// Where a frame came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via {
    /// The number that the capture gives the interface.
    pub interface: u32,
    /// The sender's address on the link: of 802.11, the station that transmitted.
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
        IEEE802_11 | IEEE802_11_RADIOTAP | IEEE802_11_PRISM | IEEE802_11_AVS => {
            (interface, wifi::transmitter(link, frame)?)
        }
        _ => return None,
    };
    Some(Via { interface, sender })
}

fn skip(bytes: &[u8], length: usize) -> Result<&[u8], NoIp> {
    bytes.get(length..).ok_or(NoIp::Malformed)
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], NoIp> {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk);
    found.copied().ok_or(NoIp::Malformed)
}

/// In network byte order.
fn number16(bytes: &[u8], at: usize) -> Result<u16, NoIp> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// In little-endian order, as drivers' own headers have it.
fn length16(bytes: &[u8], at: usize) -> Result<usize, NoIp> {
    array(bytes, at).map(|two| usize::from(u16::from_le_bytes(two)))
}
