//! Evaluates one line and prints its result, for terminal and pipe alike.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use super::command::{self, Command};
use super::input::{Input, classify};
use super::settings::CommandLine;
use super::transcript::Transcript;
use super::watch;
use crate::model::value::visible::escape_control;
use crate::script::lessons::{Player, TutorOutput};
use crate::script::{EvalResult, ScriptHost, Session, Source, read_source};

/// The state of the REPL between two lines.
pub struct Repl<'a> {
    /// The interpreter, used by one line or one completion at a time.
    pub session: &'a RefCell<Session>,
    /// Runs command lines.
    pub commands: &'a dyn CommandLine,
    /// The verbs of the command line, read once.
    pub verbs: Vec<String>,
    /// The engine, the output and the cancel token.
    pub host: ScriptHost,
    /// The inputs so far.
    pub transcript: RefCell<Transcript>,
    /// The lessons in progress.
    pub course: Option<Rc<RefCell<Player>>>,
}

impl std::fmt::Debug for Repl<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repl").field("verbs", &self.verbs).finish_non_exhaustive()
    }
}

/// The outcome of one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineOutcome {
    /// The REPL continues.
    Continue,
    /// Ctrl-C interrupted the line.
    Interrupted,
    /// The REPL ends with this code.
    Exit(u8),
}

