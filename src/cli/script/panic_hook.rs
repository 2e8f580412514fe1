//! Reports a panic as a bug of lifebox, with an exit code.

use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::{Mutex, PoisonError};

use crate::cli::arg_errors::failure_code;
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::model::{Error, Kind};
use crate::script;

/// The message and the place of the last panic, from the hook to [`catch_panic`].
static LAST: Mutex<Option<String>> = Mutex::new(None);

/// Runs `body`. If it panics, reports the bug and returns the exit code of a failed engine.
pub fn catch_panic(words: &[OsString], body: impl FnOnce() -> u8) -> u8 {
    panic::set_hook(Box::new(remember));
    panic::catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        let message = LAST.lock().unwrap_or_else(PoisonError::into_inner).take();
        let message = message.unwrap_or_else(|| "a panic without message".to_owned());
        let error = Error::new(Kind::Bug, format!("lifebox has a bug: {message}"))
            .hint("please report it, with what you typed; containers are not affected");
        print_error(&mut Terminal::new(), &error);
        failure_code(words)
    })
}

fn remember(info: &PanicHookInfo<'_>) {
    // The script's report includes this panic.
    if script::took_panic(info) {
        return;
    }
    let place = info.location().map_or_else(String::new, |place| format!(" ({place})"));
    let message = info.payload_as_str().unwrap_or("a panic without message");
    *LAST.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{message}{place}"));
}
