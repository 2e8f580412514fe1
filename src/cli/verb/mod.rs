//! Docker's verbs, a file for each group: from parsed arguments to calls of the engine.

pub(crate) mod build;
mod build_output;
mod client_config;
pub(crate) mod context;
pub(crate) mod contexts;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod environment;
pub(crate) mod events;
pub(crate) mod exec;
pub(crate) mod filters;
pub(crate) mod images;
pub(crate) mod inspect;
pub(crate) mod lifecycle;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod prune;
pub(crate) mod prune_all;
pub(crate) mod registry;
pub(crate) mod stats;
pub(crate) mod system;
pub(crate) mod top;
pub(crate) mod update;
pub(crate) mod volume;
