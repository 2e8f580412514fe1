//! The command line: arguments in, Docker's verbs carried out, text and an exit code out.

mod arg_errors;
mod arguments;
pub mod dispatch;
mod from_docker;
mod route;
mod script;
mod terminal;
mod verb;

pub use dispatch::main;
