//! The contract about builds: images made step by step, by a Dockerfile, or of a root file system.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use super::CancelToken;
use super::contract::contract;
use crate::model::Result;
use crate::model::image::Image;
use crate::model::image::build::{BuildOptions, BuildStep, ImportOptions};
use crate::model::observe::progress::Progress;

contract! {
    /// What makes images of files.
    pub trait Builds, passed on by builds($) {
        /// Does one step of a build above an image, or takes the image that it made before. What a
        /// command writes goes to `out`.
        fn step(
            &self,
            image: &str,
            step: &BuildStep,
            out: &mut dyn Write,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Builds what a Dockerfile says and gives the image its tags. How it goes on is written to
        /// `out`, and `progress` is told of images that are pulled. Without `context` nothing can
        /// be copied from this machine.
        fn build(
            &self,
            context: Option<&Path>,
            options: &BuildOptions,
            progress: &Arc<dyn Progress>,
            out: &mut dyn Write,
            cancel: &CancelToken,
        ) -> Result<Image>;
        /// Makes an image of a root file system: a tar, plain or compressed.
        fn import_tar(
            &self,
            archive: &mut (dyn Read + Send),
            options: &ImportOptions,
            cancel: &CancelToken,
        ) -> Result<Image>;
    }
}
