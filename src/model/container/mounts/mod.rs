//! Mounts of a container: binds, named volumes and tmpfs, with Docker's three ways to write them.

mod contradictions;
pub mod mount;
mod parse;
#[cfg(test)]
mod tests;
mod to_flag;
mod volumes_from;

pub use mount::{Mount, MountFlag, MountKind, MountSpec, Mounts, check_volume_name, volumes_from};
