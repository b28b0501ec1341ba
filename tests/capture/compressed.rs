//! Compressed captures.

use ctaudit::capture::{Capture, Error};

use super::*;
use crate::wrap::compression::{COMPRESSIONS, xz};

/// A capture that no compressor makes small, so that it takes several blocks of each format.
fn long_pcap() -> (Vec<u8>, Vec<Seen>) {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut file = Order::Big.pcap(NANOSECONDS, 1);
    let mut expected = Vec::new();
    for number in 1..2_000 {
        let data: Vec<u8> = (0..rng.usize(..1500)).map(|_| rng.u8(..)).collect();
        file.extend(Order::Big.record(7, number, &data));
        expected.push(seen(
            number.into(),
            7_000_000_000 + i64::from(number),
            1,
            &data,
        ));
    }
    (file, expected)
}

#[test]
fn compressed_captures_are_read_by_their_first_bytes() {
    let (long, expected) = long_pcap();
    let (blocks, expected_blocks) = small_pcapng();
    for (name, pack) in COMPRESSIONS {
        assert!(frames(&pack(&long)) == expected, "{name}");
        assert_eq!(frames(&pack(&blocks.concat())), expected_blocks, "{name}");
        // In two parts, as appending makes them.
        let (start, rest) = long.split_at(1_000_000);
        assert!(
            frames(&[pack(start), pack(rest)].concat()) == expected,
            "{name}"
        );
        let mut capture = Capture::from_reader("x", Box::new(Cursor::new(pack(&long))));
        drain(&mut capture);
        let told = &capture.account().inputs[0];
        assert_eq!(
            (told.compression, told.format),
            (Some(name), "pcap with nanoseconds")
        );
    }
}

#[test]
fn what_was_compressed_before_the_damage_is_read() {
    let (long, expected) = long_pcap();
    for (name, pack) in COMPRESSIONS {
        let packed = pack(&long);
        // Behind the last frame of one, another one is begun and its head cut off.
        let appended = [&packed[..], &packed[..12]].concat();
        for cut in [packed.len() / 2, packed.len() - 1, appended.len()] {
            let (frames, errors) = read(&appended[..cut]);
            assert_eq!(errors.len(), 1, "{name} cut at {cut} of {}", packed.len());
            assert!(errors[0].is_damage(), "{name}: {}", errors[0]);
            assert!(frames == expected[..frames.len()], "{name}");
            let enough = if cut < packed.len() - 1 { 500 } else { 1_000 };
            assert!(frames.len() >= enough, "{name}: {}", frames.len());
        }
        let mut damaged = packed.clone();
        let middle = packed.len() / 2;
        damaged[middle..middle + 64].fill(0x55);
        let (frames, errors) = read(&damaged);
        assert!(
            !errors.is_empty() && errors.iter().all(Error::is_damage),
            "{name}: {errors:?}"
        );
        assert!(
            (500..1_999).contains(&frames.len()),
            "{name}: {}",
            frames.len()
        );
        assert!(frames[..500] == expected[..500], "{name}");
    }
}

/// xz: a dictionary of 4 GiB, the most that the format lets a file ask for.
#[test]
fn nothing_is_allocated_on_a_file_s_word() {
    let mut packed = xz(&small_pcap().0);
    // The block header: size, flags, LZMA2's id and length of properties, the dictionary's size (40: 4 GiB - 1).
    assert_eq!(packed[12..16], [2, 0, 0x21, 1]);
    packed[16] = 40;
    let check = crc32(&packed[12..20]).to_le_bytes();
    packed[20..24].copy_from_slice(&check);
    let (_, error) = error(&packed);
    assert!(
        error.to_string().to_lowercase().contains("memory"),
        "{error}"
    );
}

/// ISO 3309, as xz uses it.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[test]
fn what_is_no_capture() {
    for (name, pack) in COMPRESSIONS {
        let (count, error) = error(&pack(b"some text"));
        assert_eq!((count, error.is_damage()), (0, false), "{name}");
        assert!(
            matches!(error, Error::NotACapture { start, .. } if start == b"some"),
            "{name}"
        );
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
