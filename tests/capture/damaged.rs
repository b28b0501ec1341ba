//! Where bytes are no record: what is told, and what is read all the same.

use ctaudit::capture::{Error, Fault};
use proptest::prelude::*;

use super::Order::{Big, Little};
use super::*;

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
        let Error::Damaged(damage) = &errors[0] else {
            panic!("{length}: {:?}", errors[0]);
        };
        let Fault::CutOff { left, .. } = damage.fault else {
            panic!("{length}: {:?}", damage.fault);
        };
        assert_eq!(
            (damage.packet, damage.byte),
            (delivered as u64 + 1, ends[whole - 1] as u64)
        );
        assert_eq!(left, length - ends[whole - 1]);
        assert_eq!((damage.passed_over, damage.resumes), (left as u64, false));
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
    let Error::Damaged(damage) = error else {
        panic!("{error:?}");
    };
    assert!(matches!(damage.fault, Fault::TooLong { length, .. } if length == limit + 1));
    assert_eq!(
        (damage.passed_over, damage.resumes),
        (limit as u64 + 1, false)
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
        let Error::Damaged(damage) = error else {
            panic!("{error:?}");
        };
        assert_eq!((damage.packet, damage.byte), (4, 80));
        assert!(
            matches!(damage.fault, Fault::TooLong { length: claimed, .. } if claimed == length as usize + 16)
        );
        assert_eq!((damage.passed_over, damage.resumes), (76, false));
    }
}

#[test]
fn absurd_blocks_in_pcapng() {
    let (blocks, expected) = small_pcapng();
    let start = blocks.concat();
    let good = Big.enhanced(0, 9, b"behind it");
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
        assert_eq!(frames[..3], expected, "{bad:02x?}");
        assert_eq!(frames[3..], [seen(4, 9, 101, b"behind it")], "{bad:02x?}");
        assert_eq!(errors.len(), 1, "{bad:02x?}");
        let Error::Damaged(damage) = &errors[0] else {
            panic!("{:?}", errors[0])
        };
        assert_eq!((damage.packet, damage.byte), (4, start.len() as u64));
        assert!(is_expected(&damage.fault), "{damage:?} for {bad:02x?}");
        assert_eq!(damage.passed_over, bad.len() as u64);
    }
}

fn is_malformed(fault: &Fault) -> bool {
    matches!(fault, Fault::Malformed(_))
}

fn is_too_long(fault: &Fault) -> bool {
    matches!(fault, Fault::TooLong { .. })
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
         damaged; 28 bytes passed over, nothing readable behind"
    );
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

/// Ten packets of different lengths, each at its second.
fn ten_packets(order: Order) -> (Vec<Vec<u8>>, Vec<Seen>) {
    let packets = (1..=10u32).map(|number| {
        let data = vec![number as u8; number as usize * 7 + 20];
        let record = order.record(1_700_000_000 + number, 5, &data);
        let nanos = i64::from(1_700_000_000 + number) * 1_000_000_000 + 5_000;
        (record, seen(number.into(), nanos, 1, &data))
    });
    packets.unzip()
}

/// Where in a file of ten packets what is done to it, and which packets are lost by that.
#[test]
fn pcap_goes_on_behind_what_is_damaged() {
    for order in [Big, Little] {
        let (records, expected) = ten_packets(order);
        let start = order.pcap(MICROSECONDS, 1);
        let file = |middle: &[u8], behind: usize| {
            [
                &start,
                &records[..4].concat(),
                middle,
                &records[behind..].concat(),
            ]
            .concat()
        };
        let at = (start.len() + records[..4].concat().len()) as u64;
        let garbage: Vec<u8> = (0..1_001u32)
            .map(|index| ((index * 151) >> 3) as u8)
            .collect();
        let mut longer = records[4].clone();
        longer[8..12].copy_from_slice(&order.u32(200_000));
        let mut shorter = records[4].clone();
        shorter[8..12].copy_from_slice(&order.u32(30));
        let cases: [(&str, &[u8], usize, u64); 6] = [
            (
                "text between two records",
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                4,
                27,
            ),
            ("garbage between two records", &garbage, 4, 1_001),
            ("a hole of zeros", &[0; 4096], 4, 4096),
            (
                "a hole of zeros in place of three records",
                &[0; 200],
                7,
                200,
            ),
            (
                "a record longer than the file",
                &longer,
                5,
                longer.len() as u64,
            ),
            ("a byte too many", b"\xff", 4, 1),
        ];
        for (what, middle, behind, lost) in cases {
            let (frames, errors) = read(&file(middle, behind));
            let [Error::Damaged(damage)] = &errors[..] else {
                panic!("{what}: {errors:?}");
            };
            assert_eq!(
                (damage.byte, damage.passed_over),
                (at, lost),
                "{what}: {damage}"
            );
            assert!(damage.resumes, "{what}");
            assert_same_packets(
                &frames,
                &[&expected[..4], &expected[behind..]].concat(),
                what,
            );
        }
        // A length that is too small leads into the middle of the packet: it is read short, but those behind it whole.
        let (frames, errors) = read(&file(&shorter, 5));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_same_packets(&frames[..4], &expected[..4], "before");
        assert_same_packets(&frames[5..], &expected[5..], "behind");
        // Half a record takes the beginning of the next one for its other half, and that one is lost with it.
        let (frames, errors) = read(&file(&records[4][..30], 5));
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_same_packets(&frames[..4], &expected[..4], "before");
        assert_same_packets(&frames[5..], &expected[6..], "behind");
    }
}

