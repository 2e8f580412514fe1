//! `--report`: runs a script and writes what it did as an HTML page.

use std::io::Write as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::time::Duration;

use crate::cli::terminal::finish::fail;
use crate::cli::terminal::screen;
use crate::cli::verb::system::VERSION;
use crate::engine::write_atomic;
use crate::model::error::Context as _;
use crate::model::script::recording::Recording;
use crate::model::value::language::Language;
use crate::model::{Error, Kind, Result};
use crate::script::{self, Outcome, ScriptHost, Source};
use crate::ui;

/// How long the error of a script waits for its reader: a time limit must end the process.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Checks before the script runs that the page can be written.
///
/// # Errors
/// [`Kind::Invalid`] for a directory, a fifo, a socket or a dry run, [`Kind::NotFound`] if the
/// page's directory does not exist.
pub fn check(page: Option<&Path>, dry_run: bool) -> Result<()> {
    let Some(page) = page else { return Ok(()) };
    let cannot = |kind| Error::new(kind, format!("cannot write the report `{}`", page.display()));
    if dry_run {
        let error = cannot(Kind::Invalid).cause("a dry run does nothing to report");
        return Err(error.hint("leave out --dry-run or --report"));
    }
    if page.is_dir() {
        let within = page.join("report.html");
        let error = cannot(Kind::Invalid).cause("it is a directory");
        return Err(error.hint(format!("name a file in it: `{}`", within.display())));
    }
    if page
        .metadata()
        .is_ok_and(|found| found.file_type().is_fifo() || found.file_type().is_socket())
    {
        let error = cannot(Kind::Invalid).cause("it is not a regular file");
        return Err(error.hint("name a regular file, such as report.html"));
    }
    let folder = page.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(cannot(Kind::NotFound)
            .cause(format!("there is no directory `{}`", folder.display()))
            .hint(format!("create it first: `mkdir -p {}`", folder.display()))),
    }
}

/// Runs a script, prints its error, and writes the page if there is one. Returns the script's exit
/// code, or 1 if the script succeeded and the page failed.
pub fn run(host: ScriptHost, source: Source, page: Option<&Path>) -> u8 {
    let Some(page) = page else { return print_result(&host, &script::run(host.clone(), source)) };
    let language = host.reader.language;
    match script::run_recorded(host.clone(), source) {
        Ok((outcome, recording)) => {
            let code = print_result(&host, &outcome);
            match (write(page, language, &recording, &host), code) {
                (Ok(()), code) => code,
                (Err(error), 0) => fail(&error),
                (Err(error), code) => {
                    fail(&error);
                    code
                }
            }
        }
        Err(error) => fail(&error),
    }
}

fn write(page: &Path, language: Language, recording: &Recording, host: &ScriptHost) -> Result<()> {
    let text = ui::page::page(language, VERSION, recording);
    let what = || format!("cannot write the report `{}`", page.display());
    write_atomic(page, &|| host.cancel.check(), |out| out.write_all(text.as_bytes()).context(what))
}

/// Prints the error of a script and returns its exit code.
fn print_result(host: &ScriptHost, outcome: &Outcome) -> u8 {
    if let Some(report) = &outcome.report {
        // If standard error is closed or without a reader, the error cannot be printed.
        let mut err = screen::stderr().until(&host.cancel).at_most(LAST_WORDS);
        let _ = err.write_all(format!("{}\n", report.trim_end()).as_bytes());
    }
    ended(host, outcome.exit_code)
}

/// Reports output that could not be written. Returns the exit code: 1 if the script, the tests or
/// the REPL ended well otherwise.
pub fn ended(host: &ScriptHost, code: u8) -> u8 {
    let Some(error) = host.output.lost() else { return code };
    let failed = fail(&error);
    if code == 0 { failed } else { code }
}
