//! What a container shares with the host or with another container: network, processes, IPC, host name, in the words of the OCI runtime specification.

use serde_json::Value;

use crate::model::container::ContainerSpec;

/// Adds it to `config`.
pub(super) fn apply(_spec: &ContainerSpec, _config: &mut Value) {}
