//! Link layers, headers, fragments, routing.

mod frames;
mod link;
pub mod tunnel;

use std::time::Duration;

use ctaudit::packet::fragment::Limits;
use ctaudit::packet::route::{Fate, fate};
use ctaudit::packet::tunnel::Kinds;
use ctaudit::packet::{Decoder, Malformed, Unseen};
use ctaudit::time::Timestamp;

use crate::traffic::packet::{self, seal};

const START: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

fn ipv4(source: &str, destination: &str, protocol: u8, payload: &[u8]) -> Vec<u8> {
    packet::ip(
        source.parse().unwrap(),
        destination.parse().unwrap(),
        protocol,
        payload.to_vec(),
    )
}

fn decode_raw(ip: &[u8]) -> Option<Result<(usize, Option<usize>), Unseen>> {
    let mut decoder = Decoder::default();
    let decoded = decoder.decode(START, 1, 101, ip).ok()?;
    Some(decoded.map(|packet| (packet.datagram.len(), packet.transport.map(|(_, at)| at))))
}

#[test]
fn what_the_snap_length_cut_off_is_zeros() {
    let ip = ipv4("192.0.2.1", "198.51.100.2", 17, &[7; 100]);
    let mut decoder = Decoder::default();
    let packet = decoder.decode(START, 1, 101, &ip[..60]).unwrap().unwrap();
    assert_eq!((packet.datagram.len(), packet.captured), (120, 60));
    assert_eq!(packet.datagram[..60], ip[..60]);
    assert_eq!(packet.datagram[60..], [0; 60]);
}

/// RFC 791; `ip_rcv_core`
#[test]
fn ipv4_headers_that_are_refused() {
    let good = ipv4("192.0.2.1", "198.51.100.2", 17, &[0; 8]);
    assert_eq!(decode_raw(&good), Some(Ok((28, Some(20)))));
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        decode_raw(&bytes)
    };
    let refused = |why| Some(Err(Unseen::Refused(why)));
    assert_eq!(with(0, 0x44), refused(Malformed::HeaderLength));
    assert_eq!(with(3, 19), refused(Malformed::HeaderLength));
    assert_eq!(decode_raw(&good[..19]), refused(Malformed::HeaderCut));
    // Segmentation offload leaves the length out.
    assert_eq!(with(3, 0), Some(Ok((28, Some(20)))));
}

/// RFC 8200, 4.2 to 4.6
#[test]
fn ipv6_extension_headers_are_walked() {
    let mut ip = packet::ip(
        "2001:db8::1".parse().unwrap(),
        "2001:db8::2".parse().unwrap(),
        0,
        Vec::new(),
    );
    let chain: &[(u8, &[u8])] = &[
        (60, &[0; 6]),
        (43, &[0; 6]),
        (51, &[0; 6]),
        (17, &[0, 0, 0, 0, 0, 0]),
    ];
    // Hop-by-hop, destination options, routing, authentication (whose length counts in words), UDP.
    for (next, rest) in chain {
        ip.push(*next);
        ip.push(0);
        ip.extend(*rest);
    }
    let authentication = 40 + 24;
    ip.truncate(authentication);
    ip.extend([51, 0, 0, 0, 0, 0, 0, 0]);
    let at = ip.len();
    ip[at - 8] = 17;
    ip[authentication - 8] = 51;
    ip.extend([0; 8]);
    let length = (ip.len() - 40) as u16;
    ip[4..6].copy_from_slice(&length.to_be_bytes());
    // The pad bytes of the hop-by-hop header are Pad1 options.
    assert_eq!(decode_raw(&ip), Some(Ok((ip.len(), Some(at)))));
}

#[test]
fn ipv6_addresses_that_may_not_be_on_a_wire() {
    for (source, destination, why) in [
        ("::1", "2001:db8::2", Malformed::Loopback),
        ("2001:db8::1", "::1", Malformed::Loopback),
        ("ff02::1", "2001:db8::2", Malformed::MulticastScope),
        ("2001:db8::1", "ff01::1", Malformed::MulticastScope),
        ("2001:db8::1", "ff00::1", Malformed::MulticastScope),
    ] {
        assert_eq!(
            decode_raw(&ipv4(source, destination, 17, &[0; 8])),
            Some(Err(Unseen::Refused(why))),
            "{source}"
        );
    }
}

