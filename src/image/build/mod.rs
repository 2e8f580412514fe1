//! Creates images from images: of a container's changes, of a build step, of a root file system.
//!
//! A new image is the changed document of its parent, and at most one more layer. Earlier steps are
//! found by their key, a digest of ids and contents alone: the content of an image's history never
//! counts, because its author chose it (CVE-2024-24557).

mod archive;
pub(crate) mod configure;
mod container;
pub mod context_file;
mod copy;
mod derive;
mod find;
pub(crate) mod ignore;
mod items;
mod new_layer;
mod opened;
mod origin;
mod pattern;
mod steps;
pub mod unpacked;

pub use container::{Files, written_size};
pub use origin::Origin;
