//! Inputs that keep their reader waiting: standard input and named pipes, read so that a request to stop is heard.

use std::io::{self, Read};
use std::path::Path;

use super::Stop;

#[cfg(unix)]
pub(super) fn stdin(stop: Stop) -> io::Result<Box<dyn Read + Send>> {
    use std::os::fd::AsFd;
    // Not through the standard library's buffer, which would hide from `poll` what is in it.
    let input = io::stdin().as_fd().try_clone_to_owned()?.into();
    Ok(Box::new(Waiting::new(input, stop)))
}

/// Opens a pipe without waiting for somebody who writes: the first read does that.
#[cfg(unix)]
pub(super) fn pipe(path: &Path, stop: Stop) -> io::Result<Box<dyn Read + Send>> {
    use rustix::fs::{Mode, OFlags, open};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let input = open(path, flags, Mode::empty())?.into();
    Ok(Box::new(Waiting::new(input, stop)))
}

#[cfg(unix)]
struct Waiting {
    input: std::fs::File,
    stop: Stop,
    /// Bytes that are still read once it is asked to stop.
    grace: usize,
}

#[cfg(unix)]
impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Ctrl-C asks the whole pipeline to stop: what its writer leaves behind is read, if it comes at once.
        loop {
            let is_asked = self.stop.is_requested();
            if is_asked && self.grace == 0 {
                return Ok(0);
            }
            if self.has_something()? {
                match self.input.read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Ok(length) if is_asked => {
                        self.grace = self.grace.saturating_sub(length);
                        return Ok(length);
                    }
                    read => return read,
                }
            } else if is_asked {
                return Ok(0);
            }
        }
    }
}

#[cfg(unix)]
impl Waiting {
    fn new(input: std::fs::File, stop: Stop) -> Self {
        Self {
            input,
            stop,
            grace: GRACE,
        }
    }

    /// Whether reading would not wait; false after a while, or where a signal came.
    fn has_something(&self) -> io::Result<bool> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let patience = Timespec::try_from(super::PATIENCE).map_err(io::Error::other)?;
        match poll(
            &mut [PollFd::new(&self.input, PollFlags::IN)],
            Some(&patience),
        ) {
            Ok(ready) => Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Elsewhere a request to stop is heard when the next bytes come.
#[cfg(not(unix))]
pub(super) fn stdin(_: Stop) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(io::stdin()))
}

#[cfg(not(unix))]
pub(super) fn pipe(path: &Path, _: Stop) -> io::Result<Box<dyn Read + Send>> {
    Ok(Box::new(std::fs::File::open(path)?))
}

/// More than a pipe and a capturing program's buffers hold, and no more than is read in a moment.
#[cfg(unix)]
const GRACE: usize = 16 << 20;
