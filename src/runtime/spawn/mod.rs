//! Creates processes: clones init into its namespaces and waits until it executes the program.

pub(super) mod engine_process;
pub(crate) mod explain;
pub(super) mod prepare;
mod process;
pub(super) mod stdin_writer;
mod tracer;

pub(super) use process::{JoinedNamespaces, SpawnRequest, SpawnedProcess, spawn};
