//! Scripts and the REPL, which this build lacks.

use std::panic::PanicHookInfo;

use super::outcome::{FAILED, complain};
use super::route::Program;
use super::screen::Screen;
use crate::engine::Settings;
use crate::model::{Error, Kind};

/// Runs a script and returns its exit code.
pub fn script(_settings: &Settings, _program: Program, _arguments: Vec<String>) -> u8 {
    unsupported("scripts")
}

/// Opens the REPL and returns its exit code.
pub fn repl(_settings: &Settings) -> u8 {
    unsupported("the REPL")
}

/// For the panic hook: whether a script's report will tell of this panic.
pub fn took_panic(_info: &PanicHookInfo<'_>) -> bool {
    false
}

fn unsupported(what: &str) -> u8 {
    let error = Error::new(Kind::Unsupported, format!("this build has no {what}"));
    complain(&mut Screen::new(), &error);
    FAILED
}
