//! The REPL's settings, and the command line that it calls.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use crate::model::Result;
use crate::script::lessons::Player;

/// The command line, as the REPL needs it.
pub trait CommandLine {
    /// Returns the verbs, such as `ps`.
    fn verbs(&self) -> Vec<String>;
    /// Runs a command line such as `["ps", "-a"]`, which writes to the terminal itself. Returns
    /// the exit code.
    fn run(&self, words: &[String]) -> u8;
    /// Returns the flags of a verb, such as `--all`.
    fn flags(&self, verb: &str) -> Vec<String>;
    /// Shows a text in the pager if the text is longer than the screen. Returns false if the text
    /// is shorter, or if standard output is not a terminal.
    fn page(&self, text: &str) -> bool;
    /// Opens a text in the user's editor and returns the edited text.
    ///
    /// # Errors
    /// When there is no editor, or standard input is not a terminal.
    fn edit(&self, text: &str) -> Result<String>;
}

/// The settings of the REPL.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The history file; `None` keeps the history in memory.
    pub history: Option<PathBuf>,
    /// Whether to print the banner.
    pub banner: bool,
    /// A script that is run before the first prompt.
    pub startup: Option<PathBuf>,
    /// The lessons in progress; they see each line and its outcome.
    pub course: Option<Rc<RefCell<Player>>>,
}
