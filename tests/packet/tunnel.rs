//! Packets taken out of tunnels.
//!
//! What is expected of each header was read off the standard's figure; tshark 4.0 says the same of every kind and number.

pub mod sessions;

use std::net::IpAddr;

use ctaudit::packet::fragment::Limits;
use ctaudit::packet::link::{NoIp, RAW};
use ctaudit::packet::tunnel::{Kind, Kinds, MOST_NESTED, Tunnel};
use ctaudit::packet::{Decoder, Packet, Unseen};
use fastrand::Rng;

use super::{START, ipv4};
use crate::traffic::packet::{self, End, is_v4, seal, udp};
use crate::traffic::tunnel::{ALL, ENDS, Wrapping, ethernet, gre, in_ipv4, in_ipv6, in_udp};

fn kinds(names: &str) -> Kinds {
    names.parse().unwrap()
}

fn decoder(names: &str) -> Decoder {
    Decoder::new(Limits::default(), kinds(names))
}

/// One packet of each version of IP, both from port 12345 to port 7.
fn inner() -> [Vec<u8>; 2] {
    [
        ["192.0.2.1", "198.51.100.2"],
        ["2001:db8::1", "2001:db8::2"],
    ]
    .map(|[from, to]| {
        let end = |address: &str, port| End {
            address: address.parse().unwrap(),
            port,
        };
        udp(
            end(from, 12345),
            end(to, 7),
            b"in a tunnel, thirty bytes long",
        )
    })
}

/// Every packet in every tunnel that carries it.
fn wrapped() -> impl Iterator<Item = (&'static Wrapping, Vec<u8>, Vec<u8>)> {
    ALL.iter().flat_map(|wrapping| {
        let carried = inner().into_iter().filter(|inner| wrapping.carries(inner));
        carried.map(move |inner| {
            let outer = wrapping.around(&inner);
            (wrapping, inner, outer)
        })
    })
}

fn tunnel_of(wrapping: &Wrapping, outer: &[u8]) -> Tunnel {
    let [src, dst] = ENDS[usize::from(!is_v4(outer))].map(|end| end.parse::<IpAddr>().unwrap());
    Tunnel {
        kind: kind(wrapping.kind),
        id: wrapping.id,
        src,
        dst,
    }
}

fn kind(name: &str) -> Kind {
    let found = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    found.unwrap()
}

fn open<'a>(decoder: &'a mut Decoder, frame: &'a [u8]) -> Packet<'a> {
    decoder.decode(START, 7, RAW, frame).unwrap().unwrap()
}

#[test]
fn each_tunnel_leads_to_the_packet_inside() {
    let mut opened = 0;
    for (wrapping, inner, outer) in wrapped() {
        let name = wrapping.name;
        for names in ["all", wrapping.kind] {
            let mut decoder = decoder(names);
            let packet = open(&mut decoder, &outer);
            assert_eq!(packet.datagram, inner, "{name}");
            assert_eq!(
                packet.tunnel.copied(),
                Some(tunnel_of(wrapping, &outer)),
                "{name}"
            );
            assert_eq!((packet.number, packet.captured), (7, inner.len()), "{name}");
            assert_eq!((packet.src, packet.dst), packet::ends(&inner), "{name}");
            let header = if is_v4(&inner) { 20 } else { 40 };
            assert_eq!(packet.transport.map(|(_, at)| at), Some(header), "{name}");
        }
        let others = Kind::ALL.map(Kind::name).into_iter();
        let others: Vec<&str> = others.filter(|other| *other != wrapping.kind).collect();
        for mut decoder in [Decoder::default(), decoder(&others.join(","))] {
            let packet = open(&mut decoder, &outer);
            assert_eq!(
                (packet.datagram, packet.tunnel),
                (&outer[..], None),
                "{name}"
            );
        }
        opened += 1;
    }
    assert_eq!(opened, 18 * 2 + 7);
}

