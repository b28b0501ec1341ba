//! The classic format.

use std::time::Duration;

use super::Order::{Big, Little};
use super::*;

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

/// libpcap, `sf-pcap.c`: before 2.3 the original length came first, and in some files of 2.3.
#[test]
fn old_versions_have_their_lengths_in_the_other_order() {
    for (minor, first, second) in [(2, 9, 4), (3, 9, 4), (3, 4, 9), (4, 4, 9)] {
        let mut file = Big.pcap(MICROSECONDS, 1);
        file[6..8].copy_from_slice(&Big.u16(minor));
        file.extend(Big.words(&[7, 0, first, second]));
        file.extend(b"data");
        let expected = Seen {
            original_length: 9,
            ..seen(1, 7_000_000_000, 1, b"data")
        };
        assert_eq!(frames(&file), [expected], "2.{minor}");
    }
}

/// Wireshark, `wiretap/libpcap.c`: four bytes more in the file's header, and nanoseconds.
#[test]
fn ixia_s_header_is_longer() {
    for order in [Big, Little] {
        for magic in [0x1C00_01AC, 0x1C00_01AB] {
            let file = [
                order.pcap(magic, 1),
                order.words(&[20]),
                order.record(7, 8, b"data"),
            ]
            .concat();
            assert_eq!(frames(&file), [seen(1, 7_000_000_008, 1, b"data")]);
        }
    }
}

/// The upper four bits count pairs of bytes, if the bit for that is set (draft-ietf-opsawg-pcap, section 4).
#[test]
fn check_sequences_are_not_part_of_the_packet() {
    let check = |link: u32, data: &[u8], original: u32| {
        let mut file = Little.pcap(MICROSECONDS, link);
        file.extend(Little.words(&[7, 0, data.len() as u32, original]));
        file.extend(data);
        frames(&file)[0].data.clone()
    };
    assert_eq!(check(0x2400_0001, b"packetFCS!", 10), b"packet");
    assert_eq!(check(0x1400_0001, b"packetFC", 8), b"packet");
    assert_eq!(check(0x2000_0001, b"packetFCS!", 10), b"packetFCS!");
    // Cut before it.
    assert_eq!(check(0x2400_0001, b"packetFCS!", 1500), b"packetFCS!");
    assert_eq!(check(0xf400_0001, b"packet", 6), b"");
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
        pcap.extend(Big.record(1, index as u32, &data));
        let nanos = 1_000_000_000 + index as u64;
        pcapng.extend(Big.enhanced(0, nanos, &data));
        expected.push(seen(index as u64 + 1, nanos as i64, 1, &data));
    }
    assert!(frames(&pcap) == expected);
    assert!(frames(&pcapng) == expected);
}