/// `ip_route_input_slow`, `ip6_forward`
#[test]
fn routing() {
    for (source, destination, expected) in [
        ("192.0.2.1", "198.51.100.2", Fate::Forwarded),
        ("192.0.2.1", "224.0.0.251", Fate::Delivered),
        ("192.0.2.1", "255.255.255.255", Fate::Delivered),
        ("0.0.0.0", "255.255.255.255", Fate::Delivered),
        ("0.0.0.0", "198.51.100.2", Fate::Discarded),
        ("0.0.0.0", "239.1.1.1", Fate::Discarded),
        ("192.0.2.1", "0.0.0.0", Fate::Discarded),
        ("224.0.0.1", "198.51.100.2", Fate::Discarded),
        ("255.255.255.255", "198.51.100.2", Fate::Discarded),
        ("2001:db8::1", "2001:db8:1::1", Fate::Forwarded),
        ("fe80::1", "ff02::fb", Fate::Delivered),
        ("fe80::1", "2001:db8::1", Fate::Discarded),
        ("2001:db8::1", "fe80::1", Fate::Discarded),
        ("::", "2001:db8::1", Fate::Discarded),
    ] {
        let ip = ipv4(source, destination, 17, &[0; 8]);
        let mut decoder = Decoder::default();
        let packet = decoder.decode(START, 1, 101, &ip).unwrap().unwrap();
        assert_eq!(fate(&packet, &[]), expected, "{source} to {destination}");
    }
}

/// `__mkroute_output`, `ip_mc_output`
#[test]
fn routing_of_the_firewalls_own() {
    let local = ["192.0.2.1/24", "203.0.113.1/31", "2001:db8::1/64"];
    let local = local.map(|own| own.parse().unwrap());
    for (source, destination, expected) in [
        ("192.0.2.1", "198.51.100.2", Fate::Sent),
        ("192.0.2.1", "192.0.2.255", Fate::Broadcast),
        ("192.0.2.1", "255.255.255.255", Fate::Broadcast),
        ("192.0.2.1", "203.0.113.1", Fate::Looped),
        ("192.0.2.1", "203.0.113.255", Fate::Sent),
        ("198.51.100.2", "192.0.2.1", Fate::Delivered),
        ("198.51.100.2", "192.0.2.255", Fate::Delivered),
        ("198.51.100.2", "192.0.2.0", Fate::Forwarded),
        ("198.51.100.2", "192.0.2.2", Fate::Forwarded),
        ("2001:db8::1", "2001:db8:1::1", Fate::Sent),
        ("2001:db8:1::1", "2001:db8::1", Fate::Delivered),
    ] {
        let ip = ipv4(source, destination, 17, &[0; 8]);
        let mut decoder = Decoder::default();
        let packet = decoder.decode(START, 1, 101, &ip).unwrap().unwrap();
        assert_eq!(fate(&packet, &local), expected, "{source} to {destination}");
    }
}

/// A datagram in pieces; offset and length in bytes.
fn fragment(id: u16, data: &[u8], offset: usize, length: usize, more: bool) -> Vec<u8> {
    let mut ip = ipv4(
        "192.0.2.1",
        "198.51.100.2",
        17,
        &data[offset..offset + length],
    );
    ip[4..6].copy_from_slice(&id.to_be_bytes());
    let field = (offset / 8) as u16 | u16::from(more) << 13;
    ip[6..8].copy_from_slice(&field.to_be_bytes());
    // The builder took the payload for UDP and wrote a checksum into it.
    let at = 20;
    ip[at..].copy_from_slice(&data[offset..offset + length]);
    seal(&mut ip[..20]);
    ip
}

fn fragment6(id: u32, data: &[u8], offset: usize, length: usize, more: bool) -> Vec<u8> {
    let mut payload = vec![17, 0];
    payload.extend((offset as u16 | u16::from(more)).to_be_bytes());
    payload.extend(id.to_be_bytes());
    payload.extend(&data[offset..offset + length]);
    let mut ip = packet::ip(
        "2001:db8::1".parse().unwrap(),
        "2001:db8::2".parse().unwrap(),
        44,
        payload.clone(),
    );
    ip[40..].copy_from_slice(&payload);
    ip
}

