//! `check`: finds problems in a script without running it.
//!
//! The parser finds syntax errors and, one by one, undefined variables. The other problems are
//! found in the syntax tree (`lints`, `unreachable`), with the names of the language and of the
//! script's imports (`vocabulary`).

mod bindings;
mod checker;
mod finding;
mod lints;
mod literals;
mod report;
mod unreachable;
mod vocabulary;

pub use self::checker::check;
pub use self::finding::{Finding, Severity};
