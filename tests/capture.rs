//! Captures as bytes, written here after the two drafts, and what must be read from them.

use std::io::{self, Cursor, Read};
use std::path::PathBuf;
use std::time::Duration;
use std::{fs, thread};

use ctaudit::capture::{Capture, Error, Fault};
use proptest::prelude::*;

/// A frame, kept.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    number: u64,
    nanos: i64,
    link: u16,
    data: Vec<u8>,
    original_length: u32,
}

fn seen(number: u64, nanos: i64, link: u16, data: &[u8]) -> Seen {
    Seen {
        number,
        nanos,
        link,
        data: data.to_vec(),
        original_length: data.len() as u32,
    }
}

/// Everything that an open capture gives. It must end: each call takes a header at least, or an input.
fn drain(capture: &mut Capture) -> (Vec<Seen>, Vec<Error>) {
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    loop {
        match capture.next() {
            Ok(None) => return (frames, errors),
            Ok(Some(frame)) => frames.push(Seen {
                number: frame.number,
                nanos: frame.at.nanos(),
                link: frame.link,
                data: frame.data.to_vec(),
                original_length: frame.original_length,
            }),
            Err(error) => errors.push(error),
        }
        assert!(
            errors.len() < 100,
            "the same error for ever: {:?}",
            errors[0]
        );
    }
}

fn read_from(reader: impl Read + Send + 'static) -> (Vec<Seen>, Vec<Error>) {
    drain(&mut Capture::from_reader("x.pcap", Box::new(reader)))
}

fn read(bytes: &[u8]) -> (Vec<Seen>, Vec<Error>) {
    read_from(Cursor::new(bytes.to_vec()))
}

fn frames(bytes: &[u8]) -> Vec<Seen> {
    let (frames, errors) = read(bytes);
    assert!(errors.is_empty(), "{errors:?}");
    frames
}

/// The one error of a capture and how many frames came before it.
fn error(bytes: &[u8]) -> (usize, Error) {
    let (frames, mut errors) = read(bytes);
    assert_eq!(errors.len(), 1, "{errors:?}");
    (frames.len(), errors.remove(0))
}

/// The byte order of a file, and the parts of a file in it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Big,
    Little,
}
use Order::{Big, Little};

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        if self == Big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self == Big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn u64(self, value: u64) -> [u8; 8] {
        if self == Big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }

    fn pcap(self, magic: u32, link: u32) -> Vec<u8> {
        let version = [self.u16(2), self.u16(4)].concat();
        [
            self.u32(magic).to_vec(),
            version,
            self.words(&[0, 0, 0, link]),
        ]
        .concat()
    }

    fn record(self, seconds: u32, fraction: u32, data: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        [&self.words(&[seconds, fraction, length, length]), data].concat()
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let body = padded(body);
        let length = self.u32(12 + body.len() as u32);
        [&self.u32(kind), &length, body.as_slice(), &length].concat()
    }

    fn section(self) -> Vec<u8> {
        self.section_of_version(1)
    }

    fn section_of_version(self, major: u16) -> Vec<u8> {
        let version = [self.u16(major), self.u16(0)].concat();
        self.block(
            0x0A0D_0D0A,
            &[
                &self.u32(0x1A2B_3C4D),
                version.as_slice(),
                &self.u64(u64::MAX),
            ]
            .concat(),
        )
    }

    fn interface(self, link: u16, snap_length: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut body = [&self.u16(link)[..], &[0, 0], &self.u32(snap_length)].concat();
        for (code, value) in options {
            body.extend(self.u16(*code));
            body.extend(self.u16(value.len() as u16));
            body.extend(padded(value));
        }
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, ticks: u64, data: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        let fixed = self.words(&[
            interface,
            (ticks >> 32) as u32,
            ticks as u32,
            length,
            length,
        ]);
        self.block(6, &[&fixed, data].concat())
    }

    fn obsolete(self, interface: u16, drops: u16, ticks: u64, data: &[u8]) -> Vec<u8> {
        let length = data.len() as u32;
        let first = [self.u16(interface), self.u16(drops)].concat();
        let rest = self.words(&[(ticks >> 32) as u32, ticks as u32, length, length]);
        self.block(2, &[&first, &rest, data].concat())
    }

    fn simple(self, original_length: u32, data: &[u8]) -> Vec<u8> {
        self.block(3, &[&self.u32(original_length), data].concat())
    }
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

