//! How much a container may use: memory, processors, processes, block devices, limits of its processes.

use serde::{Deserialize, Serialize};

/// How much a container may use: memory, processors, processes, block devices, limits of its processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {}
