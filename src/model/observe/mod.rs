//! Observations as data: events, logs, statistics, volumes, readiness probes, progress and the
//! results of checks.

pub mod check_report;
pub mod event;
pub mod introspection;
pub mod log;
pub mod progress;
pub mod readiness;
pub mod stats;
pub mod system;
pub mod top;
pub mod volume;
