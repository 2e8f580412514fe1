//! `--change` of `commit` and `import`: single instructions of a Dockerfile that say how an image
//! is to be run.

use crate::model::build::BuildStep;
use crate::model::{Error, Kind, Result};

/// The steps of such instructions.
pub(in crate::engine) fn changes(lines: &[String]) -> Result<Vec<BuildStep>> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    Err(Error::new(Kind::Unsupported, "not yet"))
}
