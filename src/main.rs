//! The program: it picks the face, and is the only place that ends the process.

use std::ffi::OsString;
use std::process::ExitCode;

use lifebox::runtime::host::{inherited, memory};
use lifebox::runtimetest;

/// Counts only for scripts that are not trusted.
#[global_allocator]
static ALLOCATOR: memory::Bounded = memory::Bounded;

fn main() -> ExitCode {
    // Before all else: a monitor parses no arguments and stays small.
    if let Some(code) = lifebox::dispatch() {
        return ExitCode::from(code);
    }
    // The probe reports what its container hands down.
    if runtimetest::is_runtimetest() {
        return ExitCode::from(runtimetest::run());
    }
    inherited::reset_for_client();
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    ExitCode::from(lifebox::cli::main(&words))
}
