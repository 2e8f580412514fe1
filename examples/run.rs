//! Runs a command in a container and prints what it writes.
//!
//! `cargo run --example run -- echo hello`
#![allow(clippy::print_stderr)]

use std::io;
use std::process::ExitCode;

use lifebox::engine::{self, Attach, CancelToken, Settings};
use lifebox::model::Result;
use lifebox::model::container::exec::AttachOutcome;
use lifebox::model::container::options::CreateOptions;
use lifebox::model::image::PullPolicy;

fn main() -> ExitCode {
    // The container's monitor is this program too, started again.
    if let Some(code) = lifebox::dispatch() {
        return ExitCode::from(code);
    }
    run(std::env::args().skip(1).collect()).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn run(command: Vec<String>) -> Result<ExitCode> {
    let settings = Settings::from_environment();
    engine::enter_user_namespace(&settings)?;
    let engine = engine::open(&settings)?;
    let cancel = CancelToken::new()?;

    // The shell and programs of the host, which need no network.
    engine.image("host", PullPolicy::Missing)?;
    let options = CreateOptions {
        cmd: Some(command).filter(|words| !words.is_empty()),
        auto_remove: true,
        ..CreateOptions::default()
    };
    let id = engine.create("host", &options)?;
    let (mut stdout, mut stderr) = (io::stdout(), io::stderr());
    match engine.attach(&id, Attach::to_output(&mut stdout, &mut stderr), &cancel)? {
        AttachOutcome::Exited(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))),
        AttachOutcome::Detached => Ok(ExitCode::SUCCESS),
    }
}
