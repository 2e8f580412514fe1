//! What a container sees of the host and of volumes: binds, named volumes, tmpfs, in the words of the OCI runtime specification.

use serde_json::Value;

use crate::model::container::ContainerSpec;

/// Adds it to `config`.
pub(super) fn apply(_spec: &ContainerSpec, _config: &mut Value) {}
