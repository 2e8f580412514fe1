//! What a container shares with the host or with another container: network, processes, IPC, host name.

use serde::{Deserialize, Serialize};

/// What a container shares with the host or with another container: network, processes, IPC, host name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sharing {}
