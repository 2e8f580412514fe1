//! lifebox: a scriptable container engine for Linux.
//!
//! One static binary, no daemon. The same functions serve a command line with Docker's verbs, a
//! REPL and `.rhai` scripts. Modules in reading order: what things are ([`model`]), how to ask the
//! kernel ([`sys`]), the image store ([`image`]), the native runtime ([`runtime`]), the contract
//! ([`engine`]), the language ([`script`]) and the conversation ([`repl`]).

pub mod cli;
pub mod engine;
pub mod image;
pub mod model;
pub mod repl;
pub mod runtime;
pub mod runtimetest;
pub mod script;
pub mod sys;
pub mod ui;
