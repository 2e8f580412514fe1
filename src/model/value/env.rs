//! Environment variables that a container has without being given any.

/// The `PATH` of a container where neither image nor user sets one.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
