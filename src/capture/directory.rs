//! A directory of captures: which files of it are some, and, where somebody still writes them, which are new.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::inputs::begin;
use crate::time::Timestamp;

pub(super) struct Directory {
    path: PathBuf,
    progress: Mutex<Progress>,
}

/// What was read of a directory that is followed.
#[derive(Default)]
struct Progress {
    /// The file that is being read.
    current: Option<PathBuf>,
    /// Those before it, and when they were last written to: a ring may begin one of them anew.
    done: HashMap<PathBuf, SystemTime>,
}

/// What is in a directory.
#[derive(Default)]
pub(super) struct Contents {
    /// In the order of their names, and when each begins.
    pub captures: Vec<(PathBuf, Option<Timestamp>)>,
    /// Files and directories besides.
    pub others: u64,
}

impl Directory {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            progress: Mutex::default(),
        }
    }

    /// What is no capture is passed over, and so are directories below and hidden files, which somebody may not have
    /// finished.
    pub fn contents(&self) -> io::Result<Contents> {
        let mut contents = Contents::default();
        for path in self.entries()? {
            match capture(&path) {
                Some(begins) => contents.captures.push((path, begins)),
                None => contents.others += 1,
            }
        }
        Ok(contents)
    }

    /// From now on this file is read.
    pub fn begin(&self, path: &Path) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = progress.current.replace(path.to_owned())
            && let Ok(at) = modified(&before)
        {
            progress.done.insert(before, at);
        }
    }

    /// Captures that nobody has read.
    pub fn news(&self) -> Vec<(PathBuf, Option<Timestamp>)> {
        let Ok(mut entries) = self.entries() else {
            return Vec::new();
        };
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        // What a ring has deleted is forgotten here as well.
        progress
            .done
            .retain(|path, _| entries.binary_search(path).is_ok());
        entries.retain(|path| {
            let done = progress.done.get(path);
            progress.current.as_ref() != Some(path)
                && done.is_none_or(|done| modified(path).is_ok_and(|at| at > *done))
        });
        let entries = entries.into_iter();
        let captures = entries.filter_map(|path| capture(&path).map(|begins| (path, begins)));
        captures.collect()
    }

    fn entries(&self) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.path)?;
        let paths: Result<Vec<_>, _> = entries.map(|entry| Ok(entry?.path())).collect();
        paths.map(|mut paths: Vec<PathBuf>| {
            paths.sort();
            paths
        })
    }
}

fn modified(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

/// When a capture begins; `None` for what is none.
fn capture(path: &Path) -> Option<Option<Timestamp>> {
    let name = path.file_name()?.as_encoded_bytes();
    if name.starts_with(b".") || !path.is_file() {
        return None;
    }
    begin(path).ok()
}
