//! What the programs of a simulation do.

use std::sync::Arc;

use crate::model::Result;
use crate::model::observe::log::LogLine;

/// What a simulated program does. It handles no signal: each of them ends it.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// The lines that it writes when it starts.
    pub lines: Vec<LogLine>,
    /// The code with which it then exits. Unset, it runs until it is stopped.
    pub exit_code: Option<i32>,
}

/// Returns what a command does. An error means that its program cannot start.
pub type Programs = Arc<dyn Fn(&[String]) -> Result<Program> + Send + Sync>;
