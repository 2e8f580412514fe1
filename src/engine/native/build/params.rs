//! How a step is done, and what it led to.

use crate::model::image::Image;

/// How a step is done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BuildParams {
    /// Even if it was done before.
    pub(crate) no_cache: bool,
    /// Whether the user sees what commands write, so that no error needs to repeat it.
    pub(crate) output_visible: bool,
}

/// What a step led to.
#[derive(Debug)]
pub(crate) struct StepOutcome {
    pub(crate) image: Image,
    /// Whether it was taken from the store.
    pub(crate) cached: bool,
}
