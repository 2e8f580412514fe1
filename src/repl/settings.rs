//! What the REPL is given: the command line, and how it is set up.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use crate::model::Result;
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
