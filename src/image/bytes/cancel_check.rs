//! The cancellation check of long work.

use crate::model::Result;

/// Called regularly by long work, on any of its threads. An error ends the work.
pub type CancelCheck<'a> = &'a (dyn Fn() -> Result<()> + Sync);
