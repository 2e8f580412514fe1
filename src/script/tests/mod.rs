//! The language against a simulated engine.

mod events;
mod simulation;

mod calls;
mod caught;
mod check;
mod check_values;
mod docs;
mod failures;
mod logs;
mod modules;
mod order;
mod sessions;
mod time;
mod types;

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{Outcome, Output, ScriptHost, Source, run};
use crate::engine::CancelToken;

/// Captured output, with the engine's directory, which is removed with it.
#[derive(Debug)]
pub struct Kept {
    text: Mutex<String>,
    root: tempfile::TempDir,
    /// The number of prints before the pipe is closed; `None` for no limit.
    most: Option<usize>,
}

impl Kept {
    pub fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// The engine's directory.
    pub fn root(&self) -> &Path {
        self.root.path()
    }
}

impl Output for Kept {
    fn print(&self, text: &str) -> std::io::Result<()> {
        let mut kept = self.text.lock().unwrap();
        if self.most.is_some_and(|most| kept.lines().count() >= most) {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        kept.push_str(text);
        kept.push('\n');
        Ok(())
    }

    fn eprint(&self, text: &str) -> std::io::Result<()> {
        self.print(&format!("stderr: {text}"))
    }

    fn write_out(&self, bytes: &[u8]) -> std::io::Result<()> {
        self.text.lock().unwrap().push_str(&String::from_utf8_lossy(bytes));
        Ok(())
    }

    fn write_err(&self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_out(bytes)
    }
}

/// Returns a host with a simulated engine, and its output.
pub fn host() -> (ScriptHost, Arc<Kept>) {
    host_that_takes(None)
}

fn host_that_takes(most: Option<usize>) -> (ScriptHost, Arc<Kept>) {
    let root = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
    let output = Arc::new(Kept { text: Mutex::default(), root, most });
    let backend = simulation::engine(output.root.path());
    let cancel = CancelToken::new().unwrap();
    let args = vec!["one".to_owned(), "two".to_owned()];
    (ScriptHost { args, ..ScriptHost::new(backend, output.clone(), cancel) }, output)
}

/// Runs a script; returns its outcome and its output.
pub fn run_text(text: &str) -> (Outcome, String) {
    let (host, output) = host();
    let outcome = run(host, Source::Text { name: "main.rhai".to_owned(), text: text.to_owned() });
    (outcome, output.text())
}

/// Checks the output of a script, which must succeed.
#[track_caller]
fn check(text: &str, printed: &str) {
    let (outcome, output) = run_text(text);
    assert_eq!(outcome.report, None, "{text}");
    assert_eq!(outcome.exit_code, 0, "{text}");
    assert_eq!(output.trim_end(), printed, "{text}");
}

/// Returns the report of a script that fails.
#[track_caller]
fn report(text: &str) -> String {
    let (outcome, _) = run_text(text);
    assert_eq!(outcome.exit_code, 1, "{text}");
    outcome.report.unwrap()
}

/// Returns whether a text parses.
pub fn compiles(text: &str) -> bool {
    rhai::Engine::new().compile(text).is_ok()
}
