//! Reads lines from a pipe or a file, without prompt or history. After an error the next line is
//! read.

use std::cell::RefCell;
use std::io::BufRead;

use super::settings::{CommandLine, Settings};
use super::turn::{LineOutcome, Repl};
use crate::script::{ScriptHost, Session};

/// The exit code after Ctrl-C.
const INTERRUPTED: u8 = 130;

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
        let at_end = !matches!(input.read_line(&mut text), Ok(1..));
        if !at_end && repl.is_incomplete(text.trim_end_matches('\n')) {
            continue;
        }
        match repl.take(text.trim_end_matches('\n')) {
            LineOutcome::Exit(code) => {
                repl.close_course();
                return code;
            }
            LineOutcome::Interrupted => return INTERRUPTED,
            LineOutcome::Continue if at_end => {
                repl.close_course();
                return 0;
            }
            LineOutcome::Continue => text.clear(),
        }
    }
}
