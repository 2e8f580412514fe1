//! `LogLine`: a line that a container wrote, as a value.

use std::sync::Arc;

use crate::model::observe::log::LogLine as Line;

/// A line that a container wrote.
#[derive(Clone, Debug)]
pub struct LogLine(Arc<Line>);

impl LogLine {
    /// As scripts see it.
    pub fn new(line: Line) -> Self {
        LogLine(Arc::new(line))
    }

    /// The line itself.
    pub fn line(&self) -> &Line {
        &self.0
    }

    /// Its text without the newline.
    pub fn text(&self) -> String {
        self.0.text().into_owned()
    }
}
