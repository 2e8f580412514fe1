//! The question of long work whether to go on.

use crate::model::Result;

/// What long work asks now and then, on any of its threads: whether to go on. An error ends it.
pub type CancelCheck<'a> = &'a (dyn Fn() -> Result<()> + Sync);