const MICROSECONDS: u32 = 0xA1B2_C3D4;
const NANOSECONDS: u32 = 0xA1B2_3C4D;
const MODIFIED: u32 = 0xA1B2_CD34;

/// Three packets in 24 + 16 + 3 + 16 + 0 + 16 + 5 bytes.
fn small_pcap() -> (Vec<u8>, Vec<Seen>) {
    let records = [
        Little.record(1, 0, b"one"),
        Little.record(2, 0, b""),
        Little.record(3, 0, b"three"),
    ];
    let expected = vec![
        seen(1, 1_000_000_000, 1, b"one"),
        seen(2, 2_000_000_000, 1, b""),
        seen(3, 3_000_000_000, 1, b"three"),
    ];
    (
        [Little.pcap(MICROSECONDS, 1), records.concat()].concat(),
        expected,
    )
}

/// All kinds of packet blocks, and others, in two sections of different byte order.
fn small_pcapng() -> (Vec<Vec<u8>>, Vec<Seen>) {
    let blocks = vec![
        Little.section(),
        Little.interface(1, 0, &[]),
        Little.enhanced(0, 1, b"one"),
        Little.block(5, b"statistics"),
        Little.simple(3, b"two"),
        Big.section(),
        Big.interface(101, 0, &[(9, &[9])]),
        Big.obsolete(0, 7, 3, b"three"),
        Big.block(4, b"names"),
    ];
    (
        blocks,
        vec![
            seen(1, 1_000, 1, b"one"),
            seen(2, 0, 1, b"two"),
            seen(3, 3, 101, b"three"),
        ],
    )
}

#[test]
fn every_magic_of_pcap_in_both_byte_orders() {
    for (start, order, magic, unit) in [
        ([0xa1, 0xb2, 0xc3, 0xd4], Big, MICROSECONDS, 1_000),
        ([0xd4, 0xc3, 0xb2, 0xa1], Little, MICROSECONDS, 1_000),
        ([0xa1, 0xb2, 0x3c, 0x4d], Big, NANOSECONDS, 1),
        ([0x4d, 0x3c, 0xb2, 0xa1], Little, NANOSECONDS, 1),
    ] {
        let file = [
            order.pcap(magic, 113),
            order.record(1_700_000_000, 123_456, b"packet"),
        ]
        .concat();
        assert_eq!(file[..4], start);
        let nanos = 1_700_000_000_000_000_000 + 123_456 * unit;
        assert_eq!(frames(&file), [seen(1, nanos, 113, b"packet")]);
    }
}

#[test]
fn the_modified_pcap_has_eight_more_bytes_before_a_packet() {
    for (start, order) in [
        ([0xa1, 0xb2, 0xcd, 0x34], Big),
        ([0x34, 0xcd, 0xb2, 0xa1], Little),
    ] {
        let mut file = order.pcap(MODIFIED, 1);
        for data in [b"first", b"other"] {
            file.extend(order.words(&[1, 2, 5, 5]));
            file.extend(b"\x00\x00\x00\x02\x08\x00\x04\x00");
            file.extend(data);
        }
        assert_eq!(file[..4], start);
        let at = 1_000_002_000;
        assert_eq!(
            frames(&file),
            [seen(1, at, 1, b"first"), seen(2, at, 1, b"other")]
        );
    }
}

#[test]
fn the_check_sequence_bits_are_not_part_of_the_link_type() {
    let file = [Big.pcap(MICROSECONDS, 0x1400_0001), Big.record(0, 0, b"x")].concat();
    assert_eq!(frames(&file)[0].link, 1);
    for link in [0, 1, 12, 14, 101, 113, 228, 229, 276, 65_535] {
        let file = [Big.pcap(MICROSECONDS, link), Big.record(0, 0, b"x")].concat();
        assert_eq!(u32::from(frames(&file)[0].link), link);
    }
}

