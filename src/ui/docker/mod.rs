//! A container as Docker commands that create the same one.

mod commands;
mod flags;

pub use commands::{commands, line, words};
