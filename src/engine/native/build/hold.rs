//! The images of a build under way: no other command removes them.

use super::container::BuildFile;
use crate::engine::native::handle::Native;
use crate::model::Result;
use crate::model::image::{Image, ImageUser};

/// The images that a build has found or made. They are listed in its file in `builds/`.
#[derive(Debug)]
pub(in crate::engine::native) struct ImageHold(BuildFile);

impl ImageHold {
    /// Returns an empty list.
    pub(in crate::engine::native) fn new(engine: &Native) -> Result<Self> {
        BuildFile::new(&engine.settings.root).map(ImageHold)
    }

    /// Adds an image. The caller shares the lock on the images since it found or made this one.
    pub(super) fn add(&self, image: &Image) -> Result<()> {
        self.0.write(&format!("{}\n", image.id))
    }
}

impl Native {
    /// Returns the images of the builds under way.
    pub(in crate::engine::native) fn users_of_builds(&self) -> Vec<ImageUser> {
        let mut users = Vec::new();
        for (name, text) in self.builds_under_way() {
            let images = text.lines().filter_map(|line| line.parse().ok());
            users.extend(images.map(|image| ImageUser {
                image,
                layers: Vec::new(),
                container: name.clone(),
                live: true,
            }));
        }
        users
    }
}
