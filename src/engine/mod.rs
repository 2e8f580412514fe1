//! The contract between the commands, scripts and REPL above and a container engine below: the trait `Backend` and its two engines, native and dry.

pub mod backend;
mod dockerfile;
pub mod dry;
mod native;
mod rules;

pub use backend::{
    Attach, Backend, CancelToken, CopyOptions, EventStream, LogStream, Session, Settings, Transfer,
    bound_memory, enter_user_namespace, open, trace, write_atomic,
};
