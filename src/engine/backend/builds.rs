//! The contract about builds: images created step by step, by a Dockerfile, or from a root file
//! system.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::contract_macro::contract;
use super::{CancelToken, RootTarget};
use crate::model::Result;
use crate::model::image::Image;
use crate::model::image::build::{BuildOptions, BuildStep, ImportOptions};
use crate::model::observe::progress::Progress;

contract! {
    /// Creates images from files.
    pub trait Builds, passed on by builds($) {
        /// Runs one step of a build on an image, or takes its result from the cache. Output of a
        /// command goes to `out`.
        fn step(
            &self,
            image: &str,
            step: &BuildStep,
            out: &mut dyn Write,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Builds an image by a Dockerfile and tags it. Output goes to `out`, and `progress` gets
        /// the progress of pulls. Without `context` nothing can be copied from the host.
        fn build(
            &self,
            context: Option<&Path>,
            options: &BuildOptions,
            progress: &Arc<dyn Progress>,
            out: &mut dyn Write,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// As `build`, with a context in a tar archive, plain or compressed. The Dockerfile of
        /// `options` is a path in it.
        fn build_archive(
            &self,
            context: &mut (dyn Read + Send),
            options: &BuildOptions,
            progress: &Arc<dyn Progress>,
            out: &mut dyn Write,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Writes all files of an image.
        fn write_root(&self, image: &str, to: RootTarget<'_>, cancel: &CancelToken) -> Result<()>;
        /// Creates an image from a root file system: a tar, plain or compressed.
        fn import_tar(
            &self,
            archive: &mut (dyn Read + Send),
            options: &ImportOptions,
            cancel: &CancelToken,
        ) -> Result<Image>;
    }
}
