//! `Finding`: something that is wrong in a script, and the findings of one script.

use std::sync::Arc;

use rhai::Position;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It will probably not do what it looks like.
    Warning,
    /// It cannot work.
    Error,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// Something that is wrong.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The script, as it was named.
    pub source: String,
    /// From 1 on.
    pub line: usize,
    /// From 1 on, in characters.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text that it is in.
    pub(super) text: Arc<str>,
}

/// What is found in one script.
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
