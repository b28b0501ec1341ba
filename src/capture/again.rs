//! Inputs for a second time.
//!
//! A file is opened again. What comes through a pipe is gone when it was read, so a copy is kept meanwhile, in a
//! temporary file without a name, as long as it is not too large.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::inputs::Input;
use super::source::Source;
use crate::time::Timestamp;

/// An input that was opened.
pub(super) struct Opened {
    name: String,
    begins: Option<Timestamp>,
    kept: Kept,
}

enum Kept {
    File(PathBuf),
    Copy(Copy),
}

/// What was read of an input. `None` where it became too much, or found no room.
#[derive(Clone)]
pub(super) struct Copy(Arc<Mutex<Option<Temporary>>>);

struct Temporary {
    file: File,
    bytes: u64,
}

/// The input, and what is needed to open it again.
pub(super) fn keep(input: Input) -> (Input, Opened) {
    let Input {
        name,
        source,
        begins,
    } = input;
    let (source, kept) = match source.path() {
        Some(path) => {
            let path = path.to_owned();
            (source, Kept::File(path))
        }
        None => {
            let copy = Copy::new();
            let copied = Source::Copied(Box::new(source), copy.clone());
            (copied, Kept::Copy(copy))
        }
    };
    let opened = Opened {
        name: name.clone(),
        begins,
        kept,
    };
    let input = Input {
        name,
        source,
        begins,
    };
    (input, opened)
}

impl Opened {
    /// `None` where it could not be kept.
    pub fn again(self) -> Option<Input> {
        let source = match self.kept {
            Kept::File(path) => Source::File(path),
            Kept::Copy(copy) => {
                let mut file = copy.lock(Option::take)?.file;
                file.rewind().ok()?;
                Source::Reader(Box::new(file))
            }
        };
        Some(Input {
            name: self.name,
            source,
            begins: self.begins,
        })
    }
}

impl Copy {
    fn new() -> Self {
        let temporary = tempfile::tempfile().map(|file| Temporary { file, bytes: 0 });
        Self(Arc::new(Mutex::new(temporary.ok())))
    }

    fn lock<T>(&self, what: impl FnOnce(&mut Option<Temporary>) -> T) -> T {
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
