//! `test`: runs the tests in scripts and reports their results.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::host;
use crate::cli::arguments::test::{Form, TestArguments};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::verb::context::CommandContext;
use crate::engine::CancelToken;
use crate::model::script::test_result::{Suite, TestOutcome, TestResult};
use crate::model::value::units::parse_duration;
use crate::model::{Error, Kind, Result};
use crate::script::{self, Limits, Output, ScriptHost, Source, TestReporter};
use crate::ui;

/// The file name suffix of test scripts in a directory.
const ENDING: &str = "_test.rhai";

/// Runs the tests. The exit code is 1 if one failed, 130 after Ctrl-C.
///
/// # Errors
/// [`Kind::NotFound`] if there is no script to run, or no test in the scripts.
pub fn test(context: &CommandContext, arguments: &TestArguments) -> CommandResult {
    let scripts = found(&arguments.paths)?;
    let time = arguments.timeout.as_deref().map(parse_duration).transpose();
    let limits = Limits { time: time.map_err(|e| e.context("--timeout"))?, ..Limits::default() };
    let cancel = context.interruptible()?.clone();
    let host = ScriptHost { limits, ..host::host(context.backend()?.clone(), cancel, Vec::new()) };
    let terminal = host.output.clone();
    let host = match arguments.format {
        Form::Plain => host,
        Form::Tap | Form::Junit => {
            ScriptHost { output: Arc::new(StderrOutput(terminal.clone())), ..host }
        }
    };
    let reporter = Arc::new(ConsoleReporter {
        form: arguments.format,
        filter: arguments.filter.clone().unwrap_or_default(),
        output: terminal,
        state: Mutex::default(),
    });
    reporter.begin();
    for path in scripts {
        reporter.open(&path);
        let cases: Arc<dyn TestReporter> = reporter.clone();
        let outcome = script::run(
            ScriptHost { test_reporter: Some(cases), ..host.clone() },
            Source::File(path),
        );
        reporter.close(&outcome);
        if outcome.exit_code == CancelToken::exit_code() {
            reporter.end();
            return Ok(outcome.exit_code);
        }
        // The time limit of a script cancels its token.
        host.cancel.reset();
    }
    let exit_code = reporter.end();
    if reporter.lock().count == 0 {
        return Err(none(arguments).into());
    }
    Ok(exit_code)
}

/// Returns the error of a run without a test.
fn none(arguments: &TestArguments) -> Error {
    match &arguments.filter {
        Some(filter) => Error::new(Kind::NotFound, format!("no test name contains {filter:?}"))
            .hint("leave out --filter to run all tests"),
        None => Error::new(Kind::NotFound, "there are no tests in these scripts").hint(
            "write one: import \"test\" as test; test::it(\"adds\", || test::equal(1 + 1, 2));",
        ),
    }
}

/// Returns the scripts of these paths: files as they are, and the test scripts below directories.
fn found(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut scripts = Vec::new();
    for path in paths {
        if path.is_dir() {
            search(path, &mut scripts)?;
        } else {
            scripts.push(path.clone());
        }
    }
    if scripts.is_empty() {
        let places = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        let message = format!("there are no tests in {}", places.join(", "));
        return Err(Error::new(Kind::NotFound, message)
            .hint(format!("name a script with tests such as start{ENDING}")));
    }
    Ok(scripts)
}

fn search(directory: &Path, scripts: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |error: &std::io::Error| {
        Error::from_io(format!("cannot read the directory `{}`", directory.display()), error)
    };
    let entries = std::fs::read_dir(directory).map_err(|error| failed(&error))?;
    let mut entries = entries
        .map(|entry| entry.map(|entry| (entry.path(), entry.file_type())))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(|error| failed(&error))?;
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (path, kind) in entries {
        // Links to directories are not followed: they may form a loop.
        if kind.is_ok_and(|kind| kind.is_dir()) {
            search(&path, scripts)?;
        } else if path.to_string_lossy().ends_with(ENDING) {
            scripts.push(path);
        }
    }
    Ok(())
}

/// The output of scripts when a program reads the results: all of it goes to standard error.
#[derive(Debug)]
struct StderrOutput(Arc<dyn Output>);

impl Output for StderrOutput {
    fn print(&self, text: &str) -> io::Result<()> {
        self.0.eprint(text)
    }

    fn eprint(&self, text: &str) -> io::Result<()> {
        self.0.eprint(text)
    }

    fn write_out(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_err(bytes)
    }

    fn write_err(&self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_err(bytes)
    }
}

/// Prints tests as they end, and keeps them for the summary.
#[derive(Debug)]
struct ConsoleReporter {
    form: Form,
    filter: String,
    output: Arc<dyn Output>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    suites: Vec<Suite>,
    count: usize,
}

impl ConsoleReporter {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints a text. If the output is closed, only the exit code remains.
    fn write(&self, text: &str) {
        let _ = self.output.write_out(text.as_bytes());
    }

    fn begin(&self) {
        if self.form == Form::Tap {
            self.write(ui::report::test_results::TAP_VERSION);
        }
    }

    fn open(&self, path: &Path) {
        let name = path.display().to_string();
        match self.form {
            Form::Plain => self.write(&format!("{name}\n")),
            Form::Tap => self.write(&format!("# {name}\n")),
            Form::Junit => {}
        }
        self.lock().suites.push(Suite { name, results: Vec::new() });
    }

    /// Counts a script that failed or ended outside of its tests as a failed test, so that the
    /// tests that it did not reach are noticed.
    fn close(&self, outcome: &script::Outcome) {
        if outcome.completed {
            return;
        }
        let report = outcome.report.clone();
        let first = report.as_deref().and_then(|report| report.lines().next());
        let message = match first {
            Some(line) => line.strip_prefix("error: ").unwrap_or(line).to_owned(),
            None => format!("the script exited with {} before its last line", outcome.exit_code),
        };
        let report = report.unwrap_or_else(|| message.clone());
        self.finished(&TestResult {
            path: vec!["the script itself".to_owned()],
            time: Duration::ZERO,
            outcome: TestOutcome::Failed { message, report },
        });
    }

    /// Prints the summary and returns the exit code.
    fn end(&self) -> u8 {
        let state = self.lock();
        match self.form {
            Form::Plain => self.write(&ui::report::test_results::summary(&state.suites)),
            Form::Tap => self.write(&ui::report::test_results::tap_plan(state.count)),
            Form::Junit => self.write(&ui::report::test_results::junit(&state.suites)),
        }
        u8::from(state.suites.iter().any(|suite| suite.failures() > 0))
    }
}

impl TestReporter for ConsoleReporter {
    fn selects(&self, title: &str) -> bool {
        title.contains(&self.filter)
    }

    fn finished(&self, case: &TestResult) {
        let mut state = self.lock();
        state.count += 1;
        match self.form {
            Form::Plain => self.write(&ui::report::test_results::plain(case)),
            Form::Tap => self.write(&ui::report::test_results::tap(state.count, case)),
            Form::Junit => {}
        }
        if let Some(suite) = state.suites.last_mut() {
            suite.results.push(case.clone());
        }
    }
}
