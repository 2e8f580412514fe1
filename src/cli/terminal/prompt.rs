//! Questions on the terminal, with and without echo.

use std::io::Write as _;
use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::screen::stdout;
use crate::engine::CancelToken;
use crate::model::{Error, Kind, Result};

/// The maximum length of an answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks a question and reads a line with echo.
///
/// # Errors
/// [`Kind::Cancelled`] after Ctrl-C; when the terminal cannot be read.
pub fn ask(question: &str, cancel: &CancelToken) -> Result<String> {
    show(question);
    line(cancel)
}

/// Asks a question and reads a line without echo.
///
/// # Errors
/// As [`ask`].
pub fn ask_secret(question: &str, cancel: &CancelToken) -> Result<String> {
    show(question);
    let hidden = Hidden::new()?;
    let answer = line(cancel);
    drop(hidden);
    // The typed newline was not echoed either.
    show("\n");
    answer
}

fn show(text: &str) {
    // The answer is read even if the question cannot be printed.
    let _ = stdout().write_all(text.as_bytes());
}

/// Guard that switches off the terminal's echo.
struct Hidden(Termios);

impl Hidden {
    fn new() -> Result<Self> {
        let stdin = rustix::stdio::stdin();
        let failed = |errno: rustix::io::Errno| {
            Error::from_errno("switch off the terminal's echo", errno.raw_os_error())
        };
        let before = tcgetattr(stdin).map_err(failed)?;
        let mut modes = before.clone();
        modes.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin, OptionalActions::Flush, &modes).map_err(failed)?;
        Ok(Hidden(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Reads one line of standard input, without its newline. Ends when `cancel` is raised.
fn line(cancel: &CancelToken) -> Result<String> {
    let stdin = rustix::stdio::stdin();
    let mut bytes = Vec::new();
    loop {
        let mut fds = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::from_borrowed_fd(cancel.as_fd(), PollFlags::IN),
        ];
        let polled = poll(&mut fds, None);
        cancel.check()?;
        let mut byte = [0];
        let read = match polled {
            Ok(_) => rustix::io::read(stdin, &mut byte),
            Err(errno) => Err(errno),
        };
        match read {
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) if bytes.len() < MAX_ANSWER => bytes.push(byte[0]),
            Ok(_) => return Err(Error::new(Kind::Invalid, "the answer is too long")),
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("read the terminal", errno.raw_os_error())),
        }
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Invalid, "the answer is not UTF-8 text"))?;
    Ok(text.trim_end_matches('\r').to_owned())
}
