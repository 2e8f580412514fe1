//! The command line: parses arguments, carries out Docker's verbs, returns an exit code.

mod arg_errors;
// The comments there are the texts of `--help`, with Docker's brackets.
#[allow(rustdoc::broken_intra_doc_links)]
mod arguments;
pub mod dispatch;
pub(crate) mod from_docker;
mod route;
mod script;
mod terminal;
mod verb;

pub use dispatch::main;
