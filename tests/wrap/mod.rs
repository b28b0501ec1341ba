//! The packets of a sample as another capture would hold them: in any container, on any link, in any tunnel.
//!
//! Written byte by byte, without the libraries that the program reads them with. The fuzz targets take their seeds from
//! here, too.

pub mod compression;
mod container;
mod link;
mod tunnel;

use ctaudit::capture::Capture;
use ctaudit::packet::link::network_layer;

pub use compression::COMPRESSIONS;
pub use container::{CONTAINERS, Container};
pub use link::{LINKS, Link};
pub use tunnel::TUNNELS;

/// What one frame carries.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Nanoseconds since 1970.
    pub at: i64,
    /// Without IP in it where the frame carried none: it keeps its number.
    pub ip: Vec<u8>,
}

/// The packets of a capture up to where it is damaged, one a frame.
pub fn packets(mut capture: Capture) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let Ok(Some(frame)) = capture.next() {
        packets.push(Packet {
            at: frame.at.nanos(),
            ip: network_layer(frame.link, frame.data)
                .unwrap_or_default()
                .to_vec(),
        });
    }
    packets
}

/// The packets as a capture file of one link type.
pub fn file(container: &Container, link: &Link, packets: &[Packet]) -> Vec<u8> {
    let frames: Vec<(i64, Vec<u8>)> = packets
        .iter()
        .map(|packet| (packet.at, (link.frame)(&packet.ip)))
        .collect();
    (container.write)(link.number, &frames)
}

/// Whether it is IPv6; what is neither is taken for IPv4.
fn is_v6(ip: &[u8]) -> bool {
    ip.first().is_some_and(|first| first >> 4 == 6)
}
