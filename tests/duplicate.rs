//! Packets captured twice.

use std::time::Duration;

use ctaudit::packet::duplicate::Duplicates;
use ctaudit::time::Timestamp;

use crate::traffic::packet;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_nanos(milliseconds * 1_000_000)
}

fn packets() -> [Vec<u8>; 2] {
    let ip = |source: &str, destination: &str| {
        let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
        packet::ip(source, destination, 17, b"12345678".to_vec())
    };
    [
        ip("192.0.2.1", "198.51.100.2"),
        ip("2001:db8::1", "2001:db8::2"),
    ]
}

/// RFC 1812 5.3.1 and RFC 8200 3: a router takes one off the hop count; in IPv4 the header's checksum follows.
#[test]
fn what_a_router_changes_makes_no_other_packet() {
    for ip in packets() {
        let mut routed = ip.clone();
        if ip[0] >> 4 == 4 {
            routed[8] -= 1;
            routed[10..12].copy_from_slice(&[1, 2]);
        } else {
            routed[7] -= 1;
        }
        // What a short Ethernet frame is filled up with is not part of it.
        let padded = [&ip[..], &[0; 18]].concat();
        let mut seen = Duplicates::within(Duration::from_millis(10));
        assert!(!seen.is_one(at(0), &ip));
        assert!(seen.is_one(at(1), &routed));
        assert!(seen.is_one(at(9), &padded));
        // The first one counts, not the last.
        assert!(!seen.is_one(at(11), &ip));
        assert!(seen.is_one(at(21), &ip));
    }
}

#[test]
fn whatever_else_differs_makes_another_packet() {
    for ip in packets() {
        let is_ipv4 = ip[0] >> 4 == 4;
        for at_byte in 1..ip.len() {
            let is_routers = matches!((is_ipv4, at_byte), (true, 8 | 10 | 11) | (false, 7));
            // The length is what it ends by.
            let is_length = matches!((is_ipv4, at_byte), (true, 2 | 3) | (false, 4 | 5));
            let mut other = ip.clone();
            other[at_byte] ^= 0x10;
            let mut seen = Duplicates::within(Duration::from_millis(10));
            assert!(!seen.is_one(at(0), &ip));
            if !is_length {
                assert_eq!(seen.is_one(at(0), &other), is_routers, "byte {at_byte}");
            }
        }
    }
}

/// Two capture points need not agree about the time, and their files not about the order.
#[test]
fn the_second_may_seem_older() {
    let [ip, _] = packets();
    let mut seen = Duplicates::within(Duration::from_millis(10));
    assert!(!seen.is_one(at(100), &ip));
    assert!(seen.is_one(at(95), &ip));
    assert!(!seen.is_one(at(80), &ip));
}

#[test]
fn nothing_that_is_too_old_is_remembered() {
    let [ip, _] = packets();
    let mut seen = Duplicates::within(Duration::from_secs(3600));
    let numbered = |number: u32| {
        let mut ip = ip.clone();
        let end = ip.len();
        ip[end - 4..].copy_from_slice(&number.to_be_bytes());
        ip
    };
    // So many are remembered at once, whatever the window.
    let most = 1 << 18;
    for number in 0..=most {
        assert!(!seen.is_one(at(0), &numbered(number)));
    }
    assert!(!seen.is_one(at(0), &numbered(0)));
    assert!(seen.is_one(at(0), &numbered(most)));
}