#[test]
fn tunnels_have_the_names_of_the_option() {
    assert_eq!(
        kinds("gre,vxlan,geneve,gtpu,ipip,6in4,teredo,erspan"),
        kinds("all")
    );
    let two = kinds("gtpu,6in4");
    let has = Kind::ALL.into_iter().filter(|kind| two.has(*kind));
    assert_eq!(has.collect::<Vec<_>>(), [Kind::Gtpu, Kind::SixInFour]);
    for wrong in ["", "l2tp", "gre,", "GRE", "gre vxlan"] {
        let error = wrong.parse::<Kinds>().unwrap_err();
        assert!(
            Kind::ALL.iter().all(|kind| error.contains(kind.name())),
            "{error}"
        );
    }
}

/// Of a tunnel that the snap length cut, what the capture holds is what it holds of the inner packet.
#[test]
fn what_the_snap_length_cut_off_is_no_captured_byte_of_the_inner_packet() {
    for (wrapping, inner, outer) in wrapped() {
        let headers = outer.len() - inner.len();
        let least = headers + if is_v4(&inner) { 20 } else { 40 };
        let outer_header = if is_v4(&outer) { 20 } else { 40 };
        for length in outer_header..outer.len() {
            let mut decoder = decoder("all");
            let packet = open(&mut decoder, &outer[..length]);
            let name = wrapping.name;
            if length < least {
                assert_eq!((packet.tunnel, packet.captured), (None, length), "{name}");
                continue;
            }
            assert!(packet.tunnel.is_some(), "{name} cut at {length}");
            let captured = length - headers;
            assert_eq!(
                (packet.datagram.len(), packet.captured),
                (inner.len(), captured)
            );
            assert_eq!(packet.datagram[..captured], inner[..captured], "{name}");
            assert!(packet.datagram[captured..].iter().all(|byte| *byte == 0));
        }
    }
}

#[test]
fn tunnels_in_tunnels_are_opened_to_a_limit() {
    for (first, inner, outer) in wrapped() {
        for second in ALL.iter().filter(|second| second.carries(&outer)) {
            let outermost = second.around(&outer);
            let mut both = decoder("all");
            let packet = open(&mut both, &outermost);
            assert_eq!(packet.datagram, inner, "{} in {}", first.name, second.name);
            assert_eq!(packet.tunnel.copied(), Some(tunnel_of(first, &outer)));
            if first.kind != second.kind {
                let mut one = decoder(second.kind);
                assert_eq!(open(&mut one, &outermost).datagram, outer);
            }
        }
        let again = |packet: &Vec<u8>| Some(ALL[4].around(packet));
        let nested: Vec<Vec<u8>> = std::iter::successors(Some(inner), again)
            .take(MOST_NESTED + 2)
            .collect();
        for (depth, outermost) in nested.iter().enumerate() {
            let mut decoder = decoder("vxlan");
            let left = depth.saturating_sub(MOST_NESTED);
            assert_eq!(
                open(&mut decoder, outermost).datagram,
                nested[left],
                "{depth}"
            );
        }
    }
}

/// Two fragments of a packet without options.
fn pieces(packet: &[u8]) -> [Vec<u8>; 2] {
    let header = if is_v4(packet) { 20 } else { 40 };
    let (header, data) = packet.split_at(header);
    let middle = (data.len() / 2) & !7;
    let piece = |offset: usize, data: &[u8], more: bool| {
        let mut piece = header.to_vec();
        if is_v4(packet) {
            let total = (20 + data.len()) as u16;
            let field = (offset / 8) as u16 | u16::from(more) << 13;
            piece[2..4].copy_from_slice(&total.to_be_bytes());
            piece[4..6].copy_from_slice(&[0, 9]);
            piece[6..8].copy_from_slice(&field.to_be_bytes());
            seal(&mut piece);
        } else {
            let length = (8 + data.len()) as u16;
            piece[4..6].copy_from_slice(&length.to_be_bytes());
            piece[6] = 44;
            piece.extend([header[6], 0]);
            piece.extend((offset as u16 | u16::from(more)).to_be_bytes());
            piece.extend([0, 0, 0, 9]);
        }
        piece.extend_from_slice(data);
        piece
    };
    [
        piece(0, &data[..middle], true),
        piece(middle, &data[middle..], false),
    ]
}

