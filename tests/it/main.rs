//! Tests that drive the program as a user does, on the native runtime.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

mod at_once;
mod bad_input;
mod build;
mod command_line;
mod commit;
mod faults;
mod harness;
mod images;
mod isolation;
mod life;
mod logs;
mod many_layers;
mod readme;
mod save;
mod store;
mod three_ways;
mod tidy;
mod workflows;
