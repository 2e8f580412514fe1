//! The command line's verbs and flags, most of them Docker's. Only parsing: nothing runs in these
//! files.

pub mod build;
mod command_line;
mod container;
mod events;
pub mod exec;
mod format;
mod health;
pub mod learn;
mod mounts;
mod namespaces;
pub mod registry;
mod resources;
mod script;
mod security;
pub mod store;
mod supervision;
pub mod teaching;
pub mod test;
#[cfg(test)]
mod tests;
pub mod volume;

pub use command_line::{Arguments, ContainerVerb, ImageVerb, OfContainer, Verb, parse};
pub use container::*;
pub use events::EventsArguments;
pub use format::FormatArguments;
pub use resources::{LimitVerb, StatsArguments, UpdateArguments};
pub use script::{
    CheckArguments, CheckForm, DocsArguments, DocsForm, SandboxFlags, ScriptArguments,
};
