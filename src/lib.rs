//! lifebox: a scriptable container engine for Linux.
//!
//! One static binary, no daemon. The same functions serve a command line with Docker's verbs, a
//! REPL and `.rhai` scripts. Modules in reading order: what things are ([`model`]), how to ask the
//! kernel ([`sys`]), the image store ([`image`]), the native runtime ([`runtime`]) and the contract ([`engine`]).

pub mod cli;
pub mod engine;
pub mod image;
pub mod model;
pub mod runtime;
pub mod sys;
pub mod ui;
