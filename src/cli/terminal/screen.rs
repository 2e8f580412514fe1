//! Standard output and standard error, buffered.

use std::io::{self, BufWriter, Write};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use super::command_result::CommandError;
use crate::engine::CancelToken;
use crate::engine::stream::Pace;
use crate::model::value::visible::escape_control;
use crate::model::{Error, Kind, Result};

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

    /// Lets `cancel` end the wait for a reader that takes nothing.
    pub fn until(&mut self, cancel: &CancelToken) {
        for stream in [&mut self.out, &mut self.err] {
            stream.get_mut().cancel = Some(cancel.clone());
        }
    }

    /// Writes a line to standard output, without the control characters of strangers.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn line(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        let text = escape_control(&text.to_string());
        writeln!(self.out()?, "{text}")
    }

    /// Writes text to standard output without a newline, as [`Terminal::line`].
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        self.styled(&escape_control(text))
    }

    /// Writes text with colours or cursor movements of our own to standard output.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn styled(&mut self, text: &str) -> io::Result<()> {
        self.out()?.write_all(text.as_bytes())
    }

    /// Writes a line to standard error, as [`Terminal::line`].
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn notice(&mut self, text: impl std::fmt::Display) -> io::Result<()> {
        let text = escape_control(&text.to_string());
        writeln!(self.err()?, "{text}")
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
    Stream::new(rustix::stdio::stdout())
}

/// Returns unbuffered standard error.
pub fn stderr() -> Stream {
    Stream::new(rustix::stdio::stderr())
}

/// An unbuffered stream of this process. `std::io::Stdout` buffers lines, but the output of an
/// attached container must be visible immediately.
#[derive(Debug)]
pub struct Stream {
    fd: BorrowedFd<'static>,
    pace: Pace,
    /// Ends the wait for a reader that takes nothing.
    cancel: Option<CancelToken>,
    /// After this time without a reader the rest is lost.
    patience: Option<Duration>,
}

impl Stream {
    fn new(fd: BorrowedFd<'static>) -> Self {
        Stream { fd, pace: Pace::of_shared(fd), cancel: None, patience: None }
    }

    /// Lets `cancel` end the wait for a reader that takes nothing.
    #[must_use]
    pub fn until(mut self, cancel: &CancelToken) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }

    /// Waits at most `patience` for a reader, for a text that must not keep a process from ending.
    #[must_use]
    pub fn at_most(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let begun = Instant::now();
        let check = || match (&self.cancel, self.patience) {
            (_, Some(patience)) if begun.elapsed() >= patience => {
                Err(Error::new(Kind::Timeout, "no process reads the output"))
            }
            (Some(cancel), _) => cancel.check(),
            _ => Ok(()),
        };
        self.pace.write(self.fd, bytes, &check)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