fn gather(decoder: &mut Decoder, at: Timestamp, ip: &[u8]) -> Result<Vec<u8>, Unseen> {
    decoder
        .decode(at, 1, 101, ip)
        .unwrap()
        .map(|packet| packet.transport_bytes().to_vec())
}

#[test]
fn fragments_in_any_order_make_the_datagram() {
    type Make = fn(&[u8], usize, usize, bool) -> Vec<u8>;
    let data: Vec<u8> = (0..100).collect();
    let pieces = [(0, 40, true), (40, 40, true), (80, 20, false)];
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let families: [Make; 2] = [
        |data, offset, length, more| fragment(7, data, offset, length, more),
        |data, offset, length, more| fragment6(7, data, offset, length, more),
    ];
    for (version, make) in ["IPv4", "IPv6"].into_iter().zip(families) {
        for order in orders {
            let mut decoder = Decoder::default();
            let results = order.map(|index| {
                let (offset, length, more) = pieces[index];
                gather(&mut decoder, START, &make(&data, offset, length, more))
            });
            assert_eq!(
                results,
                [
                    Err(Unseen::Fragment),
                    Err(Unseen::Fragment),
                    Ok(data.clone())
                ],
                "{version}, {order:?}"
            );
        }
    }
}

/// RFC 5722: an overlap discards the datagram; a duplicate does not.
#[test]
fn overlaps_and_duplicates() {
    let data: Vec<u8> = (0..100).collect();
    let mut decoder = Decoder::default();
    let mut send = |offset, length, more| {
        gather(
            &mut decoder,
            START,
            &fragment(7, &data, offset, length, more),
        )
    };
    assert_eq!(send(0, 40, true), Err(Unseen::Fragment));
    assert_eq!(send(8, 16, true), Err(Unseen::FragmentDropped));
    assert_eq!(send(40, 60, false), Ok(data.clone()));
    assert_eq!(send(0, 40, true), Err(Unseen::Fragment));
    assert_eq!(send(32, 40, true), Err(Unseen::FragmentDropped));
    assert_eq!(send(40, 60, false), Err(Unseen::Fragment));
    assert_eq!(send(0, 40, true), Ok(data.clone()));
}

/// net.ipv4.ipfrag_time and nf_conntrack_frag6_timeout. The kernel's timers are never early.
#[test]
fn incomplete_datagrams_are_forgotten() {
    let data: Vec<u8> = (0..80).collect();
    let late = |seconds| START + Duration::from_secs(seconds);
    for (seconds, expected) in [(30, Ok(data.clone())), (31, Err(Unseen::Fragment))] {
        let mut decoder = Decoder::new(Limits::default(), Kinds::default());
        let _ = gather(&mut decoder, START, &fragment(7, &data, 0, 40, true));
        assert_eq!(
            gather(
                &mut decoder,
                late(seconds),
                &fragment(7, &data, 40, 40, false)
            ),
            expected,
            "{seconds} s"
        );
    }
    for (seconds, expected) in [(60, Ok(data.clone())), (61, Err(Unseen::Fragment))] {
        let mut decoder = Decoder::new(Limits::default(), Kinds::default());
        let _ = gather(&mut decoder, START, &fragment6(7, &data, 0, 40, true));
        assert_eq!(
            gather(
                &mut decoder,
                late(seconds),
                &fragment6(7, &data, 40, 40, false)
            ),
            expected,
            "{seconds} s"
        );
    }
}

/// A flood of first fragments stops being remembered at the threshold.
#[test]
fn fragments_find_a_limit() {
    let data = vec![0; 1400];
    let mut decoder = Decoder::default();
    let remembered = (0..10_000).filter(|&id| {
        gather(&mut decoder, START, &fragment(id, &data, 0, 1400, true)) == Err(Unseen::Fragment)
    });
    let remembered = remembered.count();
    assert!(
        (1_000..4_000).contains(&remembered),
        "{remembered} of 10,000"
    );
}
