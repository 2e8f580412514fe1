//! `--report`: a script is run, and what it did becomes a page.

use std::path::Path;

use crate::cli::terminal::outcome::fail;
use crate::cli::verb::system::VERSION;
use crate::engine::write_atomic;
use crate::model::error::Context as _;
use crate::model::script::recording::Recording;
use crate::model::value::language::Language;
use crate::model::{Error, Kind, Result};
use crate::script::{self, Host, Outcome, Source};
use crate::ui;

/// Whether a page can be written there: better known before the script has run.
///
/// # Errors
/// [`Kind::Invalid`] for a directory or a dry run, [`Kind::NotFound`] where its directory is
/// missing.
pub fn check(page: Option<&Path>, dry_run: bool) -> Result<()> {
    let Some(page) = page else { return Ok(()) };
    let cannot = |kind| Error::new(kind, format!("cannot write the report `{}`", page.display()));
    if dry_run {
        let error = cannot(Kind::Invalid).cause("a dry run does nothing that a page could show");
        return Err(error.hint("leave out --dry-run or --report"));
    }
    if page.is_dir() {
        let within = page.join("report.html");
        let error = cannot(Kind::Invalid).cause("it is a directory");
        return Err(error.hint(format!("name a file in it: `{}`", within.display())));
    }
    let folder = page.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        None => Ok(()),
        Some(folder) => Err(cannot(Kind::NotFound)
            .cause(format!("there is no directory `{}`", folder.display()))
            .hint(format!("make it first: `mkdir -p {}`", folder.display()))),
    }
}

/// Runs a script, tells what went wrong, and writes the page where one is wanted. Returns the exit
/// code: the script's own, if it is not 0.
pub fn run(host: Host, source: Source, page: Option<&Path>) -> u8 {
    let Some(page) = page else { return print_result(&host, &script::run(host.clone(), source)) };
    let language = host.reader.language;
    match script::run_recorded(host.clone(), source) {
        Ok((outcome, chronicle)) => {
            let code = print_result(&host, &outcome);
            match (write(page, language, &chronicle), code) {
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

fn write(page: &Path, language: Language, chronicle: &Recording) -> Result<()> {
    let text = ui::page::page(language, VERSION, chronicle);
    let what = || format!("cannot write the report `{}`", page.display());
    write_atomic(page, |out| out.write_all(text.as_bytes()).context(what))
}

/// Tells how a script ended.
fn print_result(host: &Host, outcome: &Outcome) -> u8 {
    if let Some(report) = &outcome.report {
        // Where standard error is closed there is nobody to tell.
        let _ = host.output.write_err(report.trim_end().as_bytes());
        let _ = host.output.write_err(b"\n");
    }
    outcome.exit_code
}
