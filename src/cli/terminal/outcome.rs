//! Shows how a verb ended.

use std::io::Write as _;

use super::ending::{CommandError, CommandResult, FAILED};
use super::reader::reader;
use super::screen::Terminal;
use crate::engine::CancelToken;
use crate::model::{Error, Kind};
use crate::ui;

/// Shows what is to be shown and returns the exit code. The end of every verb.
pub fn finish(screen: &mut Terminal, outcome: CommandResult) -> u8 {
    let flushed = screen.flush();
    let outcome = outcome.and_then(|code| flushed.map(|()| code).map_err(CommandError::from));
    match outcome {
        Ok(code) => code,
        Err(CommandError::ClosedPipe) => 0,
        // The user knows: it was their Ctrl-C, or their `kill`.
        Err(CommandError::Failed(error, _)) if error.kind() == Kind::Cancelled => {
            CancelToken::exit_code()
        }
        Err(CommandError::Failed(error, code)) => {
            print_error(screen, &error);
            code
        }
    }
}

/// Shows an error on standard error. Where that is closed too there is nobody to tell.
pub fn print_error(screen: &mut Terminal, error: &Error) {
    let text = ui::error::error(&ui::error::localized(error.clone(), reader().language));
    let _ = screen.err().and_then(|err| err.write_all(text.as_bytes()));
    let _ = screen.flush();
}

/// Shows an error and returns the exit code of a failure.
pub fn fail(error: &Error) -> u8 {
    print_error(&mut Terminal::new(), error);
    FAILED
}
