//! How a step is done, and what it led to.

use crate::model::image::Image;

/// How a step is done.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine::native) struct BuildParams {
    /// Even if it was done before.
    pub(super) no_cache: bool,
    /// Whether the user sees what commands write, so that no error needs to repeat it.
    pub(super) output_visible: bool,
}

/// What a step led to.
#[derive(Debug)]
pub(in crate::engine::native) struct StepOutcome {
    pub(in crate::engine::native) image: Image,
    /// Whether it was taken from the store.
    pub(super) cached: bool,
}
