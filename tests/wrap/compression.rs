//! Compressed files: a line a format.

use std::io::Write;

use flate2::write::GzEncoder;

/// By the end of the file's name.
pub const COMPRESSIONS: &[(&str, fn(&[u8]) -> Vec<u8>)] = &[("gz", gzip)];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
