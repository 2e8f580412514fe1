//! The program: it picks the face, and is the only place that ends the process.

use std::ffi::OsString;
use std::process::ExitCode;

use lifebox::runtime::host::memory;
use lifebox::runtime::init::pid1;
use lifebox::runtime::roles;
use lifebox::runtimetest;

/// Counts only for scripts that are not trusted.
#[global_allocator]
static ALLOCATOR: memory::Bounded = memory::Bounded;

fn main() -> ExitCode {
    // Before all else: a monitor parses no arguments and stays small.
    if roles::is_role() {
        return ExitCode::from(roles::run());
    }
    // In a container, where nothing of the engine is.
    if pid1::is_init() {
        return ExitCode::from(pid1::run());
    }
    if runtimetest::is_runtimetest() {
        return ExitCode::from(runtimetest::run());
    }
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    ExitCode::from(lifebox::cli::main(&words))
}
