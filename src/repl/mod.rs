//! The REPL: read, evaluate, print.
//!
//! A line is a script or a command line with Docker's verbs: `input` decides. Scripts go to a
//! [`Session`](crate::script::Session), command lines to the caller's [`CommandLine`]. Lines from a
//! terminal are edited, completed and remembered; lines from a pipe are only read.

mod command;
mod complete;
mod editor;
mod highlight;
mod history;
mod input;
mod piped;
mod run;
mod settings;
#[cfg(test)]
mod tests;
mod transcript;
mod translate;
mod turn;
mod watch;

pub use run::run;
pub use settings::{CommandLine, Settings};
