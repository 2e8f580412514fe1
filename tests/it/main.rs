//! Tests that drive the program as a user does, on the native runtime.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stderr)]

mod archives;
mod at_once;
mod bad_input;
mod bad_registry;
mod build;
mod command_line;
mod commit;
mod escapes;
mod faults;
mod harness;
mod images;
mod inside;
mod isolation;
mod life;
mod limits;
mod logs;
mod many_layers;
mod mounts;
mod peers;
mod peers_registry;
mod probed;
mod readme;
mod rootless;
mod save;
mod security;
mod sharing;
mod storage;
mod store;
mod store_faults;
mod three_ways;
mod tidy;
mod transfer;
mod upkeep;
mod workflows;
