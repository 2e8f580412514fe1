//! Where the bytes of a layer come from, whatever the source.

use super::file_range::FileRange;
use crate::model::Result;
use crate::model::value::digest::Digest;

/// A layer on its way in. It is asked on the threads that unpack, lowest layer first.
pub(crate) trait Source: Send + Sync {
    /// The digest of the blob, where somebody promised one: it is checked.
    fn digest(&self) -> Option<&Digest>;
    /// The blob, whole and ready to be read. May wait until it is.
    fn open(&self) -> Result<FileRange>;
}
