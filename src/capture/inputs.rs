//! What the paths that a user names stand for, and in which order it is read.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Stop;
use super::directory::Directory;
use super::error::Error;
use super::reader::Reader;
use super::source::Source;
use crate::time::Timestamp;

/// An input that was not opened yet.
pub(super) struct Input {
    /// Printable.
    pub name: String,
    pub source: Source,
    /// When its first packet was captured; unknown of a pipe, and of a capture without one.
    pub begins: Option<Timestamp>,
}

/// All of them.
pub(super) struct Inputs {
    /// Files alone are in the order in which they begin, others as they were named.
    pub waiting: VecDeque<Input>,
    /// The files were named in another order.
    pub reordered: bool,
    /// In directories, files and directories that are no captures.
    pub passed_over: u64,
    /// If all of them are regular files.
    pub total_bytes: Option<u64>,
    /// The directory that the last one is in.
    pub directory: Option<Arc<Directory>>,
}

impl Inputs {
    /// # Errors
    ///
    /// Where a path does not exist, a directory holds no capture, or one of several files is none: this is the time to
    /// say so, not after an hour of work on the file before it. Of a pipe nothing is read yet, so that its writer is
    /// not waited for.
    pub fn find(paths: &[PathBuf], follow: bool) -> Result<Self, Error> {
        let mut found = Found::default();
        for path in paths {
            found.add(path)?;
        }
        let Found {
            mut inputs,
            directories,
            passed_over,
            bytes,
            waits,
        } = found;
        let mut reordered = false;
        if inputs.len() > 1 && !waits {
            for input in &mut inputs {
                if let (Source::File(path), None) = (&input.source, input.begins) {
                    input.begins = begin(path)?;
                }
            }
            reordered = !inputs.is_sorted_by_key(|input| input.begins);
            inputs.sort_by_key(|input| input.begins);
        }
        let mut waiting = VecDeque::from(inputs);
        let mut directory = None;
        if follow && let Some(last) = waiting.back_mut() {
            directory = directories
                .into_iter()
                .find(|(parent, _)| last.source.path().and_then(Path::parent) == Some(parent))
                .map(|(_, directory)| directory);
            last.keep_following(directory.clone());
        }
        Ok(Self {
            waiting,
            reordered,
            passed_over,
            total_bytes: (!waits && !follow).then_some(bytes),
            directory,
        })
    }
}

#[derive(Default)]
struct Found {
    inputs: Vec<Input>,
    directories: Vec<(PathBuf, Arc<Directory>)>,
    passed_over: u64,
    /// Of regular files.
    bytes: u64,
    /// For one of them somebody may have to wait.
    waits: bool,
}

impl Found {
    fn add(&mut self, path: &Path) -> Result<(), Error> {
        if path.as_os_str() == "-" {
            self.waits = true;
            self.inputs.push(Input {
                name: "standard input".into(),
                source: Source::Stdin,
                begins: None,
            });
            return Ok(());
        }
        let name = printable(path);
        let file = name.clone();
        let open = |error| Error::Open { file, error };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => return Err(open(error)),
        };
        if metadata.is_dir() {
            return self.add_directory(path, name);
        }
        // A pipe or a device might be disturbed by being opened.
        let source = if metadata.is_file() {
            File::open(path).map_err(open)?;
            self.bytes += metadata.len();
            Source::File(path.to_owned())
        } else {
            self.waits = true;
            Source::Pipe(path.to_owned())
        };
        self.inputs.push(Input {
            name,
            source,
            begins: None,
        });
        Ok(())
    }

    fn add_directory(&mut self, path: &Path, name: String) -> Result<(), Error> {
        let directory = Directory::new(path);
        let contents = match directory.contents() {
            Ok(contents) => contents,
            Err(error) => return Err(Error::Open { file: name, error }),
        };
        if contents.captures.is_empty() {
            return Err(Error::NoCaptures { file: name });
        }
        for (path, begins) in contents.captures {
            self.bytes += fs::metadata(&path).map_or(0, |metadata| metadata.len());
            self.inputs.push(Input::file(path, begins));
        }
        self.passed_over += contents.others;
        self.directories
            .push((path.to_owned(), Arc::new(directory)));
        Ok(())
    }
}

impl Input {
    pub fn file(path: PathBuf, begins: Option<Timestamp>) -> Self {
        Self {
            name: printable(&path),
            source: Source::File(path),
            begins,
        }
    }

    /// A file ends when its writer is done with it.
    pub fn keep_following(&mut self, directory: Option<Arc<Directory>>) {
        if let Source::File(path) = &mut self.source {
            self.source = Source::Growing(std::mem::take(path), directory);
        }
    }
}

/// When the first packet of a file was captured; `None` where that is not known near its beginning.
pub(super) fn begin(path: &Path) -> Result<Option<Timestamp>, Error> {
    let name = printable(path);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return Err(Error::Open { file: name, error }),
    };
    let source = Source::Reader(Box::new(file.take(NEAR)));
    let mut reader = Reader::open(name, source, Arc::default(), Stop::default())?;
    loop {
        match reader.next() {
            Ok(Some(record)) if record.at.is_some() => return Ok(record.at),
            Ok(None) => return Ok(None),
            // Damage is told when the file is read.
            Ok(Some(_)) | Err(_) => {}
        }
    }
}

/// A file's name on one line, and without what would reach a terminal as a command.
pub fn printable(path: &Path) -> String {
    let mut name = String::new();
    for character in path.display().to_string().chars() {
        match character {
            '"' | '\'' | '\\' => name.push(character),
            _ => name.extend(character.escape_debug()),
        }
    }
    name
}

/// Bytes.
const NEAR: u64 = 1 << 20;
