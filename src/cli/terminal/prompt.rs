//! Questions on the terminal, with and without echo.

use std::io::Write as _;
use std::os::fd::AsFd as _;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::screen::stdout;
use crate::engine::CancelToken;
use crate::model::{Error, Kind, Result};

/// The longest answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Asks and reads a line that can be seen.
///
/// # Errors
/// [`Kind::Cancelled`] after Ctrl-C; when the terminal can't be read.
pub fn ask(question: &str, cancel: &CancelToken) -> Result<String> {
    show(question);
    line(cancel)
}

/// Asks and reads a line that is not shown.
///
/// # Errors
/// As [`ask`].
pub fn ask_secret(question: &str, cancel: &CancelToken) -> Result<String> {
    show(question);
    let hidden = Hidden::new()?;
    let answer = line(cancel);
    drop(hidden);
    // The newline that was typed was not shown either.
    show("\n");
    answer
}

fn show(text: &str) {
    // Who does not see the question is asked all the same.
    let _ = stdout().write_all(text.as_bytes());
}

/// The terminal without echo, while this lives.
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

/// One line of standard input, without its end; ends when `cancel` is raised.
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
