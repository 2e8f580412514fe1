//! What images and containers take of the disk, and what taking some away gives back.

use super::filter::ImageFilter;
use super::metadata::Removed;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;

/// What an image takes: the bytes of the files of its layers, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUsage {
    /// The image.
    pub id: Digest,
    /// All of it.
    pub size: u64,
    /// The layers that another image has as well.
    pub shared: u64,
    /// How many containers are made from it.
    pub containers: u64,
}

impl ImageUsage {
    /// The layers that no other image has.
    pub fn unique(&self) -> u64 {
        self.size.saturating_sub(self.shared)
    }
}

/// What a container takes of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The container.
    pub id: ContainerId,
    /// The bytes of the files that it has written or changed.
    pub size: u64,
}

/// What all takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The images, newest first.
    pub images: Vec<ImageUsage>,
    /// The bytes of the layers and of the documents and archives that they came as.
    pub image_bytes: u64,
    /// What goes with the images that no container uses.
    pub reclaimable: u64,
    /// The containers, newest first.
    pub containers: Vec<ContainerUsage>,
}

/// Which images are to be taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// All that no container uses, and not only those without tag.
    pub all: bool,
    /// Only those with these labels and of this time.
    pub filter: ImageFilter,
    /// Only tell what would go.
    pub dry_run: bool,
}

/// How to remove an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveImageOptions {
    /// Also where a stopped container uses it, or an id has several tags.
    pub force: bool,
}

/// What was, or would be, taken away.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pruned {
    /// Step by step.
    pub removed: Vec<Removed>,
    /// How many images went.
    pub images: u64,
    /// How many bytes that gives back.
    pub bytes: u64,
}
