//! Captures as bytes, written here after the two drafts, and what must be read from them.

mod compressed;
mod damaged;
mod inputs;
mod pcap;
mod pcapng;

use std::io::{self, Cursor, Read};

use ctaudit::capture::{Capture, Error};

use Order::{Big, Little};

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
            // A simple packet has the time of the one before it.
            seen(2, 1_000, 1, b"two"),
            seen(3, 3, 101, b"three"),
        ],
    )
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
