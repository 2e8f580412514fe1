//! The program: it picks the face, and is the only place that ends the process.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    ExitCode::from(lifebox::cli::main(&words))
}
