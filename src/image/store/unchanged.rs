//! Whether an image that was found is still in the store, told by one system call in most cases.

use std::os::unix::fs::MetadataExt;

use super::handle::Store;
use super::index::Index;
use crate::model::image::Image;
use crate::model::{Error, Kind, Result};

/// The list of images at one moment: each change replaces the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListIdentity(Option<(u64, i64, i64)>);

impl ListIdentity {
    /// Returns whether there was a list.
    pub fn is_known(self) -> bool {
        self.0.is_some()
    }
}

impl Store {
    /// Returns the identity of the list of images. To be taken before an image is found in it.
    pub fn list_identity(&self) -> ListIdentity {
        let found = std::fs::metadata(self.images().join("index.json"));
        ListIdentity(found.ok().map(|found| (found.ino(), found.ctime(), found.ctime_nsec())))
    }

    /// Checks that an image was not removed since the list had this identity. The caller holds the
    /// lock against removals.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if it was removed.
    pub fn check_present(&self, image: &Image, since: ListIdentity) -> Result<()> {
        let now = self.list_identity();
        if now.is_known() && now == since {
            return Ok(());
        }
        let is_listed = Index::read(self.images())?.of(&image.id).next().is_some();
        if is_listed && image.layers.iter().all(|key| self.layer_dir(key).is_dir()) {
            return Ok(());
        }
        let name = image.display_name();
        Err(Error::new(Kind::NotFound, format!("the image `{name}` was removed meanwhile"))
            .hint("load or pull it again"))
    }
}