#[test]
fn odd_records_are_read_as_they_stand() {
    let mut file = Little.pcap(MICROSECONDS, 1);
    file[16..20].copy_from_slice(&Little.u32(2)); // a snapshot length below all that follows
    file.extend(Little.words(&[10, 2_500_000, 4, 1])); // two and a half seconds; captured more than there was
    file.extend(b"data");
    file.extend(Little.words(&[u32::MAX, u32::MAX, 0, 0])); // the latest there is
    let odd = Seen {
        original_length: 1,
        ..seen(1, 12_500_000_000, 1, b"data")
    };
    assert_eq!(
        frames(&file),
        [
            odd,
            seen(2, 4_294_967_295_000_000_000 + 4_294_967_295_000, 1, b"")
        ]
    );
}

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
    assert_eq!(frames(&file), expected);
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
        assert_eq!(frames(&file), [expected], "{snap_length}");
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
        assert_eq!(frames(&file), [seen(1, 4_294_967_296_000, 101, b"packet")]);
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
        assert_eq!(capture.lost(), 17);
    }
}

#[test]
fn files_that_pcap_file_wrote() {
    use pcap_file::pcap::{PcapHeader, PcapPacket, PcapTsResolution, PcapWriter};
    use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
    use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionBlock;
    use pcap_file::pcapng::{PcapNgBlock, PcapNgWriter};
    use pcap_file::{DataLink, Endianness};

    let at = Duration::new(1_700_000_000, 123_456_000);
    let expected = [seen(1, 1_700_000_000_123_456_000, 101, b"packet")];
    for endianness in [Endianness::Big, Endianness::Little] {
        for ts_resolution in [PcapTsResolution::MicroSecond, PcapTsResolution::NanoSecond] {
            let header = PcapHeader {
                endianness,
                ts_resolution,
                datalink: DataLink::RAW,
                ..PcapHeader::default()
            };
            let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
            writer
                .write_packet(&PcapPacket::new(at, 6, b"packet".as_slice()).unwrap())
                .unwrap();
            assert_eq!(frames(&writer.into_inner()), expected);
        }
        let mut writer = PcapNgWriter::with_endianness(Vec::new(), endianness).unwrap();
        let interface = InterfaceDescriptionBlock {
            linktype: DataLink::RAW,
            snaplen: 0,
            options: vec![],
        };
        writer.write_block(&interface.into_block()).unwrap();
        let packet = EnhancedPacketBlock {
            timestamp: at,
            original_len: 6,
            data: b"packet".as_slice().into(),
            ..EnhancedPacketBlock::default()
        };
        writer.write_block(&packet.into_block()).unwrap();
        assert_eq!(frames(&writer.into_inner()), expected);
    }
}

/// `ends[n]` is where the file may end so that n packets or blocks are whole, the header being the first.
fn cut_at_every_byte(file: &[u8], ends: &[usize], packets: &[usize], expected: &[Seen]) {
    assert_eq!(ends.last(), Some(&file.len()));
    for length in 0..file.len() {
        let (frames, errors) = read(&file[..length]);
        let whole = ends.iter().take_while(|end| **end <= length).count();
        if whole == 0 {
            assert!(frames.is_empty());
            let error = &errors[0];
            assert!(!error.is_damage(), "{length}: {error}");
            match length {
                0 => assert!(matches!(error, Error::Empty { .. })),
                1..4 => assert!(matches!(error, Error::NotACapture { .. })),
                _ => assert!(matches!(
                    error,
                    Error::Header {
                        fault: Fault::CutOff { .. },
                        ..
                    }
                )),
            }
            continue;
        }
        let delivered = packets[whole - 1];
        assert_eq!(frames, expected[..delivered], "{length}");
        if ends[whole - 1] == length {
            assert!(errors.is_empty(), "{length}: {errors:?}");
            continue;
        }
        assert_eq!(errors.len(), 1);
        assert!(errors[0].is_damage());
        let Error::Damaged {
            packet,
            byte,
            fault: Fault::CutOff { left, .. },
            ..
        } = &errors[0]
        else {
            panic!("{length}: {:?}", errors[0]);
        };
        assert_eq!(
            (*packet, *byte),
            (delivered as u64 + 1, ends[whole - 1] as u64)
        );
        assert_eq!(*left, length - ends[whole - 1]);
    }
    assert_eq!(frames(file), expected);
}

