//! Sources of a layer's bytes: archive, download, build.

use super::file_range::FileRange;
use crate::model::Result;
use crate::model::value::digest::Digest;

/// A layer to import. The threads that unpack call it, lowest layer first.
pub(crate) trait Source: Send + Sync {
    /// Returns the digest of the blob, where the manifest has one. The content is checked against
    /// it.
    fn digest(&self) -> Option<&Digest>;
    /// Returns the complete blob. May wait until the blob is complete.
    fn open(&self) -> Result<FileRange>;
}
