//! Standard output and standard error, buffered.

use std::io::{self, BufWriter, Write};
use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::command_result::CommandError;
use crate::model::{Kind, Result};

/// The size of each buffer.
const BUFFER: usize = 64 * 1024;

/// Standard output and standard error. [`Terminal::flush`] writes the buffers, at the latest when
/// the verb ends.
#[derive(Debug)]
pub struct Terminal {
    out: BufWriter<Stream>,
    err: BufWriter<Stream>,
    /// Whether both streams go to one file, so that their order is visible.
    shared: bool,
}

impl Terminal {
    /// Opens the terminal of this process.
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
    /// When the output cannot be written.
    pub fn line(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        writeln!(self.out()?, "{text}")
    }

    /// Writes text to standard output without a newline.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.out()?.write_all(text.as_bytes())
    }

    /// Returns standard output. Flushes standard error first if the order is visible.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn out(&mut self) -> io::Result<&mut impl Write> {
        if self.shared && !self.err.buffer().is_empty() {
            self.err.flush()?;
        }
        Ok(&mut self.out)
    }

    /// Returns standard error, as [`Terminal::out`].
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn err(&mut self) -> io::Result<&mut impl Write> {
        if self.shared && !self.out.buffer().is_empty() {
            self.out.flush()?;
        }
        Ok(&mut self.err)
    }

    /// Returns the next item of a stream that may block. Flushes only before it blocks.
    ///
    /// # Errors
    /// When the stream fails, or the output cannot be written.
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

    /// Writes the buffers.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }
}

/// Returns unbuffered standard output.
pub fn stdout() -> Stream {
    Stream { fd: rustix::stdio::stdout() }
}

/// Returns unbuffered standard error.
pub fn stderr() -> Stream {
    Stream { fd: rustix::stdio::stderr() }
}

/// An unbuffered stream of this process. `std::io::Stdout` buffers lines, but the output of an
/// attached container must be visible immediately.
#[derive(Debug)]
pub struct Stream {
    fd: BorrowedFd<'static>,
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.fd, bytes) {
                Err(rustix::io::Errno::INTR) => {}
                // Another process may have made the terminal non-blocking: wait, to lose nothing.
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
