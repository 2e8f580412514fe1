//! How much a container may use: memory, processors, processes, block devices, limits of its processes, in the words of the OCI runtime specification.

use serde_json::Value;

use crate::model::container::ContainerSpec;

/// Adds it to `config`.
pub(super) fn apply(_spec: &ContainerSpec, _config: &mut Value) {}