#[test]
fn pcap_cut_at_every_byte() {
    let (file, expected) = small_pcap();
    cut_at_every_byte(&file, &[24, 43, 59, 80], &[0, 1, 2, 3], &expected);
}

#[test]
fn pcapng_cut_at_every_byte() {
    let (blocks, expected) = small_pcapng();
    let ends: Vec<usize> = (1..=blocks.len())
        .map(|count| blocks[..count].concat().len())
        .collect();
    cut_at_every_byte(
        &blocks.concat(),
        &ends,
        &[0, 0, 1, 1, 2, 2, 2, 3, 3],
        &expected,
    );
}

/// Gives one byte at a time and is interrupted before each.
struct Dribble(Cursor<Vec<u8>>, bool);

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn single_bytes_and_interruptions_give_the_same_frames() {
    let long = [
        Big.pcap(NANOSECONDS, 1),
        Big.record(0, 1, &vec![3; 300_000]),
        Big.record(0, 2, b"short"),
    ]
    .concat();
    let expected_long = vec![seen(1, 1, 1, &vec![3; 300_000]), seen(2, 2, 1, b"short")];
    let (blocks, expected_blocks) = small_pcapng();
    for (file, expected) in [
        small_pcap(),
        (blocks.concat(), expected_blocks),
        (long, expected_long),
    ] {
        let (frames, errors) = read_from(Dribble(Cursor::new(file), false));
        assert!(errors.is_empty(), "{errors:?}");
        assert!(frames == expected);
    }
}

#[test]
fn packets_of_all_lengths_across_the_buffer() {
    // Lengths around the buffer's 256 KiB and far above it, each among short ones; the data says where it belongs.
    let kib = 1024;
    let lengths = [
        60,
        256 * kib - 17,
        256 * kib - 16,
        0,
        256 * kib,
        1514,
        256 * kib + 1,
        3_000 * kib,
        9,
        100_000,
        1,
    ];
    let lengths: Vec<usize> = (0..400)
        .chain(lengths)
        .chain(0..400)
        .chain(lengths)
        .collect();
    let data = |index: usize, length: usize| -> Vec<u8> {
        (0..length).map(|at| (index * 7 + at) as u8).collect()
    };
    let mut pcap = Big.pcap(NANOSECONDS, 1);
    let mut pcapng = [Big.section(), Big.interface(1, 0, &[(9, &[9])])].concat();
    let mut expected = Vec::new();
    for (index, length) in lengths.into_iter().enumerate() {
        let data = data(index, length);
        pcap.extend(Big.record(0, index as u32, &data));
        pcapng.extend(Big.enhanced(0, index as u64, &data));
        expected.push(seen(index as u64 + 1, index as i64, 1, &data));
    }
    assert!(frames(&pcap) == expected);
    assert!(frames(&pcapng) == expected);
}

#[test]
fn a_record_of_16_mib_is_the_longest() {
    let limit = 16 << 20;
    let file = |length| {
        [
            Little.pcap(MICROSECONDS, 1),
            Little.record(0, 0, &vec![1; length]),
        ]
        .concat()
    };
    assert_eq!(frames(&file(limit - 16))[0].data.len(), limit - 16);
    let (count, error) = error(&file(limit - 15));
    assert_eq!(count, 0);
    assert!(
        matches!(error, Error::Damaged { fault: Fault::TooLong { length, .. }, .. } if length == limit + 1)
    );
}

#[test]
fn absurd_lengths_in_pcap() {
    let (start, _) = small_pcap();
    for length in [17 << 20, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        let file = [
            start.clone(),
            Little.words(&[0, 0, length, 60]),
            vec![0; 60],
        ]
        .concat();
        let (count, error) = error(&file);
        assert_eq!(count, 3);
        let Error::Damaged {
            packet: 4,
            byte: 80,
            fault: Fault::TooLong {
                length: claimed, ..
            },
            ..
        } = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(claimed, length as usize + 16);
    }
}

