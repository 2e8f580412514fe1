//! The texts of teaching and of the help, one file per language.

mod catalog;
mod help;
mod step;
#[cfg(test)]
mod tests;

pub use catalog::{Args, find, format_message};
pub use help::{help, korean_help};
pub use step::{step_reason, step_summary};
