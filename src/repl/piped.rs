//! Reads lines from a pipe or a file, without prompt or history. After an error the next line is
//! read.

use std::cell::RefCell;
use std::io::BufRead;

use super::settings::{CommandLine, Settings};
use super::turn::{LineOutcome, Repl};
use crate::script::{ScriptHost, Session};

/// Evaluates `input` line by line to its end.
pub fn run(
    host: ScriptHost,
    commands: &dyn CommandLine,
    settings: &Settings,
    input: &mut dyn BufRead,
) -> u8 {
    let session = RefCell::new(Session::new(host.clone()));
    let repl = Repl::new(&session, commands, host, settings.course.clone());
    repl.open_course();
    let mut text = String::new();
    loop {
        let read = input.read_line(&mut text);
        if read.is_err() && repl.host.cancel.is_cancelled() {
            repl.close_course();
            return repl.host.interrupted_code();
        }
        let at_end = !matches!(read, Ok(1..));
        if !at_end && repl.is_incomplete(text.trim_end_matches('\n')) {
            continue;
        }
        match repl.take(text.trim_end_matches('\n')) {
            LineOutcome::Exit(code) => {
                repl.close_course();
                return code;
            }
            LineOutcome::Interrupted => return repl.host.interrupted_code(),
            LineOutcome::Continue if at_end => {
                repl.close_course();
                return 0;
            }
            LineOutcome::Continue => text.clear(),
        }
    }
}