#[test]
fn absurd_blocks_in_pcapng() {
    let (blocks, expected) = small_pcapng();
    let start = blocks.concat();
    let good = Big.enhanced(0, 0, b"not reached");
    let with_lengths =
        |first, last| [Big.words(&[6, first]), vec![0; 24], Big.words(&[last])].concat();
    for (bad, is_expected) in [
        (with_lengths(0, 36), is_malformed as fn(&Fault) -> bool),
        (with_lengths(8, 36), is_malformed),
        (with_lengths(35, 36), is_malformed),
        (with_lengths(36, 40), is_malformed),
        (with_lengths(u32::MAX, 36), is_too_long),
        (with_lengths((16 << 20) + 4, 36), is_too_long),
        (Big.block(6, &[0; 16]), is_malformed),
        (Big.block(2, &[0; 16]), is_malformed),
        (Big.block(3, b""), is_malformed),
        (Big.block(1, &[0; 4]), is_malformed),
        (
            Big.block(0x0A0D_0D0A, &Big.words(&[0x1A2B_3C4D, 0x0001_0000])),
            is_malformed,
        ),
        (
            Big.block(0x0A0D_0D0A, &Big.words(&[0x1A2B_3C4E, 0x0001_0000, 0, 0])),
            is_malformed,
        ),
    ] {
        let (frames, errors) = read(&[start.clone(), bad.clone(), good.clone()].concat());
        assert_eq!(frames, expected);
        assert_eq!(errors.len(), 1, "{bad:02x?}");
        let Error::Damaged {
            packet: 4,
            byte,
            fault,
            ..
        } = &errors[0]
        else {
            panic!("{:?}", errors[0])
        };
        assert_eq!(*byte, start.len() as u64);
        assert!(is_expected(fault), "{fault:?} for {bad:02x?}");
    }
}

fn is_malformed(fault: &Fault) -> bool {
    matches!(fault, Fault::Malformed(_))
}

fn is_too_long(fault: &Fault) -> bool {
    matches!(fault, Fault::TooLong { .. })
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
    let (_, error) = error(
        &[
            Big.section(),
            interface.repeat(65_537),
            Big.enhanced(0, 0, b"x"),
        ]
        .concat(),
    );
    assert!(matches!(
        error,
        Error::Damaged {
            fault: Fault::Malformed(_),
            ..
        }
    ));
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
    assert_eq!(count, 3);
    assert!(later.is_damage());
    assert!(matches!(
        later,
        Error::Damaged {
            fault: Fault::Version { major: 2, minor: 0 },
            ..
        }
    ));
}

#[test]
fn an_error_names_file_packet_and_byte() {
    let (mut file, _) = small_pcap();
    file.extend(Little.words(&[0, 0, 70_000, 70_000]));
    file.extend([0; 12]);
    let (_, error) = error(&file);
    assert_eq!(
        error.to_string(),
        "x.pcap: packet 4 at byte 80: the record takes 70016 bytes but the file ends after 28 of them: cut off or \
         damaged; packets before it were read"
    );
}

#[test]
fn what_is_no_capture() {
    for (start, format, tool) in [
        (&b"\x1f\x8b\x08\x00\x00"[..], "gzip", "zcat"),
        (b"\x28\xb5\x2f\xfd\x00", "zstd", "zstdcat"),
        (b"\xfd7zXZ\x00", "xz", "xzcat"),
        (b"BZh91AY", "bzip2", "bzcat"),
        (b"\x04\x22\x4d\x18\x00", "lz4", "lz4cat"),
    ] {
        let (count, error) = error(start);
        assert_eq!((count, error.is_damage()), (0, false));
        let expected = format!(
            "x.pcap: compressed ({format}): decompress it first, e.g. {tool} FILE | ctaudit analyse -"
        );
        assert_eq!(error.to_string(), expected);
    }
    let (count, snoop) = error(b"snoop\0\0\0\0\0\0\x02");
    assert_eq!((count, snoop.is_damage()), (0, false));
    assert!(
        snoop
            .to_string()
            .starts_with("x.pcap: not a pcap or pcapng capture, it starts with 73 6e 6f 6f: ")
    );
    assert!(matches!(error(b"\xa1").1, Error::NotACapture { start, .. } if start == [0xa1]));
    assert!(matches!(error(b"").1, Error::Empty { .. }));
}

