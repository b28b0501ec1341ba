//! What befalls packets on their way, and what travels beside them.
//!
//! Nothing here knows a protocol. A packet may arrive in fragments or with options, after a damaged copy of itself,
//! or be answered by an ICMP error that quotes it.

use super::flow::{ACK, FIN, RST, Rng, SYN, anybody, hosts, one_in, pick};
use super::packet::{End, ICMP, ICMPV6, TCP, ends, ip, is_v4, seal, udp};

/// The packets that arrive where one was sent. It comes through, whatever else does.
pub fn on_the_way(rng: &mut Rng, packet: Vec<u8>) -> Vec<Vec<u8>> {
    match rng.u32(..1000) {
        0..10 => fragments(rng, &packet),
        10..20 => vec![with_options(rng, &packet)],
        20..32 => vec![damaged(rng, &packet), packet],
        32..50 => vec![packet.clone(), error_about(rng, &packet)],
        50..60 => vec![unrelated(rng), packet],
        _ => vec![packet],
    }
}

/// Where the IP header ends: none of the packets that come here has an extension header.
fn header_length(packet: &[u8]) -> usize {
    if is_v4(packet) {
        usize::from(packet[0] & 15) * 4
    } else {
        40
    }
}

fn protocol(packet: &[u8]) -> u8 {
    packet[if is_v4(packet) { 9 } else { 6 }]
}

/// Says how long the packet has become.
fn measured(mut packet: Vec<u8>) -> Vec<u8> {
    if is_v4(&packet) {
        let (length, header) = (packet.len() as u16, header_length(&packet));
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        seal(&mut packet[..header]);
    } else {
        let length = packet.len() as u16 - 40;
        packet[4..6].copy_from_slice(&length.to_be_bytes());
    }
    packet
}

/// The packet in two to four fragments: in order or not, complete or not, now and then overlapping.
fn fragments(rng: &mut Rng, packet: &[u8]) -> Vec<Vec<u8>> {
    let (header, payload) = packet.split_at(header_length(packet));
    let blocks = payload.len().div_ceil(8);
    if blocks < 2 {
        return vec![packet.to_vec()];
    }
    let id = rng.u32(..);
    let mut cuts: Vec<usize> = (0..rng.usize(1..4))
        .map(|_| rng.usize(1..blocks))
        .chain([0])
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    let overlap = usize::from(one_in(rng, 8));
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    for (i, &start) in cuts.iter().enumerate() {
        let end = cuts.get(i + 1).map_or(payload.len(), |next| {
            ((next + overlap) * 8).min(payload.len())
        });
        pieces.push(fragment(
            header,
            &payload[start * 8..end],
            start * 8,
            i + 1 < cuts.len(),
            id,
        ));
    }
    match rng.u8(..8) {
        0..4 => {}
        4 => pieces.reverse(),
        5 => rng.shuffle(&mut pieces),
        6 => pieces.insert(1, pieces[0].clone()),
        _ => drop(pieces.pop()),
    }
    pieces
}

fn fragment(header: &[u8], part: &[u8], offset: usize, more: bool, id: u32) -> Vec<u8> {
    let mut packet = header.to_vec();
    if is_v4(header) {
        packet[4..6].copy_from_slice(&(id as u16).to_be_bytes());
        let field = (offset / 8) as u16 | u16::from(more) << 13;
        packet[6..8].copy_from_slice(&field.to_be_bytes());
    } else {
        packet.extend([protocol(header), 0]);
        packet.extend((offset as u16 | u16::from(more)).to_be_bytes());
        packet.extend(id.to_be_bytes());
        packet[6] = 44;
    }
    packet.extend_from_slice(part);
    measured(packet)
}

/// The packet with IPv4 options, or with an IPv6 extension header that holds only padding.
fn with_options(rng: &mut Rng, packet: &[u8]) -> Vec<u8> {
    let (header, payload) = packet.split_at(header_length(packet));
    let mut longer = header.to_vec();
    if is_v4(packet) {
        let record_route = [7, 7, 4, 0, 0, 0, 0, 0];
        let options: &[u8] = pick(rng, &[&[1, 1, 1, 0], &record_route, &[148, 4, 0, 0]]);
        longer.extend_from_slice(options);
        longer[0] += options.len() as u8 / 4;
    } else {
        let (hop_by_hop, destination) = (0, 60);
        longer[6] = pick(rng, &[hop_by_hop, destination]);
        longer.extend([protocol(packet), 0, 1, 4, 0, 0, 0, 0]);
    }
    longer.extend_from_slice(payload);
    measured(longer)
}

