//! Runs a script of the language. Its text goes where this program wants it.
//!
//! `cargo run --example script -- scripts/quickstart.rhai`
#![allow(clippy::print_stderr)]

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use lifebox::engine::{self, CancelToken, Settings};
use lifebox::model::Result;
use lifebox::script::{self, Output, ScriptHost, Source};

fn main() -> ExitCode {
    if let Some(code) = lifebox::dispatch() {
        return ExitCode::from(code);
    }
    let mut arguments = std::env::args().skip(1);
    let source = match arguments.next() {
        Some(file) => Source::File(file.into()),
        None => Source::Text { name: "built in".into(), text: "print(ps().len())".into() },
    };
    run(source, arguments.collect()).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run(source: Source, args: Vec<String>) -> Result<ExitCode> {
    let settings = Settings::from_environment();
    engine::enter_user_namespace(&settings)?;
    // Cancelling this token from another thread ends the script, and its cleanups run.
    let cancel = CancelToken::new()?;
    let host = ScriptHost {
        args,
        ..ScriptHost::new(engine::open(&settings)?, Arc::new(Prefixed), cancel)
    };
    let outcome = script::run(host, source);
    if let Some(report) = outcome.report {
        eprintln!("{report}");
    }
    Ok(ExitCode::from(outcome.exit_code))
}

/// Puts a mark before each line that a script prints.
#[derive(Debug)]
struct Prefixed;

impl Output for Prefixed {
    fn print(&self, text: &str) -> io::Result<()> {
        self.write_out(format!("script: {text}\n").as_bytes())
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        io::stdout().write_all(bytes)
    }

    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        io::stderr().write_all(bytes)
    }
}
