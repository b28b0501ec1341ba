//! Sections, interfaces and their clocks, blocks.

use ctaudit::capture::{Capture, Error, Fault};

use super::Order::{Big, Little};
use super::*;

#[test]
fn each_section_has_its_byte_order_and_its_interfaces() {
    let file = [
        Little.section(),
        Little.interface(1, 0, &[]),
        Little.interface(101, 0, &[(9, &[9])]),
        Little.enhanced(1, 5, b"nanoseconds"),
        Little.enhanced(0, 5, b"microseconds"),
        Big.section(),
        Big.interface(113, 0, &[(9, &[3])]),
        Big.enhanced(0, 5, b"milliseconds"),
        Big.enhanced(1, 5, b"of the section before"),
        Big.interface(276, 0, &[]),
        Big.enhanced(1, 5, b"described late"),
        Little.section(),
        Little.enhanced(0, 5, b"of no interface"),
    ]
    .concat();
    let expected = [
        seen(1, 5, 101, b"nanoseconds"),
        seen(2, 5_000, 1, b"microseconds"),
        seen(3, 5_000_000, 113, b"milliseconds"),
        seen(4, 5_000, 276, b"described late"),
    ];
    let (frames, errors) = read(&file);
    assert_eq!(frames, expected);
    let damage = |error: &Error| match error {
        Error::Damaged(damage) => (damage.packet, damage.passed_over),
        other => panic!("{other}"),
    };
    let damage: Vec<_> = errors.iter().map(damage).collect();
    assert_eq!(damage, [(4, 12 + 20 + 24), (5, 12 + 20 + 16)]);
}

