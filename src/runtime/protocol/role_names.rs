//! The names that give a process of the engine its role.

/// Argument 0 of a monitor, which also names it in `ps`.
pub const MONITOR: &str = "lifebox-monitor";

/// Argument 0 of the helper of an exec, which also names it in `ps`.
pub const EXEC: &str = "lifebox-exec";

/// Argument 0 of a resource reaper, which also names it in `ps`.
pub const RESOURCE_REAPER: &str = "lifebox-reaper";
