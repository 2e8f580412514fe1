//! `Finding`: a problem in a script, and the findings of one script.

use std::sync::Arc;

use rhai::Position;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The code is deprecated, or probably does not do what it seems to.
    Warning,
    /// The code cannot work.
    Error,
}

impl Severity {
    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A problem in a script.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The name of the script.
    pub source: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The severity.
    pub severity: Severity,
    /// The message.
    pub message: String,
    /// The hint.
    pub hint: Option<String>,
    /// The text of the script.
    pub(super) text: Arc<str>,
}

/// The findings of one script.
pub(super) struct Findings {
    pub(super) source: String,
    text: Arc<str>,
    pub(super) found: Vec<Finding>,
}

impl Findings {
    pub(super) fn new(source: &str, text: &str) -> Self {
        Findings { source: source.to_owned(), text: text.into(), found: Vec::new() }
    }

    fn add(&mut self, severity: Severity, place: Position, message: String, hint: Option<String>) {
        self.found.push(Finding {
            source: self.source.clone(),
            line: place.line().unwrap_or(1),
            column: place.position().unwrap_or(1),
            severity,
            message,
            hint,
            text: self.text.clone(),
        });
    }

    pub(super) fn error(&mut self, place: Position, message: String, hint: Option<String>) {
        self.add(Severity::Error, place, message, hint);
    }

    pub(super) fn warning(&mut self, place: Position, message: String, hint: Option<String>) {
        self.add(Severity::Warning, place, message, hint);
    }
}
