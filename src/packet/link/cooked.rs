//! Linux cooked headers: of captures on all interfaces at once, and of interfaces whose own header says too little.

use super::{FRELAY, IEEE802_11_RADIOTAP, Next, NoIp, Step, number16, skip};

/// <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>
pub fn v1(frame: &[u8]) -> Step<'_> {
    behind(number16(frame, 2)?, number16(frame, 14)?, skip(frame, 16)?)
}

/// <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>
pub fn v2(frame: &[u8]) -> Step<'_> {
    behind(number16(frame, 8)?, number16(frame, 0)?, skip(frame, 20)?)
}

/// What the protocol means depends on the hardware. It is GRE's for ARPHRD_IPGRE, which takes EtherTypes as the rest
/// do.
fn behind(hardware: u16, protocol: u16, rest: &[u8]) -> Step<'_> {
    let next = match (hardware, protocol) {
        (ARPHRD_NETLINK, _) => return Err(NoIp::OtherProtocol),
        (ARPHRD_FRAD, _) => Next::Link(FRELAY),
        (ARPHRD_IEEE80211_RADIOTAP, _) => Next::Link(IEEE802_11_RADIOTAP),
        (_, ETH_P_802_2) => Next::Llc,
        (_, ETH_P_WAN_PPP) => Next::Ppp,
        (_, kind) => Next::EtherType(kind),
    };
    Ok((next, rest))
}

/// `include/uapi/linux/if_arp.h`
const ARPHRD_FRAD: u16 = 770;
const ARPHRD_IEEE80211_RADIOTAP: u16 = 803;
const ARPHRD_NETLINK: u16 = 824;

/// `include/uapi/linux/if_ether.h`
const ETH_P_802_2: u16 = 0x0004;
const ETH_P_WAN_PPP: u16 = 0x0007;
