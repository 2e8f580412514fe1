//! Lines from a pipe or a file: no prompt, no history; an error is shown and the next line is read.

use std::cell::RefCell;
use std::io::BufRead;

use super::settings::{CommandLine, Settings};
use super::turn::{LineOutcome, Repl};
use crate::script::{Host, Session};

/// What Ctrl-C leaves behind where nobody can type the next line.
const INTERRUPTED: u8 = 130;

/// Reads to the end of `input`.
pub fn run(
    host: Host,
    commands: &dyn CommandLine,
    settings: &Settings,
    input: &mut dyn BufRead,
) -> u8 {
    let session = RefCell::new(Session::new(host.clone()));
    let talk = Repl::new(&session, commands, host, settings.course.clone());
    talk.open_course();
    let mut text = String::new();
    loop {
        let at_end = !matches!(input.read_line(&mut text), Ok(1..));
        if !at_end && talk.is_incomplete(text.trim_end_matches('\n')) {
            continue;
        }
        match talk.take(text.trim_end_matches('\n')) {
            LineOutcome::Exit(code) => {
                talk.close_course();
                return code;
            }
            LineOutcome::Interrupted => return INTERRUPTED,
            LineOutcome::Continue if at_end => {
                talk.close_course();
                return 0;
            }
            LineOutcome::Continue => text.clear(),
        }
    }
}