#[test]
fn pcapng_goes_on_behind_what_is_damaged() {
    for order in [Big, Little] {
        let start = [order.section(), order.interface(1, 0, &[])].concat();
        let packet = |number: u64| order.enhanced(0, number, &vec![number as u8; number as usize]);
        let expected: Vec<Seen> = (1..=9)
            .map(|number| {
                seen(
                    number,
                    number as i64 * 1_000,
                    1,
                    &vec![number as u8; number as usize],
                )
            })
            .collect();
        let mut trailer = packet(5);
        let length = trailer.len();
        trailer[length - 1] ^= 0x40;
        let mut longer = packet(5);
        longer[4..8].copy_from_slice(&order.u32(1 << 20));
        let cases: [(&str, &[u8]); 6] = [
            ("text", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            ("zeros", &[0; 4096]),
            ("its two lengths differ", &trailer),
            ("a block longer than the file", &longer),
            ("half a block", &packet(5)[..20]),
            (
                "of an interface that is not there",
                &order.enhanced(3, 5, b"abc"),
            ),
        ];
        for (what, middle) in cases {
            let before: Vec<u8> = (1..=4).flat_map(packet).collect();
            let behind: Vec<u8> = (6..=9).flat_map(packet).collect();
            let at = (start.len() + before.len()) as u64;
            let (frames, errors) = read(&[&start, &before, middle, &behind].concat());
            let [Error::Damaged(damage)] = &errors[..] else {
                panic!("{what}: {errors:?}");
            };
            assert_eq!(
                (damage.byte, damage.passed_over),
                (at, middle.len() as u64),
                "{what}: {damage}"
            );
            assert_same_packets(&frames, &[&expected[..4], &expected[5..]].concat(), what);
        }
    }
}

/// But for their numbers, which count what was read.
fn assert_same_packets(frames: &[Seen], expected: &[Seen], what: &str) {
    let bare = |frames: &[Seen]| -> Vec<(i64, Vec<u8>)> {
        let frames = frames.iter();
        frames
            .map(|frame| (frame.nanos, frame.data.clone()))
            .collect()
    };
    assert_eq!(bare(frames), bare(expected), "{what}");
}

/// What `cat` makes of two captures, the second of years later: its header is no record.
#[test]
fn a_capture_behind_another_is_read_as_well() {
    for order in [Big, Little] {
        let (records, expected) = ten_packets(order);
        let start = order.pcap(MICROSECONDS, 1);
        let old = order.record(100_000, 0, b"of a host that did not know the time");
        let file = [&start[..], &old, &start, &records.concat()].concat();
        let (frames, errors) = read(&file);
        let [Error::Damaged(damage)] = &errors[..] else {
            panic!("{errors:?}");
        };
        assert_eq!((damage.packet, damage.passed_over), (2, 24));
        assert_same_packets(&frames[1..], &expected, "behind");
    }
}

/// Each byte of this file could begin a record whose end has to be looked for far behind it, and none does.
#[test]
fn a_search_takes_time_with_the_bytes_passed_over_alone() {
    let (records, _) = ten_packets(Little);
    let head = [1_700_000_000, 0, 262_143, 262_144];
    let decoys = Little.words(&head).repeat(100_000);
    let file = [
        Little.pcap(MICROSECONDS, 1),
        records.concat(),
        b"!".to_vec(),
        decoys,
    ]
    .concat();
    let counted = Counting(Cursor::new(file.clone()), Default::default());
    let moved = counted.1.clone();
    let (frames, errors) = read_from(counted);
    assert_eq!(frames.len(), 10);
    assert!(!errors.is_empty());
    // The buffer is moved to its beginning for each read: so many reads, so many times.
    let reads = moved.load(std::sync::atomic::Ordering::Relaxed);
    assert!(reads < 2 * file.len() / (256 << 10) + 10, "{reads} reads");
}

/// Counts how often it is read from.
struct Counting(
    Cursor<Vec<u8>>,
    std::sync::Arc<std::sync::atomic::AtomicUsize>,
);

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0.read(buffer)
    }
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
        let taken: usize = frames.iter().map(|frame| frame.data.len() + 16).sum();
        prop_assert!(taken <= file.len());
        prop_assert!(frames.iter().zip(1..).all(|(frame, number)| frame.number == number));
        let mut behind = 0;
        for error in &errors {
            let Error::Damaged(damage) = error else {
                prop_assert!(frames.is_empty() && errors.len() == 1);
                continue;
            };
            prop_assert!(damage.byte >= behind && damage.passed_over > 0, "{damage}");
            behind = damage.byte + damage.passed_over;
            prop_assert!(behind <= file.len() as u64);
            prop_assert_eq!(damage.resumes, behind < file.len() as u64);
        }

        let (dribbled, other_errors) = read_from(Dribble(Cursor::new(file), false));
        prop_assert_eq!(frames, dribbled);
        prop_assert_eq!(format!("{errors:?}"), format!("{other_errors:?}"));
    }
}
