//! The language: the only room that knows Rhai.
//!
//! A script reaches containers through [`Backend`](crate::engine::Backend) and the terminal through
//! [`Output`], both given by its [`ScriptHost`]. [`run`] runs a whole script; a [`Session`] keeps
//! its variables from line to line, for the REPL. Nothing here writes to the terminal or ends the
//! process.

mod api;
mod bounded;
mod check;
mod context;
mod display;
mod docs;
mod errors;
mod flow;
mod host;
pub mod lessons;
mod options;
mod recording;
mod sandbox;
pub(crate) mod session;
mod syntax;
pub mod teaching;
pub(crate) mod testing;
mod values;

#[cfg(test)]
pub(crate) mod tests;

pub use check::{Finding, Severity, check};
pub use context::stack::took_panic;
pub use host::{
    CommandLineReader, Limits, Observer, Outcome, Output, ScriptHost, Source, Teacher,
    TestReporter, Tracing,
};
pub(crate) use host::{read as read_source, standard_input};
pub use recording::run_recorded;
pub use sandbox::policy::SandboxPolicy;
pub use session::completion::{Candidate, Completion};
pub use session::reference::{Form, reference};
pub use session::{EvalResult, Session, run};
