//! How a verb ends: an exit code, or an error with one.

use std::io;

use crate::model::Error;

/// Exit codes of the command line itself; docker-run(1).
pub const FAILED: u8 = 1;
/// A template that cannot be read or filled.
pub const BAD_TEMPLATE: u8 = 64;
/// The engine failed, not the container.
pub const ENGINE_FAILED: u8 = 125;

/// The exit code of a verb, or why it ended early.
pub type CommandResult = std::result::Result<u8, CommandError>;

/// Why a verb ended early.
#[derive(Debug)]
pub enum CommandError {
    /// It failed; the error is still to be shown.
    Failed(Error, u8),
    /// Nobody reads what it writes any more, as in `lifebox ps | head -1`.
    ClosedPipe,
}

impl CommandError {
    /// A failure with an exit code of its own.
    pub fn with_code(code: u8) -> impl FnOnce(Error) -> CommandError {
        move |error| CommandError::Failed(error, code)
    }

    /// Why writing to standard output ended: nobody reads it any more, or a failure.
    pub fn from_output(error: Error) -> CommandError {
        match error.errno() {
            Some(libc::EPIPE) => CommandError::ClosedPipe,
            _ => error.into(),
        }
    }
}

impl From<Error> for CommandError {
    fn from(error: Error) -> Self {
        CommandError::Failed(error, FAILED)
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => CommandError::ClosedPipe,
            _ => CommandError::Failed(Error::from_io("write the output", &error), FAILED),
        }
    }
}
