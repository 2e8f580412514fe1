//! Files and streams that a user or a script names.
//!
//! A fifo, a pipe or a terminal may wait forever: for a process at the other end, for a byte, for
//! room. Here is the one way to open, to read and to write them; each wait calls the cancel check,
//! so Ctrl-C and a time limit end it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use super::cancel_check::CancelCheck;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::poll;

/// How often a wait calls the cancel check.
const INTERVAL: Duration = Duration::from_millis(50);
/// The most bytes that never block a pipe that poll(2) calls writable: `PIPE_BUF` (pipe(7)).
const ATOMIC: usize = 4096;

/// An open file, or a stream that this process inherited.
#[derive(Debug)]
enum Descriptor {
    Opened(File),
    Inherited(BorrowedFd<'static>),
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Descriptor::Opened(file) => file.as_fd(),
            Descriptor::Inherited(stream) => *stream,
        }
    }
}

/// A file or stream to read.
pub(crate) struct InputStream<'a> {
    from: Descriptor,
    /// Whether a read may wait.
    waits: bool,
    check: CancelCheck<'a>,
}

/// A stream to write.
pub(crate) struct OutputStream<'a> {
    to: Descriptor,
    pace: Pace,
    check: CancelCheck<'a>,
}

/// How to write a stream so that a reader who takes nothing blocks no write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Whether a write may wait.
    waits: bool,
    /// The most bytes of one write.
    portion: usize,
}

impl Pace {
    /// Returns the pace for a descriptor that other processes share, so that it stays blocking.
    pub(crate) fn of_shared(to: impl AsFd) -> Self {
        let waits = may_wait(to);
        Pace { waits, portion: if waits { ATOMIC } else { usize::MAX } }
    }

    /// Writes what the stream accepts now; while the stream accepts nothing, calls the check.
    ///
    /// # Errors
    /// When writing fails or is cancelled.
    pub(crate) fn write(
        self,
        to: impl AsFd,
        bytes: &[u8],
        check: CancelCheck<'_>,
    ) -> io::Result<usize> {
        loop {
            if self.waits {
                wait(poll::wait_writable, &to, check)?;
            }
            match rustix::io::write(&to, &bytes[..bytes.len().min(self.portion)]) {
                // Another process may have made the stream non-blocking, and was faster.
                Err(rustix::io::Errno::AGAIN) => wait(poll::wait_writable, &to, check)?,
                Err(rustix::io::Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }
}

/// Opens a file for reading. Does not wait for the writer of a fifo: the first read does.
fn open_for_reading(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

/// Opens a regular file, where a stream makes no sense: a file that is read again, or that belongs
/// to the configuration. Never waits.
///
/// # Errors
/// [`Kind::Invalid`] for anything else; when the file cannot be opened.
pub(crate) fn open_regular(path: &Path) -> Result<File> {
    let what = || format!("open `{}`", path.display());
    let file = open_for_reading(path).context(what)?;
    let kind = file.metadata().context(what)?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let found = if kind.is_dir() {
        "a directory"
    } else if kind.is_fifo() {
        "a fifo"
    } else {
        "a device"
    };
    let message = format!("`{}` is not a regular file but {found}", path.display());
    Err(Error::new(Kind::Invalid, message).hint("name a regular file"))
}

/// Reads at most `most` bytes of a regular file, as text.
///
/// # Errors
/// As [`open_regular`]; [`Kind::Invalid`] if it is longer or not UTF-8.
pub(crate) fn read_regular(path: &Path, most: u64) -> Result<String> {
    text_of(open_regular(path)?, path, most)
}

/// Reads at most `most` bytes of a file or stream, as text.
///
/// # Errors
/// [`Kind::Cancelled`]; [`Kind::Invalid`] if it is longer or not UTF-8.
pub(crate) fn read_text(path: &Path, most: u64, check: CancelCheck<'_>) -> Result<String> {
    text_of(InputStream::open(path, check)?, path, most)
}

/// Reads at most `most` bytes of an open file, as text; `path` is for messages.
///
/// # Errors
/// [`Kind::Refused`] if it is longer; [`Kind::Invalid`] if it is not UTF-8.
pub(crate) fn text_of(from: impl Read, path: &Path, most: u64) -> Result<String> {
    let bytes = read_limited(from, most, &path.display().to_string())?;
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Invalid, format!("`{}` is not UTF-8 text", path.display())))
}

/// Reads a whole stream of at most `most` bytes; `name` is for messages.
///
/// # Errors
/// [`Kind::Refused`] if it is longer; [`Kind::Cancelled`].
pub(crate) fn read_limited(from: impl Read, most: u64, name: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .context(|| format!("read `{name}`"))?;
    if bytes.len() as u64 > most {
        let limit = most >> 20;
        return Err(Error::new(Kind::Refused, format!("`{name}` is larger than {limit} MiB")));
    }
    Ok(bytes)
}

impl<'a> InputStream<'a> {
    /// Opens a file of any kind.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn open(path: &Path, check: CancelCheck<'a>) -> Result<Self> {
        let what = || format!("open `{}`", path.display());
        let file = open_for_reading(path).context(what)?;
        Ok(InputStream::of(Descriptor::Opened(file), check))
    }

    /// Returns standard input, unbuffered.
    pub(crate) fn stdin(check: CancelCheck<'a>) -> Self {
        InputStream::of(Descriptor::Inherited(rustix::stdio::stdin()), check)
    }

    fn of(from: Descriptor, check: CancelCheck<'a>) -> Self {
        InputStream { waits: may_wait(&from), from, check }
    }

    /// Returns the file without the check if reading it never waits.
    ///
    /// # Errors
    /// The stream itself, if it may wait.
    pub(crate) fn into_file(self) -> Result<File, Self> {
        match self {
            InputStream { from: Descriptor::Opened(file), waits: false, .. } => Ok(file),
            stream => Err(stream),
        }
    }

    /// Reads one line, and nothing after it; empty at the end.
    ///
    /// # Errors
    /// When reading fails or is cancelled.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while self.read(&mut byte)? == 1 {
            line.push(byte[0]);
            if byte[0] == b'\n' {
                break;
            }
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

impl Read for InputStream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.waits {
                wait(poll::wait_readable, &self.from, self.check)?;
            }
            match rustix::io::read(&self.from, &mut *buffer) {
                // Another process was faster, or the writer has not sent a byte yet.
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                result => return Ok(result?),
            }
        }
    }
}

