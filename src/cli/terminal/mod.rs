//! The user's terminal: output, questions, progress bars, the pager, and the end of a verb.

pub(crate) mod command_result;
pub(crate) mod finish;
pub(crate) mod pager;
pub(crate) mod progress;
pub(crate) mod prompt;
pub(crate) mod reader;
pub(crate) mod screen;
pub(crate) mod time_arg;