/// The length, which a reassembled packet has anew, its identification and the checksum aside.
fn sent(packet: &[u8]) -> &[u8] {
    &packet[if is_v4(packet) { 12 } else { 6 }..]
}

#[test]
fn fragments_are_put_together_outside_and_inside() {
    for (wrapping, inner, outer) in wrapped() {
        let name = wrapping.name;
        let outside = pieces(&outer);
        let inside = pieces(&inner).map(|piece| wrapping.around(&piece));
        let both = pieces(&wrapping.around(&pieces(&inner)[1]));
        for fragments in [&outside[..], &inside, &[&inside[..1], &both].concat()] {
            let mut decoder = decoder("all");
            let (last, earlier) = fragments.split_last().unwrap();
            for fragment in earlier {
                let waits = decoder.decode(START, 1, RAW, fragment).unwrap();
                assert_eq!(waits.err(), Some(Unseen::Fragment), "{name}");
            }
            let packet = open(&mut decoder, last);
            assert_eq!(sent(packet.datagram), sent(&inner), "{name}");
            assert_eq!(
                packet.tunnel.copied(),
                Some(tunnel_of(wrapping, &outer)),
                "{name}"
            );
            assert_eq!((packet.number, packet.captured), (7, inner.len()), "{name}");
        }
    }
}

