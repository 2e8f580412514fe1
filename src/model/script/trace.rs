//! What is done for a verb, one step at a time: as it is planned, and as it was done.
//!
//! `explain` shows planned deeds, `trace` done ones. Both come from the code that does them, so
//! they can't drift from it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which process does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessRole {
    /// The one that was asked: command line, script, REPL.
    #[serde(rename = "front")]
    Client,
    /// The small process that stays beside a container.
    Monitor,
    /// The container's first process, before it becomes the user's program.
    Init,
}

impl ProcessRole {
    /// All of them, in the order in which a start needs them.
    pub const ALL: [ProcessRole; 3] =
        [ProcessRole::Client, ProcessRole::Monitor, ProcessRole::Init];

    /// The word that users see.
    pub fn as_str(self) -> &'static str {
        match self {
            ProcessRole::Client => "front",
            ProcessRole::Monitor => "monitor",
            ProcessRole::Init => "init",
        }
    }
}

/// One deed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceStep {
    /// Which process does it.
    #[serde(rename = "who")]
    pub role: ProcessRole,
    /// What kind it is, such as `pivot-root`: texts about it have this name (`ui::messages`).
    pub key: String,
    /// What it does, in English.
    #[serde(rename = "what")]
    pub summary: String,
    /// What differs from one deed of its kind to another, by name.
    #[serde(default, rename = "facts")]
    pub fields: BTreeMap<String, String>,
    /// The system calls that do it, in order. Those that only some cases need are left out.
    #[serde(rename = "calls")]
    pub syscalls: Vec<String>,
    /// Why it failed, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it was done; `None` while it is planned.
    #[serde(default)]
    pub span: Option<Span>,
}

/// From when to when, on the machine's monotonic clock, which is one for all processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Nanoseconds since boot.
    #[serde(rename = "begun")]
    pub start: u64,
    /// How many nanoseconds it took.
    #[serde(rename = "took")]
    pub duration: u64,
}
