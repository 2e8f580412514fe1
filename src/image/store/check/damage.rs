//! Kinds of damage of images and layers, and the guard that locks containers during a repair.

use super::unpack::UnpackedCopy;
use crate::image::layer::LayerId;
use crate::image::store::document::Document;
use crate::image::store::index::{Entry, Manifest};
use crate::model::image::ImageUser;
use crate::model::observe::check_report::CheckOptions;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

/// Locks held while the store is changed: no container is created from its images, and none of
/// `users` is started.
pub struct InUseGuard {
    /// All containers; those that could not be locked count as live.
    pub users: Vec<ImageUser>,
    /// Unlocks when dropped.
    pub locks: Box<dyn Send>,
}

impl std::fmt::Debug for InUseGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InUseGuard").field("users", &self.users).finish_non_exhaustive()
    }
}

/// Lists which containers use which images. For a repair, also locks them.
pub type InUse<'a> = &'a dyn Fn(&CheckOptions) -> Result<InUseGuard>;

/// An image as the index has it, and its files.
#[derive(PartialEq)]
pub(super) struct IndexedImage {
    pub(super) entries: Vec<Entry>,
    pub(super) files: Vec<Option<(u64, u64)>>,
}

/// The result of handling damage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// The damage is settled.
    Done,
    /// Something was repaired: there may be more damage.
    Recheck,
    /// The image was changed meanwhile.
    Changed,
}

/// Damage of an image.
pub(super) enum Damage {
    /// Cannot be repaired.
    Lost(String),
    /// A layer is not what it must be.
    Layer(LayerId, Fault),
    /// One of its manifests is unavailable, why, and an entry with an intact manifest.
    Manifest(Digest, String, Entry),
}

/// Damage of a layer.
pub(super) enum Fault {
    /// No intact copy of its content exists.
    Lost(String),
    /// Its files are damaged; an intact copy exists.
    Files { why: String, fresh: UnpackedCopy },
    /// Only a blob is damaged, which the tar-split can rebuild.
    Blob { why: String, digest: Digest },
}

/// Returns whether the error is of the host, and not of the store.
pub(super) fn is_of_host(error: &Error) -> bool {
    let of_host = [libc::ENOSPC, libc::EDQUOT, libc::EMFILE, libc::ENFILE, libc::ENOMEM];
    matches!(error.kind(), Kind::Cancelled | Kind::Denied)
        || error.errno().is_some_and(|errno| of_host.contains(&errno))
}

/// Returns whether a manifest is of the image with this configuration.
pub(super) fn fits(manifest: &Manifest, document: &Document) -> bool {
    manifest.config.digest == document.id && manifest.layers.len() == document.diff_ids.len()
}
