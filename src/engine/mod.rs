//! The contract between the commands, scripts and REPL above and a container engine below: the trait `Backend` and its two engines, native and dry.

pub mod backend;
mod dockerfile;
pub mod dry;
mod native;
mod rules;

pub use backend::{
    Attach, Backend, Cancel, CopyOptions, EventStream, LogStream, Owner, Settings, Transfer,
    bound_memory, enter, open, trace, write_whole,
};