#[test]
fn resolutions_and_offsets() {
    let second = 1_000_000_000;
    for (resolution, offset, ticks, nanos) in [
        (None, None, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (Some(0), None, 7, 7 * second),
        (Some(3), None, 7, 7_000_000),
        (Some(6), None, 7, 7_000),
        (Some(9), None, u64::from(u32::MAX) + 1, 4_294_967_296),
        (Some(10), None, 79, 7),
        (Some(12), None, 1_500_000_000_999, 1_500_000_000),
        (Some(28), None, u64::MAX, 1), // 1.8 * 10^19 ticks of 10^-28 s
        (Some(29), None, u64::MAX, 0),
        (Some(127), None, u64::MAX, 0),
        (Some(0x80), None, 7, 7 * second),
        (Some(0x80 | 1), None, 7, 3_500_000_000),
        (Some(0x80 | 20), None, 3 << 19, 1_500_000_000),
        (Some(0x80 | 30), None, 1, 0), // 0.93 ns
        (Some(0x80 | 64), None, 1 << 63, 500_000_000),
        (Some(0x80 | 127), None, u64::MAX, 0),
        (Some(6), Some(3_600), 1, 3_600 * second + 1_000),
        (Some(6), Some(-1), 1, 1_000 - second), // before 1970
        // No clock runs that long.
        (Some(0), None, u64::MAX, i64::MAX),
        (Some(6), Some(i64::MAX), 0, i64::MAX),
        (Some(6), Some(i64::MIN), 0, i64::MIN),
        (Some(0), Some(i64::MIN), u64::MAX, i64::MAX),
    ] {
        for order in [Big, Little] {
            let resolution: Option<[u8; 1]> = resolution.map(|value| [value]);
            let offset: Option<[u8; 8]> = offset.map(|value: i64| order.u64(value as u64));
            let mut options: Vec<(u16, &[u8])> = Vec::new();
            options.extend(offset.as_ref().map(|value| (14, value.as_slice())));
            options.extend(resolution.as_ref().map(|value| (9, value.as_slice())));
            let file = [
                order.section(),
                order.interface(1, 0, &options),
                order.enhanced(0, ticks, b"x"),
            ]
            .concat();
            assert_eq!(
                frames(&file)[0].nanos,
                nanos,
                "{resolution:?} {offset:?} {ticks}"
            );
        }
    }
}

#[test]
fn interface_options_that_are_no_text_or_no_options() {
    let not_utf8: (u16, &[u8]) = (2, b"\xff\xfe\xfd");
    let nanoseconds: (u16, &[u8]) = (9, &[9]);
    let end: (u16, &[u8]) = (0, b"");
    for (options, nanos) in [
        (vec![not_utf8, nanoseconds], 5),
        (vec![(11, b""), nanoseconds, end, (9, &[0])], 5),
        (vec![end, nanoseconds], 5_000),
        (vec![(9, b"")], 5_000),
        (vec![(14, b"\xff\xff\xff\xff")], 5_000),
    ] {
        let file = [
            Big.section(),
            Big.interface(1, 0, &options),
            Big.enhanced(0, 5, b"x"),
        ]
        .concat();
        assert_eq!(frames(&file)[0].nanos, nanos, "{options:?}");
    }
    // An option longer than the block.
    let body = [
        &Big.words(&[1 << 16, 0]),
        &Big.u16(9)[..],
        &Big.u16(60_000),
        &[9, 0, 0, 0],
    ]
    .concat();
    let file = [Big.section(), Big.block(1, &body), Big.enhanced(0, 5, b"x")].concat();
    assert_eq!(frames(&file), [seen(1, 5_000, 1, b"x")]);
}

#[test]
fn a_simple_packet_is_of_the_first_interface_and_has_its_snapshot_length() {
    for (snap_length, data) in [
        (0, "snapped"),
        (7, "snapped"),
        (8, "snapped"),
        (5, "snapp"),
        (6, "snappe"),
    ] {
        let file = [
            Little.section(),
            Little.simple(9, b"of no interface"),
            Little.interface(228, snap_length, &[(14, &[1; 8])]),
            Little.interface(1, 0, &[]),
            Little.simple(7, b"snapped"),
        ]
        .concat();
        let expected = Seen {
            original_length: 7,
            ..seen(1, 0, 228, data.as_bytes())
        };
        let (frames, errors) = read(&file);
        assert_eq!(frames, [expected], "{snap_length}");
        let [Error::Damaged(damage)] = &errors[..] else {
            panic!("{errors:?}");
        };
        assert_eq!((damage.byte, damage.passed_over), (28, 32));
    }
    // Cut to less than it was: nothing but the block says how long the data is.
    let file = [
        Little.section(),
        Little.interface(1, 0, &[]),
        Little.simple(1_500, b"only eight bytes"),
    ]
    .concat();
    assert_eq!(frames(&file)[0].data, b"only eight bytes");
    assert_eq!(frames(&file)[0].original_length, 1_500);
}

#[test]
fn an_obsolete_packet_has_drops_beside_its_interface() {
    for order in [Big, Little] {
        let interfaces = [order.interface(1, 0, &[]), order.interface(101, 0, &[])].concat();
        let packets = [
            order.obsolete(1, 0xffff, 1 << 32, b"packet"),
            order.obsolete(2, 0, 0, b"of none"),
        ]
        .concat();
        let file = [order.section(), interfaces, packets].concat();
        let (frames, errors) = read(&file);
        assert_eq!(frames, [seen(1, 4_294_967_296_000, 101, b"packet")]);
        assert_eq!(errors.len(), 1);
        assert!(
            errors[0]
                .to_string()
                .contains("interface 2, which nothing before it describes")
        );
    }
}

#[test]
fn a_packet_ends_with_its_block_whatever_it_claims() {
    let fixed = Little.words(&[0, 0, 0, 4_000, 60]);
    let packet = Little.block(6, &[&fixed[..], b"12345678"].concat());
    let file = [
        Little.section(),
        Little.interface(1, 0, &[]),
        packet,
        Little.enhanced(0, 0, b"next"),
    ]
    .concat();
    let frames = frames(&file);
    assert_eq!(
        (frames[0].data.as_slice(), frames[0].original_length),
        (&b"12345678"[..], 60)
    );
    assert_eq!(frames[1].data, b"next");
}

#[test]
fn blocks_without_a_packet_are_skipped() {
    for kind in [
        0,
        4,
        5,
        7,
        8,
        9,
        10,
        0xBAD,
        0x4000_0BAD,
        0x7fff_1234,
        0x8000_0001,
        u32::MAX,
    ] {
        for length in [0, 4, 400_000] {
            let other = Big.block(kind, &vec![6; length]);
            let packet = Big.enhanced(0, 0, b"packet");
            let start = [&other[..], &Big.interface(1, 0, &[]), &other].concat();
            let file = [&Big.section()[..], &start, &packet, &other].concat();
            assert_eq!(frames(&file), [seen(1, 0, 1, b"packet")], "block {kind:#x}");
        }
    }
}

/// `isb_ifdrop` and `isb_osdrop` (draft-ietf-opsawg-pcapng, 4.6). Of an interface the last statistics count, whatever
/// else is in them; a section's interfaces are its own.
#[test]
fn what_the_capture_lost_it_says_itself() {
    for order in [Big, Little] {
        let statistics = |interface, lost: [u64; 2]| {
            let option = |code, value| {
                let head = [order.u16(code), order.u16(8)].concat();
                [&head[..], &order.u64(value)].concat()
            };
            let options = [option(4, 99), option(5, lost[0]), option(7, lost[1])].concat();
            let body = [&order.words(&[interface, 0, 0])[..], &options].concat();
            order.block(5, &body)
        };
        let start = [order.section(), order.interface(1, 0, &[])].concat();
        let packet = order.enhanced(0, 0, b"packet");
        let file = [
            &start[..],
            &statistics(0, [1, 0]),
            &packet,
            &statistics(0, [3, 4]),
            &statistics(1, [1000, 0]),
            &order.block(5, b"short"),
            &start,
            &packet,
            &statistics(0, [10, 0]),
        ]
        .concat();
        let mut capture = Capture::from_reader("lost", Box::new(Cursor::new(file)));
        while capture.next().unwrap().is_some() {}
        assert_eq!(capture.account().lost, 17);
    }
}

#[test]
fn interfaces_without_end_are_an_error() {
    let interface = Big.interface(1, 0, &[]);
    let file = [
        Big.section(),
        interface.repeat(65_536),
        Big.enhanced(65_535, 0, b"x"),
    ]
    .concat();
    assert_eq!(frames(&file).len(), 1);
    let (count, error) = error(
        &[
            Big.section(),
            interface.repeat(65_537),
            Big.enhanced(0, 0, b"x"),
        ]
        .concat(),
    );
    assert_eq!(count, 1);
    let Error::Damaged(damage) = error else {
        panic!("{error:?}");
    };
    assert!(matches!(damage.fault, Fault::Malformed(_)));
    assert_eq!(damage.passed_over, interface.len() as u64);
    // But a section starts anew.
    let section = [
        Big.section(),
        interface.repeat(65_536),
        Big.enhanced(0, 0, b"x"),
    ]
    .concat();
    assert_eq!(frames(&section.repeat(2)).len(), 2);
}

#[test]
fn an_unknown_version_of_pcapng() {
    let (blocks, _) = small_pcapng();
    let (count, first) = error(&[Big.section_of_version(2), blocks.concat()].concat());
    assert_eq!(count, 0);
    assert!(!first.is_damage());
    assert!(matches!(
        first,
        Error::Header {
            fault: Fault::Version { major: 2, minor: 0 },
            ..
        }
    ));
    let (count, later) =
        error(&[blocks.concat(), Big.section_of_version(2), blocks.concat()].concat());
    assert_eq!(count, 6);
    let Error::Damaged(damage) = later else {
        panic!("{later:?}");
    };
    assert!(matches!(
        damage.fault,
        Fault::Version { major: 2, minor: 0 }
    ));
    assert_eq!(damage.passed_over, 28);
}

/// draft-ietf-opsawg-pcapng 4.2 (`if_fcslen`, where 4 and 32 mean the same) and 4.3.1 (bits 5 to 8 of `epb_flags`).
#[test]
fn check_sequences_are_said_by_interface_or_packet() {
    for order in [Big, Little] {
        let flags = |flags: u32| [&order.u16(2)[..], &order.u16(4), &order.u32(flags)].concat();
        let packet = |options: &[u8]| {
            let fixed = order.words(&[0, 0, 9, 8, 8]);
            order.block(6, &[&fixed, &b"dataFCS!"[..], options].concat())
        };
        for (interface, options, data) in [
            (0, vec![], &b"dataFCS!"[..]),
            (4, vec![], b"data"),
            (32, vec![], b"data"),
            (16, vec![], b"dataFC"),
            (0, flags(4 << 5), b"data"),
            (4, flags(2 << 5), b"dataFC"),
            (4, flags(1), b"data"),
        ] {
            let interface = order.interface(1, 0, &[(13, &[interface])]);
            let file = [order.section(), interface, packet(&options)].concat();
            assert_eq!(frames(&file)[0].data, data);
        }
    }
}

#[test]
fn a_name_that_is_no_utf_8_is_a_name() {
    for (name, expected) in [
        (&b"eth0"[..], "eth0"),
        (b"eth0\0\0", "eth0"),
        (b"Ethern\xe9t", "Ethern\u{fffd}t"),
    ] {
        let interface = Little.interface(1, 0, &[(2, name)]);
        let file = [Little.section(), interface, Little.enhanced(0, 1, b"x")].concat();
        let mut capture = Capture::from_reader("x", Box::new(Cursor::new(file)));
        let frame = capture.next().unwrap().unwrap();
        assert_eq!(frame.interface_name, Some(expected));
    }
}
