//! The image store: OCI content on disk, and how it gets there.
//!
//! On disk (`<root>/images/`, an OCI image layout with one more directory):
//! `oci-layout`, `index.json`, `blobs/sha256/<hex>` as they were written, `layers/<hex>/`
//! unpacked once and shared by all containers, `staging/` for what is not yet in, `lock`.
//!
//! Promises: content with its final name is complete and on disk; an import that fails, is
//! cancelled or killed leaves nothing visible; archives are hostile, and nothing in one can reach
//! outside the directory that its layer is unpacked into.
//!
//! Reading order: [`Store`] finds and lists; `store/import` imports an image from any source:
//! `archive` (other engines' files), `registry` (`pull`, `push`), `host` (the host's programs) or
//! `build`. `layer` unpacks layers, rebuilds their tars and compares them with a container's files;
//! `tar` and `bytes` are the foundation of all of these. `store` also has `remove`, `prune` and
//! `check`.

mod archive;
pub(crate) mod build;
mod bytes;
mod host;
pub(crate) mod layer;
pub(crate) mod registry;
pub(crate) mod store;
mod tar;
pub mod transfer;

pub use crate::model::image::{HostImage, ImageUser};
pub use crate::sys::tree::{remove_any_at, tree_size};
pub use build::{Files, Origin, written_size};
pub use bytes::atomic_file::write_atomic;
pub use bytes::cancel_check::CancelCheck;
pub(crate) use bytes::stream;
pub use registry::connection::Connection;
pub use registry::credentials::Keychain;
pub use registry::login::{log_in, log_out};
pub use registry::tags::tags;
pub use store::check::{InUse, InUseGuard};

pub use store::{ListIdentity, Store, as_reference, entry_at};