#[test]
fn what_only_claims_to_be_a_tunnel_stays_what_it_is() {
    let [ip4, ip6] = inner();
    let frame = ethernet(&ip4);
    let longer = |packet: &[u8], at: usize| {
        let mut packet = packet.to_vec();
        packet[at] += 1;
        packet
    };
    let (longer4, longer6) = (longer(&ip4, 3), longer(&ip6, 5));
    let ip = [8, 0];
    let gtp = |header: &[u8]| in_udp(2152, header, &ip4);
    let length = ip4.len() as u8;
    let type_iii = |version: u8, frame_type: u8| {
        let header = [
            0, 0, 0, 1, version, 0, 0, 0, 0, 0, 0, 0, 0, 0, frame_type, 0,
        ];
        gre(&[0x10, 0], [0x22, 0xeb], &header, &frame)
    };
    for (what, outer) in [
        ("GRE of version 1", gre(&[0x20, 1], ip, &[0; 4], &ip4)),
        (
            "GRE of PPTP",
            gre(&[0x30, 0x81], [0x88, 0x0b], &[0; 12], &ip4),
        ),
        (
            "GRE with a source route",
            gre(&[0x40, 0], ip, &[0; 4], &ip4),
        ),
        (
            "GRE around MPLS",
            gre(&[0, 0], [0x88, 0x47], &[0, 0, 0x11, 0x40], &ip4),
        ),
        ("GRE keepalive", gre(&[0, 0], [0, 0], &[], &[])),
        ("GRE around another version", gre(&[0, 0], ip, &[], &ip6)),
        ("GRE around less than IP", gre(&[0, 0], ip, &[], &ip4[..19])),
        (
            "GRE around less than it says",
            gre(&[0, 0], ip, &[], &longer4),
        ),
        (
            "ERSPAN II of version 2",
            gre(
                &[0x10, 0],
                [0x88, 0xbe],
                &[0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0],
                &frame,
            ),
        ),
        ("ERSPAN III of version 1", type_iii(0x10, 0)),
        (
            "ERSPAN III around an infiniband frame",
            type_iii(0x20, 1 << 2),
        ),
        (
            "VXLAN without VNI",
            in_udp(4789, &[0, 0, 0, 0, 0, 0, 1, 0], &frame),
        ),
        (
            "VXLAN with other flags",
            in_udp(4789, &[0x0c, 0, 0, 1, 0, 0, 1, 0], &frame),
        ),
        (
            "VXLAN with reserved bits",
            in_udp(4789, &[8, 0, 0, 1, 0, 0, 1, 0], &frame),
        ),
        (
            "VXLAN with a reserved byte",
            in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 1], &frame),
        ),
        (
            "VXLAN-GPE for OAM",
            in_udp(4790, &[0x0d, 0, 0, 1, 0, 0, 1, 0], &ip4),
        ),
        (
            "VXLAN-GPE without a next protocol",
            in_udp(4790, &[8, 0, 0, 0, 0, 0, 1, 0], &frame),
        ),
        (
            "VXLAN-GPE of version 1",
            in_udp(4790, &[0x1c, 0, 0, 1, 0, 0, 1, 0], &ip4),
        ),
        (
            "VXLAN-GPE around NSH",
            in_udp(4790, &[0x0c, 0, 0, 4, 0, 0, 1, 0], &ip4),
        ),
        (
            "VXLAN around less than it says",
            in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &ethernet(&longer4)),
        ),
        (
            "Geneve of version 1",
            in_udp(6081, &[0x40, 0, 8, 0, 0, 0, 1, 0], &ip4),
        ),
        (
            "Geneve control",
            in_udp(6081, &[0, 0x80, 8, 0, 0, 0, 1, 0], &ip4),
        ),
        (
            "Geneve with options longer than it",
            in_udp(6081, &[0x3f, 0, 8, 0, 0, 0, 1, 0], &ip4),
        ),
        (
            "Geneve around another protocol",
            in_udp(6081, &[0, 0, 0x88, 0x47, 0, 0, 1, 0], &ip4),
        ),
        ("GTP of version 0", gtp(&[0x1e, 255, 0, length, 0, 0, 0, 1])),
        ("GTP'", gtp(&[0x20, 255, 0, length, 0, 0, 0, 1])),
        ("GTP echo", gtp(&[0x30, 1, 0, length, 0, 0, 0, 1])),
        (
            "GTP longer than UDP",
            gtp(&[0x30, 255, 0, length + 1, 0, 0, 0, 1]),
        ),
        (
            "GTP shorter than IP",
            gtp(&[0x30, 255, 0, length - 1, 0, 0, 0, 1]),
        ),
        (
            "GTP with an empty extension",
            gtp(&[
                0x34,
                255,
                0,
                length + 8,
                0,
                0,
                0,
                1,
                0,
                0,
                0,
                0x85,
                0,
                0,
                0,
                0,
            ]),
        ),
        (
            "GTP with extensions without end",
            gtp(&[0x34, 255, 0, length + 4, 0, 0, 0, 1, 0, 0, 0, 0x85]),
        ),
        ("Teredo around IPv4", in_udp(3544, &[], &ip4)),
        (
            "Teredo around less than it says",
            in_udp(3544, &[], &longer6),
        ),
        (
            "Teredo with authentication alone",
            in_udp(3544, &[0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0], &[]),
        ),
        ("IPv6 as IPv4 in IPv4", in_ipv4(4, &ip6)),
        ("IPv4 as IPv6 in IPv4", in_ipv4(41, &ip4)),
        ("IPv4 as IPv6 in IPv6", in_ipv6(41, &ip4)),
        ("IPv4 around less than it says", in_ipv4(4, &longer4)),
        ("nothing in IPv4", in_ipv4(4, &[])),
        (
            "another port",
            in_udp(4788, &[8, 0, 0, 0, 0, 0, 1, 0], &frame),
        ),
    ] {
        let mut decoder = decoder("all");
        let packet = open(&mut decoder, &outer);
        assert_eq!(
            (packet.tunnel, packet.datagram),
            (None, &outer[..]),
            "{what}"
        );
    }
}