#[test]
fn a_reader_that_fails() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("bad sector"))
        }
    }
    let (frames, errors) = read_from(Failing);
    assert!(frames.is_empty());
    assert_eq!(errors.len(), 1);
    assert!(!errors[0].is_damage());
    assert_eq!(errors[0].to_string(), "x.pcap: reading failed: bad sector");

    let (file, expected) = small_pcap();
    let (frames, errors) = read_from(Cursor::new(file).chain(Failing));
    assert_eq!(frames, expected);
    assert_eq!(errors.len(), 1);
    assert!(errors[0].is_damage());
    assert!(
        errors[0]
            .to_string()
            .starts_with("x.pcap: packet 4 at byte 80: reading failed: bad sector")
    );
}

/// Files in a directory of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        fs::write(self.path(name), bytes).unwrap();
        self.path(name)
    }
}

#[test]
fn several_files_are_numbered_through_and_damage_ends_one_only() {
    let files = Files::new();
    let (pcap, _) = small_pcap();
    let (blocks, _) = small_pcapng();
    let paths = [
        files.write("a", &pcap),
        files.write("b", &pcap[..79]),
        files.write("c", b""),
        files.write("d", &blocks.concat()),
        files.write("e", &pcap[..12]),
        files.write("f", &pcap[..24]),
        files.write("g", &pcap),
    ];
    let mut capture = Capture::open(&paths).unwrap();
    let sizes = [80, 79, 0, blocks.concat().len() as u64, 12, 24, 80];
    assert_eq!(capture.total_bytes(), Some(sizes.iter().sum()));
    assert_eq!((capture.bytes_read(), capture.file()), (0, ""));
    assert_eq!(capture.next().unwrap().unwrap().number, 1);
    assert_eq!(
        (capture.bytes_read(), capture.file()),
        (43, paths[0].to_str().unwrap())
    );

    let (frames, errors) = drain(&mut capture);
    let expected: [&[u8]; 10] = [
        b"", b"three", b"one", b"", b"one", b"two", b"three", b"one", b"", b"three",
    ];
    assert_eq!(
        frames
            .iter()
            .map(|frame| frame.data.as_slice())
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        frames.iter().map(|frame| frame.number).collect::<Vec<_>>(),
        (2..=11).collect::<Vec<_>>()
    );
    let [
        Error::Damaged {
            file,
            packet: 3,
            byte: 59,
            ..
        },
        Error::Empty { .. },
        Error::Header { .. },
    ] = &errors[..]
    else {
        panic!("{errors:?}");
    };
    assert_eq!(*file, paths[1].to_str().unwrap());
    // What is behind the damage was not read: 20 bytes in b, 12 in e.
    assert_eq!(capture.bytes_read(), sizes.iter().sum::<u64>() - 20 - 12);
    assert_eq!(capture.file(), paths[6].to_str().unwrap());
    assert!(capture.next().unwrap().is_none());
}

#[test]
fn a_later_file_that_cannot_be_read_is_reported_before_the_first_is() {
    let files = Files::new();
    let good = files.write("good", &small_pcap().0);
    let missing = Capture::open(&[good.clone(), files.path("missing")])
        .err()
        .unwrap();
    assert!(matches!(&missing, Error::Open { file, .. } if file.ends_with("missing")));
    let directory = Capture::open(&[good.clone(), files.0.path().to_owned()])
        .err()
        .unwrap();
    assert!(
        matches!(&directory, Error::Open { error, .. } if error.kind() == io::ErrorKind::IsADirectory)
    );
    assert!(!missing.is_damage() && !directory.is_damage());

    // One that goes away later is skipped.
    let going = files.write("going", b"x");
    let mut capture = Capture::open(&[going.clone(), good]).unwrap();
    fs::remove_file(going).unwrap();
    assert!(matches!(capture.next(), Err(Error::Open { .. })));
    assert_eq!(drain(&mut capture).0.len(), 3);
}

