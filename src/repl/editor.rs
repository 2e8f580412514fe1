//! Reads lines from a terminal: editing, completion, colours and history.

use std::borrow::Cow;
use std::cell::RefCell;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{
    Cmd, CompletionType, Config, Context, Editor, Helper, KeyCode, KeyEvent, Modifiers,
};

use super::complete::Hint;
use super::settings::{CommandLine, Settings};
use super::turn::{LineOutcome, Repl};
use super::{complete, highlight, history};
use crate::script::{Candidate, ScriptHost, Session};

/// The maximum width of a line in the list of completions.
const WIDEST: usize = 60;

/// Runs the REPL until the user exits.
pub fn run(host: ScriptHost, commands: &dyn CommandLine, settings: &Settings) -> u8 {
    let session = RefCell::new(Session::new(host.clone()));
    let repl = Repl::new(&session, commands, host.clone(), settings.course.clone());
    let mut editor = match open(&repl, settings) {
        Ok(editor) => editor,
        Err(error) => {
            let _ = host.output.eprint(&format!("error: cannot read from the terminal: {error}"));
            return 1;
        }
    };
    if settings.banner {
        let version = env!("CARGO_PKG_VERSION");
        let _ = host.output.print(&format!(
            "lifebox {version}: help lists the functions, TAB completes, Ctrl-D leaves"
        ));
    }
    if let Some(startup) = settings.startup.as_ref().and_then(|path| path.to_str())
        && let LineOutcome::Exit(code) = repl.load(startup)
    {
        return code;
    }
    repl.open_course();
    let code = read_loop(&repl, &mut editor, settings);
    repl.close_course();
    code
}

fn read_loop(
    repl: &Repl<'_>,
    editor: &mut Editor<LineHelper<'_>, FileHistory>,
    settings: &Settings,
) -> u8 {
    let host = &repl.host;
    loop {
        let line = match editor.readline(&prompt(host)) {
            Ok(line) => line,
            // Ctrl-C discards the line, not the session.
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => return 0,
            Err(error) => {
                let _ = host.output.eprint(&format!("error: {error}"));
                return 1;
            }
        };
        if !line.trim().is_empty() {
            let _ = editor.add_history_entry(&line);
            if let Some(path) = &settings.history {
                history::append(editor, path);
            }
        }
        if let LineOutcome::Exit(code) = repl.take(&line) {
            return code;
        }
    }
}

/// Returns the prompt with the number of running containers, without it if that cannot be read.
fn prompt(host: &ScriptHost) -> String {
    let all = host.backend.ps().unwrap_or_default();
    match all.iter().filter(|container| container.state.status.is_live()).count() {
        0 => "lifebox> ".to_owned(),
        running => format!("lifebox ({running} running)> "),
    }
}

fn open<'a>(
    repl: &'a Repl<'a>,
    settings: &Settings,
) -> rustyline::Result<Editor<LineHelper<'a>, FileHistory>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(10_000)?
        .history_ignore_dups(true)?
        // A line that begins with a space is not remembered, as in bash: for secrets.
        .history_ignore_space(true)
        .auto_add_history(false)
        .bracketed_paste(true)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(LineHelper { repl, color: repl.host.color }));
    // Alt-Enter inserts a newline into a text that is complete.
    editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::ALT), Cmd::Newline);
    if let Some(path) = &settings.history {
        history::load(&mut editor, path);
    }
    Ok(editor)
}

/// The callbacks of rustyline while a line is edited.
struct LineHelper<'a> {
    repl: &'a Repl<'a>,
    color: bool,
}

impl Helper for LineHelper<'_> {}

impl Hinter for LineHelper<'_> {
    type Hint = Hint;

    fn hint(&self, line: &str, position: usize, _context: &Context<'_>) -> Option<Hint> {
        // In the middle of a line a hint would be in the way.
        if position < line.len() {
            return None;
        }
        complete::hint(self.repl, line)
    }
}

impl rustyline::hint::Hint for Hint {
    fn display(&self) -> &str {
        &self.display
    }

    fn completion(&self) -> Option<&str> {
        self.inserted.then_some(&self.display)
    }
}

impl Completer for LineHelper<'_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _context: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let completion = complete::complete(self.repl, line, position);
        let pair = |candidate: Candidate| Pair {
            display: candidate.label().chars().take(WIDEST).collect(),
            replacement: candidate.text,
        };
        Ok((completion.start, completion.candidates.into_iter().map(pair).collect()))
    }
}

impl Validator for LineHelper<'_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        if self.repl.is_incomplete(context.input()) {
            return Ok(ValidationResult::Incomplete);
        }
        Ok(ValidationResult::Valid(None))
    }
}

impl Highlighter for LineHelper<'_> {
    fn highlight<'l>(&self, line: &'l str, _position: usize) -> Cow<'l, str> {
        if self.color { Cow::Owned(highlight::paint(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.color { Cow::Owned(highlight::hint(hint)) } else { Cow::Borrowed(hint) }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        if self.color { Cow::Owned(highlight::prompt(prompt)) } else { Cow::Borrowed(prompt) }
    }

    fn highlight_char(&self, _line: &str, _position: usize, kind: CmdKind) -> bool {
        self.color && kind != CmdKind::MoveCursor
    }
}