/// The port that an overlay's packets come from is chance; GTP-U's and Teredo's answers come from the port itself.
#[test]
fn ports_count_where_the_protocols_use_them() {
    for (wrapping, _, mut outer) in wrapped() {
        let transport = if is_v4(&outer) { 20 } else { 40 };
        if outer[9] != 17 || !is_v4(&outer) {
            continue;
        }
        let mut port = [0; 2];
        port.copy_from_slice(&outer[transport + 2..transport + 4]);
        outer[transport..transport + 2].copy_from_slice(&port);
        outer[transport + 2..transport + 4].copy_from_slice(&[0xc3, 0x50]);
        let mut decoder = decoder("all");
        let either = ["gtpu", "teredo"].contains(&wrapping.kind);
        let opened = open(&mut decoder, &outer).tunnel.is_some();
        assert_eq!(opened, either, "{}", wrapping.name);
    }
}

/// ARP in VXLAN and in ERSPAN. Unless it is asked for, the outer packet is one as any.
#[test]
fn a_tunnel_around_a_frame_without_ip_is_a_frame_without_ip() {
    let arp = [
        &[0xff; 6][..],
        &[2, 0, 0, 0, 0, 1, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
        &[0; 20],
    ]
    .concat();
    for outer in [
        in_udp(4789, &[8, 0, 0, 0, 0, 0, 1, 0], &arp),
        gre(&[0, 0], [0x88, 0xbe], &[], &arp),
    ] {
        let decoded = decoder("all").decode(START, 1, RAW, &outer).err();
        assert_eq!(decoded, Some(NoIp::OtherProtocol));
        assert_eq!(open(&mut Decoder::default(), &outer).datagram, outer);
    }
}

/// ERSPAN's T bit: a mirror may send the beginning of a frame alone.
#[test]
fn a_mirror_may_send_less_than_the_frame() {
    let inner = ipv4("192.0.2.1", "198.51.100.2", 17, &[7; 100]);
    let headers = [0, 0, 0, 9, 0x10, 7, 0x1c, 100, 0, 0, 0, 5];
    let frame = &ethernet(&inner)[..64];
    let outer = gre(&[0x10, 0], [0x88, 0xbe], &headers, frame);
    let mut decoder = decoder("erspan");
    let packet = open(&mut decoder, &outer);
    assert_eq!((packet.datagram.len(), packet.captured), (120, 50));
    assert_eq!(packet.datagram[..50], inner[..50]);
    assert_eq!(packet.datagram[50..], [0; 70]);
}

/// Bytes of tunnels in tunnels, changed at random: whatever comes, of a packet no more is captured than the frame holds.
#[test]
fn no_bytes_are_too_bad() {
    let rng = &mut Rng::with_seed(7);
    let wrapped: Vec<Vec<u8>> = wrapped().map(|(_, _, outer)| outer).collect();
    let mut decoder = decoder("all");
    let mut opened = 0;
    for _ in 0..200_000 {
        let mut frame = wrapped[rng.usize(..wrapped.len())].clone();
        for _ in 0..rng.usize(..3) {
            let wrapping = &ALL[rng.usize(..ALL.len())];
            frame = wrapping.around(&frame);
        }
        for _ in 0..rng.usize(..6) {
            let at = rng.usize(..frame.len());
            frame[at] = rng.u8(..);
        }
        frame.truncate(rng.usize(..=frame.len() * 2));
        if let Ok(Ok(packet)) = decoder.decode(START, 1, RAW, &frame) {
            assert!(packet.captured <= packet.datagram.len());
            assert!(packet.fragmented || packet.captured <= frame.len());
            opened += u64::from(packet.tunnel.is_some());
        }
    }
    assert!(opened > 20_000, "{opened}");
}
