//! Mounts of a container: binds, named volumes and tmpfs, with Docker's three ways to write them.

mod contradictions;
mod csv;
pub mod driver_options;
pub mod mount;
mod parse;
#[cfg(test)]
mod tests;
mod to_flag;
mod volumes_from;

pub use driver_options::DriverOptions;
pub use mount::{
    ImageLayers, Mount, MountFlag, MountKind, MountSpec, Mounts, check_volume_name, volumes_from,
};
pub use parse::no_plugin;