impl<'a> OutputStream<'a> {
    /// Opens a fifo, a device or another open file for writing at its end; waits for the reader of
    /// a fifo.
    ///
    /// # Errors
    /// [`Kind::Cancelled`]; when it cannot be opened.
    pub(crate) fn open(path: &Path, check: CancelCheck<'a>) -> Result<Self> {
        let what = || format!("cannot write `{}`", path.display());
        let is_fifo = path.metadata().is_ok_and(|found| found.file_type().is_fifo());
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        loop {
            match OpenOptions::new().append(true).custom_flags(flags).open(path) {
                // A fifo without a reader (fifo(7)).
                Err(error) if is_fifo && error.raw_os_error() == Some(libc::ENXIO) => {
                    std::thread::sleep(INTERVAL);
                    check().context(what)?;
                }
                Ok(file) => {
                    let to = Descriptor::Opened(file);
                    let pace = Pace { waits: may_wait(&to), portion: usize::MAX };
                    return Ok(OutputStream { to, pace, check });
                }
                Err(error) => return Err(Error::from_io(what(), &error)),
            }
        }
    }

    /// Returns standard output, unbuffered.
    pub(crate) fn stdout(check: CancelCheck<'a>) -> Self {
        let to = Descriptor::Inherited(rustix::stdio::stdout());
        OutputStream { pace: Pace::of_shared(&to), to, check }
    }
}

impl Write for OutputStream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pace.write(&self.to, bytes, self.check)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns whether reading or writing may wait for another process or for a user.
fn may_wait(stream: impl AsFd) -> bool {
    use rustix::fs::FileType;
    let kind = rustix::fs::fstat(stream).map(|found| FileType::from_raw_mode(found.st_mode));
    !matches!(kind, Ok(FileType::RegularFile | FileType::Directory | FileType::BlockDevice))
}

/// Waits until a stream is ready. Calls the check only while it is not.
fn wait(
    ready: fn(&[BorrowedFd<'_>], Option<Duration>) -> Result<Vec<bool>>,
    stream: impl AsFd,
    check: CancelCheck<'_>,
) -> io::Result<()> {
    while !ready(&[stream.as_fd()], Some(INTERVAL)).map_err(io::Error::other)?.contains(&true) {
        check().map_err(io::Error::other)?;
    }
    Ok(())
}

impl std::fmt::Debug for InputStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InputStream").field("from", &self.from).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for OutputStream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutputStream").field("to", &self.to).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tests/stream.rs"]
mod tests;
