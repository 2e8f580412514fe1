//! The image store: OCI content on disk, and how it gets there.
//!
//! On disk (`<root>/images/`, an OCI image layout with one more directory):
//! `oci-layout`, `index.json`, `blobs/sha256/<hex>` as they were written, `layers/<hex>/`
//! unpacked once and shared by all containers, `staging/` for what is not yet in, `lock`.
//!
//! Promises: what is in the store under its final name is whole and on disk; an import that
//! fails, is cancelled or killed leaves nothing that anyone sees; archives are hostile, and
//! nothing in one can reach outside the directory that its layer is unpacked into.
//!
//! Reading order: [`Store`] asks `index` what there is; `archive` and `layout` read what other
//! engines wrote (`members`, `pax`, `spool`); `import` brings it in (`document`, `extract`,
//! `layers`), `remove` takes it out, `host` makes an image from this machine.

mod archive;
pub(crate) mod build;
mod capture;
mod changes;
mod document;
mod extract;
mod host;
mod import;
mod index;
mod layers;
mod layout;
mod members;
mod merged;
mod names;
mod pack;
mod parents;
mod pax;
mod remove;
mod spool;
mod staging;
mod store;
mod walk;

pub use crate::model::image::{HostImage, ImageUser};
pub use build::{Files, Origin};
pub use store::Store;

/// What long work asks now and then, on any of its threads: whether to go on. An error ends it.
pub type Check<'a> = &'a (dyn Fn() -> crate::model::Result<()> + Sync);
