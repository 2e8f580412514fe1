//! Prints how a verb ended, and picks the exit code.

use std::io::Write as _;

use super::command_result::{CommandError, CommandResult, FAILED};
use super::reader::reader;
use super::screen::Terminal;
use crate::engine::CancelToken;
use crate::model::{Error, Kind};
use crate::ui;

/// Flushes the output, prints the error, and returns the exit code. Every verb ends here.
pub fn finish(terminal: &mut Terminal, outcome: CommandResult) -> u8 {
    let flushed = terminal.flush();
    let outcome = outcome.and_then(|code| flushed.map(|()| code).map_err(CommandError::from));
    match outcome {
        Ok(code) => code,
        Err(CommandError::ClosedPipe) => 0,
        // The user's own Ctrl-C or `kill` needs no message.
        Err(CommandError::Failed(error, _)) if error.kind() == Kind::Cancelled => {
            CancelToken::exit_code()
        }
        Err(CommandError::Failed(error, code)) => {
            print_error(terminal, &error);
            code
        }
    }
}

/// Prints an error on standard error. A closed standard error is ignored.
pub fn print_error(terminal: &mut Terminal, error: &Error) {
    let text = ui::error::error(&ui::error::localized(error.clone(), reader().language));
    let _ = terminal.err().and_then(|err| err.write_all(text.as_bytes()));
    let _ = terminal.flush();
}

/// Prints an error and returns the exit code of a failure.
pub fn fail(error: &Error) -> u8 {
    print_error(&mut Terminal::new(), error);
    FAILED
}
