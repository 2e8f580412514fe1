//! The records on disk: containers, volumes and the journal of events.

pub mod container_store;
pub mod directory;
pub mod journal;
pub mod spec_cache;
pub mod volumes;
