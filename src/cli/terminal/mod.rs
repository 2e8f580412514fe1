//! The user's terminal: output, questions, progress bars, the pager, and how a verb's result becomes text and an exit code.

pub(crate) mod ending;
pub(crate) mod outcome;
pub(crate) mod pager;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod reader;
pub(crate) mod screen;
pub(crate) mod time_arg;
