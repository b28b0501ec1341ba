//! Several captures, each of which is a network of its own.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::iter;
use std::num::NonZero;
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::drive::{DAMAGED, INTERRUPTED};
use super::output::FOUND;
use super::{Failure, Screen, usage};
use crate::capture::{Stop, printable};

/// Hands each capture to `audit`, with what its tables are called, so many at a time; and prints what that wrote in the
/// order of the captures. One that fails does not end the others: its failure is told in its place. What comes back is the
/// worst exit status.
///
/// # Errors
///
/// Where two captures have one name, or standard output cannot be written.
pub(super) fn side_by_side(
    captures: &[PathBuf],
    jobs: NonZero<usize>,
    stop: &Stop,
    screen: &Screen,
    audit: impl Fn(&Path, &Path, &mut Vec<u8>) -> Result<ExitCode, Failure> + Sync,
) -> Result<ExitCode, Failure> {
    let names =
        names(captures).ok_or_else(|| usage("jobs", "a capture is given twice: name each once"))?;
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (done, reports) = mpsc::channel();
        for _ in 0..jobs.get().min(captures.len()) {
            let done = done.clone();
            scope.spawn(|| {
                let done = done;
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((capture, name)) = captures.get(index).zip(names.get(index)) else {
                        return;
                    };
                    if stop.is_requested() {
                        return;
                    }
                    let mut report = Vec::new();
                    let status = audit(capture, name, &mut report);
                    if done.send((index, status, report)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        let told = in_order(captures, reports, screen);
        if told.is_err() {
            stop.request();
        }
        told
    })
}

/// Prints reports, each when those before it are printed.
fn in_order(
    captures: &[PathBuf],
    reports: mpsc::Receiver<(usize, Result<ExitCode, Failure>, Vec<u8>)>,
    screen: &Screen,
) -> Result<ExitCode, Failure> {
    let mut out = io::stdout().lock();
    let mut waiting = BTreeMap::new();
    let mut printed = 0;
    let mut worst = ExitCode::SUCCESS;
    for (index, status, report) in reports {
        waiting.insert(index, (status, report));
        while let Some((status, report)) = waiting.remove(&printed) {
            let blank = if printed == 0 { "" } else { "\n" };
            writeln!(out, "{blank}==> {} <==", printable(&captures[printed]))?;
            out.write_all(&report)?;
            out.flush()?;
            printed += 1;
            let status = status.unwrap_or_else(|failure| {
                failure.tell();
                ExitCode::FAILURE
            });
            worst = worse(worst, status);
        }
    }
    if printed < captures.len() {
        worst = worse(worst, ExitCode::from(INTERRUPTED));
        let left = captures.len() - printed;
        screen.note(format_args!("interrupted: {left} captures were not begun"));
    }
    Ok(worst)
}

/// What stopped the program comes first, then what somebody asked for, then what is wrong with a capture.
fn worse(one: ExitCode, other: ExitCode) -> ExitCode {
    let statuses = [1, FOUND, INTERRUPTED, DAMAGED].map(ExitCode::from);
    let found = statuses
        .into_iter()
        .find(|status| [one, other].contains(status));
    found.unwrap_or(one)
}

/// What the tables of each capture are called: its path's last part, with as many of those before it as it takes to tell
/// it from the others. `None` where that cannot be.
fn names(captures: &[PathBuf]) -> Option<Vec<PathBuf>> {
    let parts: Vec<Vec<&OsStr>> = captures.iter().map(|path| parts(path)).collect();
    let longest = parts.iter().map(Vec::len).max()?;
    let mut names = vec![None; captures.len()];
    for length in 1..=longest {
        let ends = parts
            .iter()
            .map(|parts| &parts[parts.len().saturating_sub(length)..]);
        let mut times: BTreeMap<_, u32> = BTreeMap::new();
        ends.clone()
            .for_each(|end| *times.entry(end).or_default() += 1);
        for (name, end) in names.iter_mut().zip(ends) {
            if name.is_none() && times.get(end) == Some(&1) {
                *name = Some(end.iter().collect());
            }
        }
    }
    names.into_iter().collect()
}

/// Of a path, what may stand in another one.
fn parts(path: &Path) -> Vec<&OsStr> {
    if path == Path::new("-") {
        return iter::once(OsStr::new("stdin")).collect();
    }
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name),
        _ => None,
    });
    parts.collect()
}
