//! The command line's verbs and flags, most of them Docker's. Only parsing: nothing runs in these
//! files.

pub mod build;
mod command_line;
mod container;
pub mod context;
pub mod docker_only;
mod events;
pub mod exec;
mod format;
mod grammar;
pub mod learn;
mod one_verb;
pub mod only_one;
mod options;
pub mod registry;
mod resources;
mod script;
pub mod store;
pub mod teaching;
pub mod test;
#[cfg(test)]
mod tests;
pub mod volume;

pub use command_line::{
    Arguments, ContainerVerb, ImageVerb, OfContainer, OfImage, Verb, verb_path,
};
pub use container::*;
pub use events::EventsArguments;
pub use format::FormatArguments;
pub use grammar::VALUED;
pub use one_verb::parse;
pub use options::InvalidFlag;
pub use resources::{LimitVerb, StatsArguments, UpdateArguments};
pub use script::{
    CheckArguments, CheckForm, DocsArguments, DocsForm, SandboxFlags, ScriptArguments,
};
