//! Creates processes: clones init into its namespaces and waits until it executes the program.

pub(crate) mod explain;
pub(super) mod prepare;
mod process;
pub(super) mod role;
pub(super) mod stdin_writer;
mod tracer;

pub(super) use process::{JoinedNamespaces, SpawnRequest, SpawnedProcess, spawn};
