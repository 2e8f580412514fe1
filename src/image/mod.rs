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
//! `layers`), `tag` names it, `usage` measures it, `remove` and `prune` take it out, `host` makes
//! an image from this machine. `pull` and `push` join the store with `registry`. `build` makes
//! images out of images: `walk` sees layers as overlayfs does, `capture` and `changes` tell what a
//! container did to them, `pack` writes it down.

mod archive;
pub(crate) mod build;
mod capture;
mod changes;
mod check;
mod compression;
mod document;
mod extract;
mod flat;
mod host;
mod import;
mod index;
mod layers;
mod layout;
mod limits;
mod login;
mod member;
mod members;
mod merged;
mod names;
mod numeric;
mod pack;
mod parents;
mod pax;
mod prune;
mod pull;
mod push;
mod recipe;
mod registry;
mod remove;
mod save;
mod span;
mod sparse;
mod spool;
mod staging;
mod store;
mod tag;
mod unpack;
mod usage;
mod walk;

pub use crate::model::image::{HostImage, ImageUser};
pub use build::{Files, Origin};
pub use check::{Held, Hold};
pub use layers::bytes_below;
pub use login::{log_in, log_out};
pub use store::{Store, as_reference};

/// What long work asks now and then, on any of its threads: whether to go on. An error ends it.
pub type Check<'a> = &'a (dyn Fn() -> crate::model::Result<()> + Sync);
