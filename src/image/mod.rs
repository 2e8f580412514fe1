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
//! Reading order: [`Store`] finds and lists; `store/import` brings an image in, whoever it comes
//! from: `archive` (other engines' files), `registry` (`pull`, `push`), `host` (this machine) or
//! `build`. `layer` unpacks layers, puts their tars together again and tells what a container did
//! to them; `tar` and `bytes` are what all of these are made of. `store` also holds `remove`,
//! `prune` and `check`.

mod archive;
pub(crate) mod build;
mod bytes;
mod host;
mod layer;
mod registry;
mod store;
mod tar;
pub mod transfer;

pub use crate::model::image::{HostImage, ImageUser};
pub use build::{Files, Origin};
pub use bytes::atomic_file::write_atomic;
pub use bytes::cancel_check::CancelCheck;
pub use layer::tree_size;
pub use registry::login::{log_in, log_out};
pub use store::check::{InUse, InUseGuard};
pub use store::{Store, as_reference, entry_at};
