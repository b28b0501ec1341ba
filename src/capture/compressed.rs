//! Compressed captures, recognised by their first bytes, whatever they are called.
//!
//! They are unpacked while they are read, so that one that unpacks to more than any disk holds takes time and no room.
//! What its own format lets an attacker ask for is bounded: zstd's window by the library's default (128 MiB), xz's
//! dictionary here, the blocks of the others by their formats.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lz4_flex::frame::FrameDecoder;
use lzma_rust2::XzReader;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
    Lz4,
    Xz,
    Bzip2,
}

impl Compression {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Lz4 => "lz4",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    fn of(start: &[u8]) -> Option<Self> {
        let known = MAGICS.iter();
        let mut known = known.filter(|(magic, _)| start.starts_with(magic));
        known.next().map(|(_, compression)| *compression)
    }

    /// Files of several members, as appending makes them, are read to the end of the last.
    fn unpack(self, packed: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zstd => Box::new(zstd::Decoder::new(packed)?),
            Self::Lz4 => Box::new(Lz4 {
                decoder: FrameDecoder::new(Watched {
                    input: BufReader::new(packed),
                    has_ended: false,
                }),
                is_behind_frame: false,
            }),
            Self::Xz => Box::new(XzReader::new_mem_limit(
                BufReader::new(packed),
                true,
                XZ_MEMORY,
            )),
            Self::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
        })
    }
}

/// The content of an input, unpacked where it is compressed.
pub fn content(
    mut input: Box<dyn Read + Send>,
) -> io::Result<(Box<dyn Read + Send>, Option<Compression>)> {
    let mut start = Vec::with_capacity(LONGEST_MAGIC);
    let mut rest = (&mut input).take(LONGEST_MAGIC as u64);
    rest.read_to_end(&mut start)?;
    let compression = Compression::of(&start);
    let whole = Cursor::new(start).chain(input);
    Ok(match compression {
        None => (Box::new(whole), None),
        Some(compression) => (compression.unpack(whole)?, Some(compression)),
    })
}

/// lz4_flex stops behind each frame, and where a frame is cut off between two blocks it takes that for its end.
struct Lz4<R: Read> {
    decoder: FrameDecoder<Watched<R>>,
    is_behind_frame: bool,
}

impl<R: Read> Read for Lz4<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.decoder.read(buffer)?;
            if length > 0 {
                self.is_behind_frame = false;
                return Ok(length);
            }
            match (self.decoder.get_ref().has_ended, self.is_behind_frame) {
                (false, _) => self.is_behind_frame = true,
                (true, true) => return Ok(0),
                (true, false) => return Err(ErrorKind::UnexpectedEof.into()),
            }
        }
    }
}

/// Whether the input was asked for more than it had.
struct Watched<R> {
    input: R,
    has_ended: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.has_ended = length == 0 && !buffer.is_empty();
        Ok(length)
    }
}

const MAGICS: [(&[u8], Compression); 5] = [
    (b"\x1f\x8b", Compression::Gzip),
    (b"\x28\xb5\x2f\xfd", Compression::Zstd),
    (b"\x04\x22\x4d\x18", Compression::Lz4),
    (b"\xfd7zXZ\0", Compression::Xz),
    (b"BZh", Compression::Bzip2),
];
const LONGEST_MAGIC: usize = 6;

/// KiB that an xz file may ask for; `xz -9` asks for 65 MiB.
const XZ_MEMORY: u32 = 256 << 10;
