//! Inputs for a second time.
//!
//! A file is opened again. What comes through a pipe is gone when it was read, so a copy is kept meanwhile, in a
//! temporary file without a name, as long as it is not too large.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Capture, Input, Source};

/// The same inputs, once the first replay is over.
pub struct Again(pub(super) Vec<Another>);

pub(super) enum Another {
    File(Input),
    Kept { name: String, copy: Copy },
}

/// What was read of an input. `None` where it became too much, or found no room.
#[derive(Clone, Default)]
pub(super) struct Copy(Arc<Mutex<Option<Kept>>>);

struct Kept {
    file: File,
    bytes: u64,
}

impl Again {
    /// The inputs from their beginning; `None` where one of them could not be kept.
    pub fn open(self) -> Option<Capture> {
        let inputs = self.0.into_iter().map(|input| match input {
            Another::File(input) => Some(input),
            Another::Kept { name, copy } => {
                let mut file = copy.lock(Option::take)?.file;
                file.rewind().ok()?;
                let source = Source::Reader(Box::new(file));
                Some(Input { name, source })
            }
        });
        Some(Capture::new(inputs.collect::<Option<_>>()?, None))
    }
}

/// For the first time, and for the second.
pub(super) fn twice(input: Input) -> (Input, Another) {
    let Input { name, source } = input;
    let (source, another) = match source {
        Source::File(path) => {
            let name = name.clone();
            let source = Source::File(path.clone());
            (Source::File(path), Another::File(Input { name, source }))
        }
        source => {
            let (name, copy) = (name.clone(), Copy::new());
            let copied = Source::Copied(Box::new(source), copy.clone());
            (copied, Another::Kept { name, copy })
        }
    };
    (Input { name, source }, another)
}

impl Copy {
    pub fn new() -> Self {
        let kept = tempfile::tempfile().map(|file| Kept { file, bytes: 0 });
        Self(Arc::new(Mutex::new(kept.ok())))
    }

    fn lock<T>(&self, what: impl FnOnce(&mut Option<Kept>) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, bytes: &[u8]) {
        self.lock(|kept| {
            let fits = kept.as_mut().is_some_and(|kept| {
                kept.bytes += bytes.len() as u64;
                kept.bytes <= MOST_KEPT && kept.file.write_all(bytes).is_ok()
            });
            if !fits {
                *kept = None;
            }
        });
    }
}

/// An input of which a copy is kept.
pub(super) struct Copied {
    pub input: Box<dyn Read + Send>,
    pub copy: Copy,
}

impl Read for Copied {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.copy.add(&buffer[..length]);
        Ok(length)
    }
}

/// Bytes of one input: what a temporary directory in memory may be expected to hold.
const MOST_KEPT: u64 = 1 << 30;
