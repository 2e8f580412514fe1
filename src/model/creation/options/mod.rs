//! The options of a new container, each defined once.
//!
//! A row has all that the faces of an option need: command line, script, `update`, `docker(c)`,
//! `from_docker`, help, completion, reference and `--untrusted` walk [`create_options`]. By hand
//! stay the OCI configuration, `inspect` and compose files.

mod assign;
mod mounts;
mod namespaces;
mod program;
pub mod read;
mod resources;
mod row;
mod security;
mod supervision;
mod table;
#[cfg(test)]
pub(crate) mod tests;
pub mod write;

pub use row::{CreateOption, Flag, Trust};
pub use supervision::HEALTH;
pub use table::{GROUPS, Group, create_options, write_options};
