//! Every link type: headers that lead to IP, and why others do not.

use ctaudit::packet::link::nflog::{Logged, logged};
use ctaudit::packet::link::{self, Via, network_layer, via};

use super::frames::{LEADS, LEFT_OUT};
use super::ipv4;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    let pairs = digits.chunks(2);
    pairs.map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

#[test]
fn each_link_layer_leads_to_the_same_packet() {
    let ip = ipv4("192.0.2.1", "198.51.100.2", 17, b"12345678");
    for (link, what, header) in LEADS {
        let header = hex(header);
        let frame = [&header[..], &ip[..]].concat();
        assert_eq!(network_layer(*link, &frame), Ok(&ip[..]), "{link}, {what}");
        for length in 0..=header.len() {
            assert!(
                network_layer(*link, &frame[..length]).is_err(),
                "{link}, {what}, cut at {length}"
            );
        }
    }
}

#[test]
fn a_frame_without_ip_says_why() {
    for (link, what, frame, why) in LEFT_OUT {
        assert_eq!(
            network_layer(*link, &hex(frame)),
            Err(*why),
            "{link}, {what}"
        );
    }
}

/// Headers whose own length is in them, or too long to be written out.
#[test]
fn long_headers_lead_to_ip() {
    let ip = ipv4("192.0.2.1", "198.51.100.2", 17, b"12345678");
    let wifi = hex("0802 0000 02aa00000001 02aa00000002 02aa00000003 0010 aaaa03 000000 0800");
    let ethernet = hex("02aa00000001 02aa00000002 0800");
    let header = |beginning: &str, length| {
        let mut header = hex(beginning);
        header.resize(length, 0);
        header
    };
    for (link, before, behind) in [
        (119, header("44000000 90000000", 144), &wifi[..]),
        (258, header("6c000000 01000000 01000000", 108), &ethernet),
        (117, header("3d 02 01 00", 64), &[]),
        (8, header("00 45", 16), &[]),
    ] {
        let frame = [&before[..], behind, &ip].concat();
        assert_eq!(network_layer(link, &frame), Ok(&ip[..]), "{link}");
    }
}

/// As many headers as a frame can hold are walked, and no stack grows with them.
#[test]
fn any_depth_of_headers_is_walked() {
    let ip = ipv4("192.0.2.1", "198.51.100.2", 17, b"12345678");
    let pseudowire = "8847 00010140 00000000 02aa00000003 02aa00000004";
    for (link, begins, repeated, ends) in [
        (1, "02aa00000001 02aa00000002", "8100 0007", "0800"),
        (1, "02aa00000001 02aa00000002 8847", "00010040", "00010140"),
        (
            1,
            "02aa00000001 02aa00000002",
            &format!("8100 0001 {pseudowire}"),
            "0800",
        ),
        (192, "", "0000 0800 c0000000", "0000 0800 65000000"),
    ] {
        let repeated = hex(repeated);
        let many = repeated.repeat(200_000 / repeated.len());
        let frame = [hex(begins), many, hex(ends), ip.clone()].concat();
        assert_eq!(network_layer(link, &frame), Ok(&ip[..]), "{link}, {begins}");
    }
}

#[test]
fn of_an_nflog_frame_the_rule_is_told() {
    let frame = hex(
        "02 00 0000  0800 0100 0800 03 00  0800 0200 0000002a  0b00 0a00 73736820696e00 00
         0800 0400 00000002  0800 0500 00000003  0500 0900 45",
    );
    let wanted = Logged {
        prefix: b"ssh in",
        mark: Some(42),
        hook: Some(3),
        input: Some(2),
        output: Some(3),
    };
    assert_eq!(logged(&frame), Some(wanted));
    assert_eq!(logged(&hex("02 00 0000")), Some(Logged::default()));
    assert_eq!(logged(&hex("02 01 0000")), None);
    // A length below its own header's ends the list.
    assert_eq!(
        logged(&hex("02 00 0000 0300 0200 0000002a")),
        Some(Logged::default())
    );
}

#[test]
fn the_sender_on_the_link() {
    let from = |interface| {
        let sender = [2, 0xaa, 0, 0, 0, 2];
        Some(Via { interface, sender })
    };
    for (link, frame, wanted) in [
        (1, "02aa00000001 02aa00000002 0800", from(7)),
        (113, "0000 0001 0006 02aa000000020000 0800", from(7)),
        (
            276,
            "0800 0000 00000003 0001 00 06 02aa000000020000",
            from(3),
        ),
        (
            105,
            "0802 0000 02aa00000001 02aa00000002 02aa00000003 0010",
            from(7),
        ),
        (
            127,
            "0000 0800 00000000 0802 0000 02aa00000001 02aa00000002 02aa00000003 0010",
            from(7),
        ),
        (105, "d400 0000 02aa00000001", None),
        (101, "45", None),
    ] {
        assert_eq!(via(link, 7, &hex(frame)), wanted, "{link}");
    }
}

/// <https://www.tcpdump.org/linktypes.html>
#[test]
fn link_types_have_names() {
    for (link, wanted) in [
        (0, "BSD loopback (LINKTYPE_NULL 0)"),
        (1, "Ethernet (LINKTYPE_ETHERNET 1)"),
        (113, "Linux cooked v1 (LINKTYPE_LINUX_SLL 113)"),
        (
            220,
            "USB with padded Linux header (LINKTYPE_USB_LINUX_MMAPPED 220)",
        ),
        (276, "Linux cooked v2 (LINKTYPE_LINUX_SLL2 276)"),
        (11, "an unassigned link type (11)"),
        (65535, "an unassigned link type (65535)"),
    ] {
        assert_eq!(link::described(link), wanted);
    }
    let assigned = (0..11)
        .chain([12, 14, 50, 51])
        .chain(99..208)
        .chain(209..305);
    let named = (0..=u16::MAX).filter(|&link| link::name(link).is_some());
    assert!(named.eq(assigned));
}
