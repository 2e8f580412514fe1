//! Docker's JSON for containers and images: the same keys, in the same order, of the same types
//! (`tests/reference/`), so that programs written for `docker inspect` read ours.

mod config;
mod container;
mod image;
mod mounts;
mod namespaces;

#[cfg(test)]
mod tests;

pub use container::{ContainerPaths, container};
pub use image::image;