/// A copy that conntrack cannot take for what it was: cut short, or with flags that do not go together.
fn damaged(rng: &mut Rng, packet: &[u8]) -> Vec<u8> {
    let header = header_length(packet);
    let mut copy = packet.to_vec();
    let room = packet.len() - header;
    if protocol(packet) == TCP && room >= 20 {
        match rng.u8(..8) {
            0..4 => {
                copy[header + 13] = pick(
                    rng,
                    &[
                        0,
                        FIN,
                        SYN | FIN,
                        SYN | RST,
                        RST | FIN,
                        0x20,
                        0x3f,
                        SYN | ACK | 0x20,
                    ],
                );
            }
            4 => copy[header + 12] = 4 << 4,
            5 => copy[header + 12] = 15 << 4,
            6 => copy[header + 12] = 6 << 4, // the text's first four bytes become options
            _ => copy.truncate(header + rng.usize(..20)),
        }
    } else {
        copy.truncate(header + rng.usize(..=room.min(9)));
    }
    measured(copy)
}

/// An ICMP error about a packet, from its receiver or a router; at times to somebody it does not concern, about
/// something that was not sent, or with too little of it.
fn error_about(rng: &mut Rng, packet: &[u8]) -> Vec<u8> {
    let (source, destination) = ends(packet);
    let mut quoted = packet.to_vec();
    let header = header_length(packet);
    match rng.u8(..10) {
        0 => quoted.truncate(header + rng.usize(..8)),
        1..5 => quoted.truncate(header + 8),
        5 if quoted.len() > header + 2 => quoted[header + 1] ^= 1, // another source port
        _ => quoted.truncate(1200),
    }
    let from = if rng.bool() {
        destination
    } else {
        anybody(rng, source)
    };
    let to = if one_in(rng, 8) {
        anybody(rng, source)
    } else {
        source
    };
    let (protocol, kinds): (u8, &[[u8; 2]]) = if is_v4(packet) {
        (
            ICMP,
            &[
                [3, 3],
                [3, 3],
                [3, 1],
                [3, 13],
                [3, 4],
                [11, 0],
                [12, 0],
                [4, 0],
                [5, 1],
            ],
        )
    } else {
        (
            ICMPV6,
            &[[1, 4], [1, 4], [1, 0], [2, 0], [3, 0], [4, 1], [100, 0]],
        )
    };
    let mut message = pick(rng, kinds).to_vec();
    message.extend([0, 0, 0, 0, 5, 0]);
    message.extend(quoted);
    ip(from, to, protocol, message)
}

/// A packet that has to do with none of the sessions: an echo or its answer, a datagram, or one too short.
fn unrelated(rng: &mut Rng) -> Vec<u8> {
    let (client, server) = hosts(rng, 40);
    let (from, to) = if one_in(rng, 3) {
        (server, client)
    } else {
        (client, server)
    };
    match rng.u8(..8) {
        0..4 => {
            let (protocol, kinds) = if from.is_ipv4() {
                (ICMP, [8, 0])
            } else {
                (ICMPV6, [128, 129])
            };
            ip(
                from,
                to,
                protocol,
                vec![pick(rng, &kinds), 0, 0, 0, 0, rng.u8(..3), 0, 1],
            )
        }
        4..7 => {
            let port = pick(rng, &[20, 53, 69, 5353, 50000, 50007]);
            udp(
                End {
                    address: from,
                    port: 40000 + rng.u16(..6),
                },
                End { address: to, port },
                b"\0\x01noise",
            )
        }
        _ => ip(
            from,
            to,
            pick(rng, &[TCP, ICMP, ICMPV6, 47, 132, 253]),
            vec![0; rng.usize(..4)],
        ),
    }
}