impl<'a> Repl<'a> {
    /// Creates a REPL that has read no line.
    pub fn new(
        session: &'a RefCell<Session>,
        commands: &'a dyn CommandLine,
        host: ScriptHost,
        course: Option<Rc<RefCell<Player>>>,
    ) -> Repl<'a> {
        let verbs = commands.verbs();
        Repl { session, commands, verbs, host, transcript: RefCell::default(), course }
    }

    /// Prints the welcome of the course and begins the lesson.
    pub fn open_course(&self) {
        let Some(course) = &self.course else { return };
        let mut course = course.borrow_mut();
        self.show_course(&course.welcome());
        match course.begin() {
            Ok(said) => {
                self.show_course("");
                self.show_tutor_output(&said);
            }
            Err(error) => {
                self.print_error(&format!("error: {error}"));
            }
        }
    }

    /// Prints the goodbye of the course.
    pub fn close_course(&self) {
        if let Some(course) = &self.course {
            self.show_course(&course.borrow().goodbye());
        }
    }

    /// Checks whether the last input has completed the lesson's task.
    fn check_lesson(&self, turn: LineOutcome) -> LineOutcome {
        if let (Some(course), LineOutcome::Continue) = (&self.course, turn) {
            let said = course.borrow_mut().after();
            if !said.is_empty() {
                self.show_course(&format!("\n{said}"));
            }
        }
        turn
    }

    /// Shows a long reading text in the pager, and the task right above the prompt.
    fn show_tutor_output(&self, said: &TutorOutput) {
        if !said.read.is_empty() && !self.commands.page(&said.read) {
            self.show_course(&said.read);
        }
        self.show_course(&said.text);
    }

    fn show_course(&self, text: &str) {
        // If the output is closed, the next result ends the REPL.
        let _ = self.host.output.print(text);
    }

    /// Classifies `text`.
    pub fn classify(&self, text: &str) -> Input {
        classify(text, &self.verbs, |name| self.session.borrow().has_variable(name))
    }

    /// Returns whether `text` continues in the next line.
    pub fn is_incomplete(&self, text: &str) -> bool {
        self.classify(text) == Input::Script && self.session.borrow().is_incomplete(text)
    }

    /// Evaluates `text` and prints the result.
    pub fn take(&self, text: &str) -> LineOutcome {
        // An interrupt that came too late for the last line must not end this one.
        self.host.cancel.reset();
        if let Some(course) = &self.course
            && let Some(said) = course.borrow_mut().takes(text)
        {
            self.show_tutor_output(&said);
            return LineOutcome::Continue;
        }
        let input = self.classify(text);
        if !matches!(input, Input::Empty | Input::ReplCommand(_)) {
            self.transcript.borrow_mut().typed(text);
        }
        match input {
            Input::Empty => LineOutcome::Continue,
            Input::Exit => LineOutcome::Exit(0),
            Input::Help(name) => {
                let help = self.session.borrow().help(name.as_deref());
                match help {
                    Ok(page) if name.is_none() => {
                        let course = self.course.as_ref().map(|course| course.borrow().how());
                        let course = course.map(|how| format!("{how}\n\n")).unwrap_or_default();
                        let commands = command::overview(self.host.reader);
                        self.show(&format!("{course}{commands}\n{page}"))
                    }
                    Ok(page) => self.show(&page),
                    Err(report) => self.print_error(&report),
                }
            }
            Input::OpenQuote => self.print_error("error: a quote is not closed"),
            Input::Command(words) => self.check_lesson(self.command(&words, text)),
            Input::Script => self.check_lesson(self.script(text)),
            Input::ReplCommand(Ok(command)) => self.run_command(command),
            Input::ReplCommand(Err(wrong)) => self.print_error(&format!("error: {wrong}")),
        }
    }

    /// Runs a command line.
    fn command(&self, words: &[String], line: &str) -> LineOutcome {
        let code = self.commands.run(words);
        if self.host.cancel.is_cancelled() {
            return LineOutcome::Interrupted;
        }
        if code == 0 {
            self.transcript.borrow_mut().command(words, line);
        }
        LineOutcome::Continue
    }

    /// Evaluates a script.
    fn script(&self, text: &str) -> LineOutcome {
        let reply = self.session.borrow_mut().line(text);
        if matches!(reply, EvalResult::Nothing | EvalResult::Value(_)) {
            let session = self.session.borrow();
            self.transcript.borrow_mut().script(text, session.last_expression(text));
        }
        self.answer(reply)
    }

    fn answer(&self, reply: EvalResult) -> LineOutcome {
        match reply {
            EvalResult::Nothing => LineOutcome::Continue,
            EvalResult::Value(text) => self.show(&text),
            EvalResult::Failed(report) => self.print_error(&report),
            EvalResult::Interrupted => {
                self.print_error("interrupted");
                LineOutcome::Interrupted
            }
            EvalResult::Exit(code) => LineOutcome::Exit(code),
        }
    }

    /// Runs a command to the REPL itself.
    fn run_command(&self, command: Command) -> LineOutcome {
        let words =
            |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        match command {
            Command::Ps => self.command(&words(&["ps", "-a"]), "ps -a"),
            Command::Images => self.command(&words(&["images"]), "images"),
            Command::Vars => {
                let vars = self.session.borrow().variables();
                if vars.is_empty() { LineOutcome::Continue } else { self.show(&vars) }
            }
            Command::Clear => self.show_raw("\x1b[H\x1b[2J\x1b[3J"),
            Command::Time(text) => {
                let start = Instant::now();
                let turn = self.script(&text);
                let took = start.elapsed();
                if turn == LineOutcome::Continue {
                    return self.show(&format!("{:.1} ms", took.as_secs_f64() * 1000.0));
                }
                turn
            }
            Command::History(count) => {
                let text = self.transcript.borrow().last(count).join("\n");
                if text.is_empty() { LineOutcome::Continue } else { self.show(&text) }
            }
            Command::Save(path) => {
                let saved = self.transcript.borrow().save(&path);
                match saved {
                    Ok(0) => self.show(&format!("saved; run it with: lifebox {path}")),
                    Ok(left) => self.show(&format!(
                        "saved; run it with: lifebox {path} (command lines without a call: {left}, \
                         kept as comments)"
                    )),
                    Err(type_error) => self.print_error(&type_error),
                }
            }
            Command::Load(path) => self.load(&path),
            Command::Edit => self.edit(),
            Command::Watch(name) => {
                // A variable that holds the container is accepted in place of the name.
                let held = self.session.borrow().has_variable(&name);
                let of_variable =
                    || self.session.borrow_mut().value("watch", &format!("{name}.name")).ok();
                let name = held.then(of_variable).flatten().unwrap_or(name);
                match watch::watch(&self.host, &name) {
                    Ok(()) => LineOutcome::Continue,
                    Err(error) => self.print_error(crate::ui::error::error(&error).trim_end()),
                }
            }
            Command::Learn(lesson) => match self.host.teacher.as_ref() {
                Some(teacher) => match teacher.learn(lesson.as_deref(), &self.host.cancel) {
                    Ok(()) => LineOutcome::Continue,
                    Err(error) => self.print_error(&format!("error: {error}")),
                },
                None => self.print_error("error: lessons are only available at the prompt"),
            },
        }
    }

    /// Runs a file in the session.
    pub fn load(&self, path: &str) -> LineOutcome {
        match read_source(Source::File(path.into()), &self.host.cancel) {
            Ok((_, text)) => {
                let reply = self.session.borrow_mut().load(path, &text);
                if matches!(reply, EvalResult::Nothing | EvalResult::Value(_)) {
                    self.transcript.borrow_mut().script(&text, None);
                }
                self.answer(reply)
            }
            Err(error) => {
                let why = error.causes().last().map_or(error.message(), String::as_str);
                self.print_error(&format!("error: cannot read `{path}`: {why}"))
            }
        }
    }

    /// Opens the last input in an editor and evaluates the edited text.
    fn edit(&self) -> LineOutcome {
        let last = self.transcript.borrow().last(Some(1)).first().cloned().unwrap_or_default();
        match self.commands.edit(&last) {
            Ok(text) if text.trim().is_empty() => LineOutcome::Continue,
            Ok(text) => self.take(text.trim_end()),
            Err(error) => self.print_error(&format!("error: {error}")),
        }
    }

    fn show_raw(&self, text: &str) -> LineOutcome {
        match self.host.output.write_out(text.as_bytes()) {
            Ok(()) => LineOutcome::Continue,
            Err(_) => LineOutcome::Exit(0),
        }
    }

    /// Prints a result. A closed output ends the REPL.
    fn show(&self, text: &str) -> LineOutcome {
        let text = &escape_control(text);
        if self.commands.page(text) {
            return LineOutcome::Continue;
        }
        match self.host.output.print(text) {
            Ok(()) => LineOutcome::Continue,
            Err(_) => LineOutcome::Exit(0),
        }
    }

    fn print_error(&self, text: &str) -> LineOutcome {
        match self.host.output.eprint(text) {
            Ok(()) => LineOutcome::Continue,
            Err(_) => LineOutcome::Exit(0),
        }
    }
}
