//! What a container sees of the host and of volumes: binds, named volumes, tmpfs.

use serde::{Deserialize, Serialize};

/// What a container sees of the host and of volumes: binds, named volumes, tmpfs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mounts {}
