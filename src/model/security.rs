//! What a container may do: capabilities, system calls, privileges, a read-only root, devices.

use serde::{Deserialize, Serialize};

/// What a container may do: capabilities, system calls, privileges, a read-only root, devices.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Security {}
