//! What the monitor does while a container runs and when it ends: health checks and restarts.

use serde::{Deserialize, Serialize};

/// What the monitor does while a container runs and when it ends: health checks and restarts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Upkeep {}
