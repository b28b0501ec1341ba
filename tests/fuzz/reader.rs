//! A file of any bytes.

#![no_main]

mod memory;

use std::io::Cursor;
use std::sync::atomic::Ordering;

use ctaudit::capture::Capture;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let held = memory::most_held_by(|| read(input));
    assert!(held < MOST_HELD + 2 * input.len(), "{held} bytes");
});

fn read(input: &[u8]) {
    let file = Cursor::new(input.to_vec());
    let mut capture = Capture::from_reader("a file", Box::new(file));
    let (mut frames, mut errors) = (0, 0);
    loop {
        match capture.next() {
            Ok(None) => break,
            Ok(Some(frame)) => {
                frames += 1;
                assert_eq!(frame.number, frames);
                assert!(frame.data.len() <= LONGEST_RECORD);
            }
            Err(_) => {
                errors += 1;
                assert!(errors <= 1 + input.len(), "there is no end");
            }
        }
        assert!(capture.bytes_counter().load(Ordering::Relaxed) <= input.len() as u64);
    }
    assert!(matches!(capture.next(), Ok(None)), "more behind the end");
}

/// The reader's own limit.
const LONGEST_RECORD: usize = 16 << 20;
/// Two buffers for that, one of which is outgrown, and what a decompressor looks back on.
const MOST_HELD: usize = 64 << 20;
