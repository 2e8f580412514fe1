//! The contract between callers and engines: a trait for each noun, and [`Backend`], the sum of
//! them.
//!
//! No method has a body here: the compiler reports a new method in each engine.

mod attach;
mod builds;
mod containers;
mod contract;
mod contract_macro;
mod files;
mod images;
mod observe;
mod processes;
mod registries;
mod streams;
mod transfer;
mod volumes;

pub use attach::Attach;
pub use builds::Builds;
pub use containers::Containers;
pub use contract::Backend;
pub use files::Files;
pub use images::Images;
pub use observe::Observe;
pub use processes::Processes;
pub use registries::Registries;
pub use streams::{EventStream, LogStream};
pub use transfer::{CopyOptions, RootTarget, Transfer};
pub use volumes::Volumes;

/// For engines that pass verbs on to another: one macro per trait, except for volumes, where each
/// engine has a rule of its own.
pub(crate) mod pass_on {
    pub(crate) use super::builds::builds;
    pub(crate) use super::containers::containers;
    pub(crate) use super::files::files;
    pub(crate) use super::images::images;
    pub(crate) use super::observe::observe;
    pub(crate) use super::processes::processes;
    pub(crate) use super::registries::registries;
}

pub use crate::runtime::cancel::CancelToken;
pub use crate::runtime::client::session::ContainerSession;
