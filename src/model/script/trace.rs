//! The steps of a verb, as planned and as done.
//!
//! `explain` prints planned steps, `trace` the steps as done. Both come from the code that does
//! them, so they cannot drift from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The process that does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessRole {
    /// The client: command line, script, REPL.
    #[serde(rename = "front")]
    Client,
    /// The monitor beside the container.
    Monitor,
    /// The container's first process, before it becomes the user's program.
    Init,
}

impl ProcessRole {
    /// All roles, in the order in which a start needs them.
    pub const ALL: [ProcessRole; 3] =
        [ProcessRole::Client, ProcessRole::Monitor, ProcessRole::Init];

    /// Returns the word that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            ProcessRole::Client => "client",
            ProcessRole::Monitor => "monitor",
            ProcessRole::Init => "init",
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    /// The process that does a step.
    #[serde(rename = "who")]
    pub role: ProcessRole,
    /// The key, such as `pivot-root`; texts about the step have it too (`ui::messages`).
    pub key: String,
    /// What the step does, in English.
    #[serde(rename = "what")]
    pub summary: String,
    /// The fields that differ between steps with this key, by name.
    #[serde(default, rename = "facts")]
    pub fields: BTreeMap<String, String>,
    /// The system calls of the step, in order, without those that only some cases need.
    #[serde(rename = "calls")]
    pub syscalls: Vec<String>,
    /// Why the step failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When the step was done; `None` in a plan.
    #[serde(default)]
    pub span: Option<Span>,
}

/// Start and duration, on the host's monotonic clock, which all processes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Nanoseconds since boot.
    #[serde(rename = "begun")]
    pub start: u64,
    /// Nanoseconds.
    #[serde(rename = "took")]
    pub duration: u64,
}
