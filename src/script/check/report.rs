//! Formats a finding with its line.

use annotate_snippets::{AnnotationKind, Group, Level, Snippet};
use rhai::Position;

use super::finding::{Finding, Severity};
use crate::model::error::credentials;
use crate::script::errors::render::{renderer, span};

impl Finding {
    /// Returns the finding with its line, drawn as uncaught errors are.
    pub fn drawn(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let place = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let position = Position::new(place(self.line), place(self.column));
        let text = credentials::mask_in_place(&self.text);
        let snippet = Snippet::source(text.as_ref())
            .path(self.source.as_str())
            .annotation(AnnotationKind::Primary.span(span(&self.text, position)));
        let mut group =
            Group::with_title(level.primary_title(self.message.as_str())).element(snippet);
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        renderer(color).render(&[group])
    }
}
