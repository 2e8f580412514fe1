//! The conversation: read, evaluate, show.
//!
//! What is typed is a script, or a command line with Docker's verbs: [`input`] decides. Scripts go
//! to a [`Session`](crate::script::Session), command lines to whoever gave [`CommandLine`]. On a
//! terminal lines are edited, completed and remembered; from a pipe they are just read.

mod command;
mod complete;
mod editor;
mod highlight;
mod history;
mod input;
mod piped;
mod transcript;
mod translate;
mod turn;
mod watch;

#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;

use crate::model::Result;
use crate::script::Host;
use crate::script::lessons::Player;

/// The command line, as the REPL needs it.
pub trait CommandLine {
    /// The verbs, such as `ps`.
    fn verbs(&self) -> Vec<String>;
    /// Runs a command line such as `["ps", "-a"]`. Writes to the terminal itself.
    fn run(&self, words: &[String]) -> u8;
    /// The flags of a verb, such as `--all`.
    fn flags(&self, verb: &str) -> Vec<String>;
    /// Shows a text that is longer than the screen page by page. False where it is not longer, or
    /// nobody looks.
    fn page(&self, text: &str) -> bool;
    /// Lets the user change a text in an editor.
    ///
    /// # Errors
    /// When there is no editor, or no user.
    fn edit(&self, text: &str) -> Result<String>;
}

/// How the REPL is set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where lines are remembered; nowhere where `None`.
    pub history: Option<PathBuf>,
    /// Whether to say hello.
    pub banner: bool,
    /// What is run before the first prompt, if it is there.
    pub startup: Option<PathBuf>,
    /// The learner and the course, where there is one: told of each turn.
    pub course: Option<Rc<RefCell<Player>>>,
}

/// Runs the conversation until the user leaves. Returns the code of `exit(n)`, else 0.
pub fn run(host: Host, commands: &dyn CommandLine, settings: Settings) -> u8 {
    // Without a handler Ctrl-C would end the REPL with its variables; then it is as it was.
    let _ = host.cancel.cancel_on_interrupt();
    if std::io::stdin().is_terminal() {
        editor::run(host, commands, &settings)
    } else {
        piped::run(host, commands, &settings, &mut std::io::stdin().lock())
    }
}
