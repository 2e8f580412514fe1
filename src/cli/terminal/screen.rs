//! The terminal side: where text and bytes go, buffered, and how a closed pipe ends it.

use std::io::{self, BufWriter, Write};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::ending::CommandError;
use crate::model::{Kind, Result};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// Standard output and standard error. What is written is shown by [`Screen::flush`], at the
/// latest when the verb ends.
#[derive(Debug)]
pub struct Terminal {
    out: BufWriter<Stream>,
    err: BufWriter<Stream>,
    /// Whether both go to one place, so that their order is seen.
    shared: bool,
}

impl Terminal {
    /// The screen of this process.
    pub fn new() -> Self {
        let (out, err) = (stdout(), stderr());
        let place = |stream: &Stream| {
            rustix::fs::fstat(stream.fd).ok().map(|stat| (stat.st_dev, stat.st_ino))
        };
        let shared = place(&out) == place(&err);
        Terminal {
            out: BufWriter::with_capacity(BUFFER, out),
            err: BufWriter::with_capacity(BUFFER, err),
            shared,
        }
    }

    /// Writes a line to standard output.
    ///
    /// # Errors
    /// What writing says.
    pub fn line(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.out()?, "{text}")
    }

    /// Writes text to standard output as it is.
    ///
    /// # Errors
    /// What writing says.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.out()?.write_all(text.as_bytes())
    }

    /// Standard output. What standard error holds is shown before, where the order can be seen.
    ///
    /// # Errors
    /// What writing says.
    pub fn out(&mut self) -> io::Result<&mut impl Write> {
        if self.shared && !self.err.buffer().is_empty() {
            self.err.flush()?;
        }
        Ok(&mut self.out)
    }

    /// Standard error, as [`Screen::out`].
    ///
    /// # Errors
    /// What writing says.
    pub fn err(&mut self) -> io::Result<&mut impl Write> {
        if self.shared && !self.out.buffer().is_empty() {
            self.out.flush()?;
        }
        Ok(&mut self.err)
    }

    /// The next of a stream that may wait. What was gathered is shown before a wait, and only then.
    ///
    /// # Errors
    /// What the stream says, or writing.
    pub fn before_wait<T>(
        &mut self,
        mut next: impl FnMut(Option<Duration>) -> Result<Option<T>>,
    ) -> std::result::Result<Option<T>, CommandError> {
        match next(Some(Duration::ZERO)) {
            Err(error) if error.kind() == Kind::Timeout => {
                self.flush()?;
                Ok(next(None)?)
            }
            other => Ok(other?),
        }
    }

    /// Shows what was gathered.
    ///
    /// # Errors
    /// What writing says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }
}

/// Standard output, byte for byte and not buffered.
pub fn stdout() -> Stream {
    Stream { fd: rustix::stdio::stdout() }
}

/// Standard error, byte for byte and not buffered.
pub fn stderr() -> Stream {
    Stream { fd: rustix::stdio::stderr() }
}

/// A stream of this process. Not `std::io::Stdout`: that one gathers lines, and what an attached
/// container writes must be seen at once.
#[derive(Debug)]
pub struct Stream {
    fd: BorrowedFd<'static>,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.fd, bytes) {
                Err(rustix::io::Errno::INTR) => {}
                // The terminal's other users may have made it non-blocking: wait, lose nothing.
                Err(rustix::io::Errno::AGAIN) => wait_writable(self.fd)?,
                other => return Ok(other?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn wait_writable(fd: BorrowedFd<'_>) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, poll};
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    match poll(&mut fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
