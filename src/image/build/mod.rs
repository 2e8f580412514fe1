//! Creates images from images: of a container's changes, of a build step, of a root file system.
//!
//! A new image is the document of the one below it, changed, and at most one more layer. Steps
//! that were done before are found by their key, a digest of ids and contents alone: what an
//! image says of itself never counts, for its author chose it (CVE-2024-24557).

mod archive;
pub(crate) mod configure;
mod container;
mod copy;
mod derive;
mod find;
mod items;
mod new_layer;
mod opened;
mod origin;
mod pattern;
mod steps;

pub use container::Files;
pub use origin::Origin;
