//! `learn`: lessons at the prompt, in their own store.

use std::path::{Path, PathBuf};

use super::host;
use super::private_store::PrivateStore;
use super::repl::{self, Perform};
use crate::cli::arguments::learn::LearnArguments;
use crate::cli::terminal::command_result::{CommandResult, FAILED};
use crate::cli::terminal::screen::Terminal;
use crate::engine::{self, CancelToken, Settings};
use crate::model::{Error, Kind, Result};
use crate::script::lessons::{self, LearnerProgress, Lesson, Player, ProgressFile};
use crate::script::{ScriptHost, Teacher};

/// The name of the stores of lessons.
pub const STORE: &str = "learn";

/// Gives lessons, or lists or tests them, according to the flags. `settings` are those of the
/// lessons' store.
///
/// # Errors
/// When there is no such lesson, or the store cannot be created.
pub fn learn(
    settings: &Settings,
    terminal: &mut Terminal,
    arguments: &LearnArguments,
    perform: Perform,
) -> CommandResult {
    if !arguments.csv.is_empty() {
        // Its lines end with CR LF, and its cells are escaped.
        terminal.styled(&lessons::csv(&class(&arguments.csv)?))?;
        return Ok(0);
    }
    let folder = arguments.check.as_ref().or(arguments.lessons.as_ref());
    let course = course(folder.map(PathBuf::as_path))?;
    if arguments.solve || arguments.check.is_some() {
        return solve(settings, terminal, &course, arguments.lesson.as_deref());
    }
    let path = host::state_file("LIFEBOX_PROGRESS", "lessons.json");
    let kept = load_progress(path, arguments.restart)?;
    if arguments.list {
        let host = host(settings, CancelToken::new()?)?;
        let player = Player::new(host, course, kept, arguments.lesson.as_deref())?;
        terminal.line(player.list())?;
        return Ok(0);
    }
    terminal.flush()?;
    let cancel = CancelToken::new()?;
    give(settings, course, kept, arguments.lesson.as_deref(), cancel, perform).map_err(Into::into)
}

fn host(settings: &Settings, cancel: CancelToken) -> Result<ScriptHost> {
    Ok(host::host(engine::open(settings)?, cancel, Vec::new()))
}

fn course(folder: Option<&Path>) -> Result<Vec<Lesson>> {
    folder.map_or_else(lessons::course, lessons::of_folder)
}

/// Reads the progress so far; a new one for a beginner.
fn load_progress(path: Option<PathBuf>, restart: bool) -> Result<ProgressFile> {
    let known = match path.as_deref().filter(|_| !restart) {
        Some(path) => LearnerProgress::read(path)?,
        None => None,
    };
    let user = || std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
    let kept =
        ProgressFile { progress: known.unwrap_or_else(|| LearnerProgress::new(&user())), path };
    if restart {
        kept.save()?;
    }
    Ok(kept)
}

/// Gives lessons until the learner exits, and then empties the store.
fn give(
    settings: &Settings,
    course: Vec<Lesson>,
    kept: ProgressFile,
    first: Option<&str>,
    cancel: CancelToken,
    perform: Perform,
) -> Result<u8> {
    let host = host(settings, cancel)?;
    let backend = host.backend.clone();
    let player = Player::new(host.clone(), course, kept, first)?;
    let code = repl::lessons(settings, host, player, perform);
    lessons::clear(backend.as_ref())?;
    Ok(code)
}

/// Plays the solutions of the lessons. The exit code is 1 if one fails.
fn solve(
    settings: &Settings,
    terminal: &mut Terminal,
    course: &[Lesson],
    only: Option<&str>,
) -> CommandResult {
    let host = host(settings, CancelToken::new()?)?;
    host.cancel.cancel_on_signal()?;
    let mut code = 0;
    for lesson in course.iter().filter(|lesson| only.is_none_or(|only| lesson.id == only)) {
        let solved = lessons::self_test(&host, lesson)?;
        host.cancel.check()?;
        match solved.problems.is_empty() {
            true => terminal.line(format_args!("ok      {}", solved.lesson))?,
            false => {
                code = FAILED;
                terminal.line(format_args!("not ok  {}", solved.lesson))?;
                for problem in &solved.problems {
                    for line in problem.lines() {
                        terminal.line(format_args!("        {line}"))?;
                    }
                }
            }
        }
        terminal.flush()?;
    }
    Ok(code)
}

/// Reads the progress files of a class.
fn class(files: &[PathBuf]) -> Result<Vec<LearnerProgress>> {
    let read = |path: &PathBuf| {
        LearnerProgress::read(path)?.ok_or_else(|| {
            Error::new(Kind::NotFound, format!("there is no file `{}`", path.display()))
        })
    };
    files.iter().map(read).collect()
}

/// Gives lessons in an open REPL.
#[derive(Debug)]
pub struct ReplTeacher {
    settings: Settings,
    perform: Perform,
}

impl ReplTeacher {
    /// Gives lessons in stores in the root of `settings`.
    pub fn new(settings: &Settings, perform: Perform) -> Self {
        ReplTeacher { settings: settings.clone(), perform }
    }
}

impl Teacher for ReplTeacher {
    fn learn(&self, lesson: Option<&str>, cancel: &CancelToken) -> Result<()> {
        let kept = load_progress(host::state_file("LIFEBOX_PROGRESS", "lessons.json"), false)?;
        let place = PrivateStore::take(&self.settings, STORE)?;
        let course = lessons::course()?;
        let given = give(&place.settings, course, kept, lesson, cancel.clone(), self.perform);
        cancel.reset();
        given.map(drop)
    }
}
