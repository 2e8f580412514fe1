//! The contract about volumes.

use crate::model::Result;
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeOptions, VolumeUse,
};

/// The volumes that an engine keeps.
pub trait Volumes: Send + Sync + std::fmt::Debug {
    /// Creates a volume, or returns the existing one of this name.
    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume>;
    /// Returns all volumes, by name.
    fn volumes(&self) -> Result<Vec<VolumeUse>>;
    /// Returns a volume.
    fn volume(&self, name: &str) -> Result<VolumeUse>;
    /// Removes a volume with its content. Refuses one that a container uses.
    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()>;
    /// Removes each of the volumes as [`Volumes::volume_rm`] does. Returns one result for each.
    fn volume_rm_each(
        &self,
        names: &[&str],
        options: &RemoveVolumeOptions,
    ) -> Result<Vec<Result<()>>>;
    /// Removes volumes that no container uses, or lists them.
    fn volume_prune(&self, options: &PruneVolumesOptions) -> Result<PrunedVolumes>;
}
