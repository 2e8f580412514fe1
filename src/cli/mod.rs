//! The command line: parses arguments, carries out Docker's verbs, returns an exit code.

mod arg_errors;
mod arguments;
pub mod dispatch;
mod from_docker;
mod route;
mod script;
mod terminal;
mod verb;

pub use dispatch::main;
