//! The contract about the files of containers: copied, compared, exported, committed.

use std::io::Write;

use super::contract_macro::contract;
use super::{CancelToken, CopyOptions, Transfer};
use crate::model::Result;
use crate::model::image::Image;
use crate::model::image::build::{Change, CommitOptions};
use crate::model::observe::introspection::PathLayers;
use crate::model::value::id::ContainerId;
use crate::model::value::reference::Reference;

contract! {
    /// The files of containers.
    pub trait Files, passed on by files($) {
        /// Copies files into a container or out of it, whether it runs or not.
        fn copy(
            &self,
            id: &ContainerId,
            what: Transfer<'_>,
            options: CopyOptions,
            cancel: &CancelToken,
        ) -> Result<()>;
        /// Returns the changes of a container to its image's files, sorted by path.
        fn diff(&self, id: &ContainerId) -> Result<Vec<Change>>;
        /// Creates an image from a container: its image, its changes, and its configuration.
        fn commit(
            &self,
            id: &ContainerId,
            reference: Option<&Reference>,
            options: &CommitOptions,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Writes all files of a container as a tar.
        fn export(&self, id: &ContainerId, out: &mut dyn Write, cancel: &CancelToken) -> Result<()>;
        /// Returns the size of the files that a container has written or changed, in bytes.
        fn container_size(&self, id: &ContainerId) -> Result<u64>;
        /// Returns where the file at a path comes from: the layers, and a mount on top.
        fn path_layers(&self, id: &ContainerId, path: &str) -> Result<PathLayers>;
    }
}
