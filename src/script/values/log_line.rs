//! `LogLine`: a line of a container's log as a script value.

use std::sync::Arc;

use crate::model::observe::log::LogLine as Line;

/// A line of a container's log.
#[derive(Clone, Debug)]
pub struct LogLine(Arc<Line>);

impl LogLine {
    /// Wraps a line for scripts.
    pub fn new(line: Line) -> Self {
        LogLine(Arc::new(line))
    }

    /// Returns the line.
    pub fn line(&self) -> &Line {
        &self.0
    }

    /// Returns the text without the newline.
    pub fn text(&self) -> String {
        self.0.text().into_owned()
    }
}
