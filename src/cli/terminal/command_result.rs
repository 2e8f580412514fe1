//! How a verb ends: an exit code, or an error with an exit code.

use std::io;

use crate::model::Error;

/// The exit code of a failed command; docker-run(1).
pub const FAILED: u8 = 1;
/// The exit code of Docker's `inspect`, `info`, `version` and `events` for a template that cannot
/// be parsed; of its other verbs, and for a template that fails on a value, it is [`FAILED`].
pub const BAD_TEMPLATE: u8 = 64;
/// The exit code of `run` if the engine failed, not the container; also of each verb for a flag
/// that Docker's client refuses.
pub const ENGINE_FAILED: u8 = 125;

/// The exit code of a verb, or why it ended early.
pub type CommandResult = std::result::Result<u8, CommandError>;

/// Why a verb ended early.
#[derive(Debug)]
pub enum CommandError {
    /// The verb failed with this error, which is not printed yet, and this exit code.
    Failed(Error, u8),
    /// The reader of the output has exited, as in `lifebox ps | head -1`.
    ClosedPipe,
}

impl CommandError {
    /// Returns a function that turns an error into a failure with this exit code.
    pub fn with_code(code: u8) -> impl FnOnce(Error) -> CommandError {
        move |error| CommandError::Failed(error, code)
    }

    /// Converts an error of writing to standard output: a closed pipe, or a failure.
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
