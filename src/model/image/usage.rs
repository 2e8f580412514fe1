//! Disk usage of images, containers and volumes, and the result of a prune.

use super::filter::ImageFilter;
use super::metadata::Removed;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;

/// The disk usage of an image: the bytes of the files of its layers, unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageUsage {
    /// The image.
    pub id: Digest,
    /// The total.
    pub size: u64,
    /// The bytes of layers that other images share.
    pub shared: u64,
    /// How many containers use the image.
    pub containers: u64,
}

impl ImageUsage {
    /// Returns the bytes of layers that no other image has.
    pub fn unique(&self) -> u64 {
        self.size.saturating_sub(self.shared)
    }
}

/// The disk usage of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// The container.
    pub id: ContainerId,
    /// The bytes of the files that the container has written or changed.
    pub size: u64,
}

/// The disk usage of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeUsage {
    /// The volume.
    pub name: String,
    /// How many containers have the volume, running or not.
    pub links: u64,
    /// The bytes of its files.
    pub size: u64,
}

/// The disk usage of all images, containers and volumes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The images, newest first.
    pub images: Vec<ImageUsage>,
    /// The bytes of the layers and of their documents and archives.
    pub image_bytes: u64,
    /// The bytes that removing all unused images frees.
    pub reclaimable: u64,
    /// The containers, newest first.
    pub containers: Vec<ContainerUsage>,
    /// The volumes by name.
    pub volumes: Vec<VolumeUsage>,
}

/// The options of `image prune`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Whether all unused images are removed, and not only untagged ones.
    pub all: bool,
    /// The filter of labels and times.
    pub filter: ImageFilter,
    /// Whether only what builds keep is removed: the images of their steps, and the caches of
    /// `RUN --mount=type=cache`.
    pub of_builds: bool,
    /// How many bytes of what builds keep may stay: the newest.
    pub keep: u64,
    /// Whether to report without removing.
    pub dry_run: bool,
}

/// How to remove an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemoveImageOptions {
    /// Also where a stopped container uses it, or an id has several tags.
    pub force: bool,
}

/// The result of a prune, or of a dry run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pruned {
    /// The removals, in order.
    pub removed: Vec<Removed>,
    /// How many images were removed.
    pub images: u64,
    /// How many bytes are freed.
    pub bytes: u64,
}
