//! Random traffic of the helped protocols, for runs that are held against the kernel's record of the same packets.
//!
//! Everything follows from the seed. A session is a script of packets, with the connections that its commands lead to
//! as scripts of their own; some sessions at a time are played in an order left to chance. Few hosts with few ports
//! share the traffic, so that flows collide, expectations clash between masters, and tuples come back after their
//! flow was closed. Many commands are well formed, as many are not quite: the texts are aimed at the edges of the
//! kernel's parsers, and noise falls on any packet on its way.

mod amanda;
pub mod broadcast;
mod dhcpv6;
pub mod flow;
mod ftp;
mod ftp_offer;
pub mod h323;
mod irc;
mod multicast;
mod noise;
pub mod packet;
pub mod per;
pub mod pptp;
mod rpc;
mod sane;
mod sip;
mod sip_message;
mod ssdp;
mod tftp;
mod tns;
pub mod tunnel;

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, Endianness};

use flow::{Rng, Step, one_in};
use packet::ends;

/// Sessions and data connections under way at one time.
const AT_ONCE: usize = 8;

/// Whose traffic to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Ftp,
    Tftp,
    Irc,
    Broadcast,
    Amanda,
    Pptp,
    Sane,
    Sip,
    H323,
    Dhcpv6,
    Multicast,
    Ssdp,
    Rpc,
    Tns,
}

impl Protocol {
    /// Those of the kernel's helpers.
    pub const ALL: [Self; 9] = [
        Self::Ftp,
        Self::Tftp,
        Self::Irc,
        Self::Broadcast,
        Self::Amanda,
        Self::Pptp,
        Self::Sane,
        Self::Sip,
        Self::H323,
    ];

    /// Those of the helpers that conntrackd alone has; mdns and slp are one.
    pub const OF_CONNTRACKD: [Self; 5] = [
        Self::Dhcpv6,
        Self::Multicast,
        Self::Ssdp,
        Self::Rpc,
        Self::Tns,
    ];
}

/// An IP packet and when it passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Since the start of the traffic. Strictly increasing, and as `generate` leaves them 5,000 packets pass in less than
    /// 1.9 s: UDP's rule of the first two seconds then comes to the same with a clock that stands still.
    pub at_micros: u64,
    pub ip: Vec<u8>,
}

/// That many packets of sessions of a protocol, and of noise around them.
pub fn generate(protocol: Protocol, seed: u64, packets: usize) -> Vec<Packet> {
    let rng = &mut Rng::with_seed(seed);
    let mut under_way: Vec<VecDeque<Step>> = Vec::new();
    let mut sent: Vec<Vec<u8>> = Vec::new();
    let mut sessions = 0;
    while sent.len() < packets {
        while under_way.len() < AT_ONCE {
            sessions += 1;
            let session = match protocol {
                // Nothing befalls these: what the kernel does with a question that comes twice is left to chance.
                Protocol::Broadcast => {
                    under_way.push(broadcast::session(rng, sessions).into());
                    continue;
                }
                Protocol::Ftp => ftp::session(rng),
                Protocol::Tftp => tftp::session(rng),
                Protocol::Irc => irc::session(rng),
                Protocol::Amanda => amanda::session(rng),
                Protocol::Pptp => pptp::session(rng),
                Protocol::Sane => sane::session(rng),
                Protocol::Sip => sip::session(rng),
                Protocol::H323 => h323::session(rng),
                Protocol::Dhcpv6 => dhcpv6::session(rng),
                Protocol::Multicast => multicast::session(rng),
                Protocol::Ssdp => ssdp::session(rng),
                Protocol::Rpc => rpc::session(rng),
                Protocol::Tns => tns::session(rng),
            };
            under_way.push(disturbed(rng, session).into());
        }
        let turn = rng.usize(..under_way.len());
        match under_way[turn].pop_front() {
            Some(Step::Packet(ip)) if protocol == Protocol::Broadcast => sent.push(ip),
            Some(Step::Packet(ip)) => sent.extend(noise::on_the_way(rng, ip)),
            Some(Step::Fork(script)) => under_way.push(disturbed(rng, script).into()),
            None => drop(under_way.swap_remove(turn)),
        }
    }
    sent.truncate(packets);
    let mut at_micros = 0;
    let mut timed = |ip| {
        at_micros += rng.u64(200..=400);
        Packet { at_micros, ip }
    };
    sent.into_iter().map(&mut timed).collect()
}

/// The same packets so far apart that each can go to conntrackd and back before the next: 3,000 of them in 24 s, when no
/// conntrack that was not closed has timed out yet.
pub fn through_a_queue(packets: Vec<Packet>) -> Vec<Packet> {
    let timed = |(index, Packet { ip, .. })| Packet {
        at_micros: index as u64 * 8000,
        ip,
    };
    packets.into_iter().enumerate().map(timed).collect()
}

/// A script as the network delivers it: now and then a packet comes twice, or is overtaken by the next of its sender.
/// Rarely one is missing. Nobody sends it again, and so conntrack may take all the rest of that flow for invalid.
fn disturbed(rng: &mut Rng, script: Vec<Step>) -> Vec<Step> {
    let mut delivered: Vec<Step> = Vec::with_capacity(script.len());
    for step in script {
        match step {
            Step::Packet(_) if one_in(rng, 600) => {}
            Step::Packet(ip) if one_in(rng, 60) => {
                delivered.extend([Step::Packet(ip.clone()), Step::Packet(ip)])
            }
            step => delivered.push(step),
        }
        if let [.., Step::Packet(before), Step::Packet(after)] = &mut delivered[..]
            && ends(before) == ends(after)
            && one_in(rng, 20)
        {
            std::mem::swap(before, after);
        }
    }
    delivered
}

/// Packets as a capture without link layer (link type 101).
pub fn pcap(packets: &[Packet]) -> io::Result<Vec<u8>> {
    let header = PcapHeader {
        datalink: DataLink::RAW,
        endianness: Endianness::Little,
        ..PcapHeader::default()
    };
    let mut writer = PcapWriter::with_header(Vec::new(), header).map_err(io::Error::other)?;
    for Packet { at_micros, ip } in packets {
        let packet = PcapPacket::new(Duration::from_micros(*at_micros), ip.len() as u32, ip)
            .map_err(io::Error::other)?;
        writer.write_packet(&packet).map_err(io::Error::other)?;
    }
    Ok(writer.into_inner())
}

/// A capture with a packet at each of these seconds.
pub fn at_seconds(packets: impl IntoIterator<Item = (u64, Vec<u8>)>) -> Vec<u8> {
    let packets = packets.into_iter().map(|(second, ip)| Packet {
        at_micros: second * 1_000_000,
        ip,
    });
    pcap(&packets.collect::<Vec<_>>()).unwrap()
}

pub fn write_pcap(path: &Path, packets: &[Packet]) -> io::Result<()> {
    fs::write(path, pcap(packets)?)
}
