//! The parameters and the outcome of a step.

use super::hold::ImageHold;
use crate::model::container::options::CreateOptions;
use crate::model::image::Image;
use crate::model::image::build::BuildSecret;

/// The parameters of a step.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::native) struct BuildParams<'a> {
    /// Whether the cache is not used.
    pub(super) no_cache: bool,
    /// Whether the user sees the output of commands, so that errors need not repeat it.
    pub(super) output_visible: bool,
    /// The options of the containers that run commands; the defaults where unset.
    pub(super) run: Option<&'a CreateOptions>,
    /// What `RUN --mount=type=secret` mounts.
    pub(super) secrets: &'a [BuildSecret],
    /// Keeps the images of the build from being removed.
    pub(super) hold: Option<&'a ImageHold>,
}

/// The outcome of a step.
#[derive(Debug)]
pub(in crate::engine::native) struct StepOutcome {
    pub(in crate::engine::native) image: Image,
    /// Whether it was taken from the cache.
    pub(super) cached: bool,
}
