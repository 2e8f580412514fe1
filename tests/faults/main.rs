//! Faults put to the engine, and one oracle that looks at what is left.
//!
//! `cargo test --test faults` runs the short form; `LIFEBOX_FAULTS=whole cargo test --test faults`
//! runs all and writes RELIABILITY.md. `cargo test --test faults -- kill/create/client/3` repeats
//! one case, and the beginning of a name the cases that have it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

#[cfg(target_arch = "x86_64")]
mod calls;
#[cfg(target_arch = "x86_64")]
mod cases;
#[cfg(target_arch = "x86_64")]
mod command;
#[cfg(target_arch = "x86_64")]
mod damage;
#[cfg(target_arch = "x86_64")]
mod errors;
#[cfg(target_arch = "x86_64")]
mod exhaustion;
#[cfg(target_arch = "x86_64")]
#[allow(dead_code)]
#[path = "../it/harness.rs"]
mod harness;
#[cfg(target_arch = "x86_64")]
mod kills;
#[cfg(target_arch = "x86_64")]
mod kinds;
#[cfg(target_arch = "x86_64")]
mod oracle;
#[cfg(target_arch = "x86_64")]
mod promises;
#[cfg(target_arch = "x86_64")]
mod races;
#[cfg(target_arch = "x86_64")]
mod report;
#[cfg(target_arch = "x86_64")]
mod schedules;
#[cfg(target_arch = "x86_64")]
mod stage;
#[cfg(target_arch = "x86_64")]
mod stepper;
#[cfg(target_arch = "x86_64")]
mod stops;
#[cfg(target_arch = "x86_64")]
mod verbs;

/// The words of the command line: what the test harness of cargo takes is passed over.
#[cfg(target_arch = "x86_64")]
fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let mut filter = String::new();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--list" => return ExitCode::SUCCESS,
            "--test-threads" | "--skip" => drop(words.next()),
            option if option.starts_with("--") => {}
            _ => filter = word,
        }
    }
    if !harness::can_run("faults") {
        return ExitCode::SUCCESS;
    }
    kinds::run(&filter)
}

#[cfg(not(target_arch = "x86_64"))]
fn main() -> ExitCode {
    eprintln!("LEFT OUT: faults are put in by the registers of x86_64");
    ExitCode::SUCCESS
}