#[test]
fn no_input_has_no_frames() {
    let mut capture = Capture::open(&[]).unwrap();
    assert!(capture.next().unwrap().is_none());
    assert_eq!((capture.bytes_read(), capture.total_bytes()), (0, Some(0)));
    // Standard input is one, of unknown length.
    assert_eq!(Capture::open(&["-".into()]).unwrap().total_bytes(), None);
}

#[test]
fn a_pipe_is_not_waited_for_until_it_is_its_turn() {
    let files = Files::new();
    let pipe = files.path("pipe");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let (pcap, expected) = small_pcap();
    let mut capture =
        Capture::open(&[files.write("file", &pcap), pipe.clone(), "-".into()]).unwrap();
    assert_eq!(capture.total_bytes(), None);
    for _ in 0..3 {
        assert!(capture.next().unwrap().is_some());
    }
    let writer = thread::spawn(move || fs::write(pipe, pcap).unwrap());
    for frame in expected {
        let number = frame.number + 3;
        assert_eq!(
            capture
                .next()
                .unwrap()
                .map(|frame| (frame.number, frame.data)),
            Some((number, &frame.data[..]))
        );
    }
    writer.join().unwrap();
}

#[test]
fn a_file_name_cannot_command_the_terminal() {
    let files = Files::new();
    let path = files.write("bell\u{7} \u{1b}[2J\nnew 'line' \u{202e}gnp é 漢.pcap", b"");
    let mut capture = Capture::open(&[path]).unwrap();
    let error = capture.next().err().unwrap().to_string();
    assert!(
        error.contains(r"/bell\u{7} \u{1b}[2J\nnew 'line' \u{202e}gnp é 漢.pcap: empty"),
        "{error}"
    );
    assert!(!error.contains(char::is_control));
    let (_, errors) = drain(&mut Capture::from_reader("a\tb", Box::new(io::empty())));
    assert!(errors[0].to_string().starts_with(r"a\tb: "));
}

fn any_start() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(Big.pcap(MICROSECONDS, 1)),
        Just(Little.pcap(NANOSECONDS, 1)),
        Just(Little.pcap(MODIFIED, 1)),
        Just(Little.section()),
        Just([Big.section(), Big.interface(1, 0, &[])].concat()),
        Just(small_pcap().0),
        Just(small_pcapng().0.concat()),
    ]
}

/// Lengths that are likely to mean something, and any other byte.
fn any_tail() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => (0u32..64).prop_map(|value| Big.u32(value)),
        4 => (0u32..64).prop_map(|value| Little.u32(value)),
        1 => any::<[u8; 4]>(),
        1 => Just(Big.u32(0x0A0D_0D0A)),
        1 => Just(Big.u32(0x1A2B_3C4D)),
    ];
    prop::collection::vec(word, 0..64).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_bytes_are_read_to_an_end(start in any_start(), tail in any_tail(), flips in prop::collection::vec(any::<(u16, u8)>(), 0..4)) {
        let mut file = [start, tail].concat();
        for (at, value) in flips {
            let length = file.len().max(1);
            if let Some(byte) = file.get_mut(usize::from(at) % length) {
                *byte = value;
            }
        }
        let (frames, errors) = read(&file);
        prop_assert!(errors.len() <= 1);
        let taken: usize = frames.iter().map(|frame| frame.data.len() + 16).sum();
        prop_assert!(taken <= file.len());
        prop_assert!(frames.iter().zip(1..).all(|(frame, number)| frame.number == number));
        if let Some(Error::Damaged { packet, byte, .. }) = errors.first() {
            prop_assert_eq!(*packet, frames.len() as u64 + 1);
            prop_assert!(*byte < file.len() as u64);
        }

        let (dribbled, other_errors) = read_from(Dribble(Cursor::new(file), false));
        prop_assert_eq!(frames, dribbled);
        prop_assert_eq!(format!("{errors:?}"), format!("{other_errors:?}"));
    }
}
