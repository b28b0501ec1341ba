//! Where an input's bytes come from: a file, one that still grows, a pipe, standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::directory::Directory;
use super::{PATIENCE, Stop, waiting};

pub(super) enum Source {
    Stdin,
    File(PathBuf),
    /// A file that is still being written, alone or as the newest of a directory.
    Growing(PathBuf, Option<Arc<Directory>>),
    Pipe(PathBuf),
    Reader(Box<dyn Read + Send>),
}

impl Source {
    /// Of a file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Growing(path, _) => Some(path),
            Self::Stdin | Self::Pipe(_) | Self::Reader(_) => None,
        }
    }

    /// Nothing is waited for before the first read.
    pub fn open(self, stop: Stop) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Stdin => waiting::stdin(stop)?,
            Self::Pipe(path) => waiting::pipe(&path, stop)?,
            Self::File(path) => Box::new(Stopping {
                file: File::open(path)?,
                stop,
            }),
            Self::Growing(path, directory) => Box::new(Growing {
                file: File::open(path)?,
                stop,
                directory,
            }),
            Self::Reader(input) => input,
        })
    }
}

struct Stopping {
    file: File,
    stop: Stop,
}

impl Read for Stopping {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.stop.is_requested() {
            true => Ok(0),
            false => self.file.read(buffer),
        }
    }
}

struct Growing {
    file: File,
    stop: Stop,
    directory: Option<Arc<Directory>>,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut is_finished = false;
        while !self.stop.is_requested() {
            let length = self.file.read(buffer)?;
            if length > 0 || is_finished {
                return Ok(length);
            }
            // What was written until the next file was begun is read before that one is.
            let directory = self.directory.as_ref();
            is_finished = directory.is_some_and(|directory| !directory.news().is_empty());
            if !is_finished {
                thread::sleep(PATIENCE);
            }
        }
        Ok(0)
    }
}

/// Counts what is read.
pub(super) struct Counted {
    pub input: Box<dyn Read + Send>,
    pub bytes: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.bytes.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}
