//! The records on disk: containers, volumes and the journal of events.

pub mod aside;
pub mod container_store;
pub mod directory;
pub mod exec_files;
pub mod journal;
mod leftovers;
pub(super) mod mend;
mod mend_journal;
mod mend_volumes;
pub mod names;
pub(super) mod place;
pub mod spec_cache;
mod state_file;
pub mod volumes;
