//! Formats a finding with its line.

use annotate_snippets::{AnnotationKind, Group, Level};
use rhai::Position;

use super::finding::{Finding, Severity};
use crate::model::value::visible::escape_control;
use crate::script::errors::render::{quoted, renderer};

impl Finding {
    /// Returns the finding with its line, drawn as uncaught errors are.
    pub fn drawn(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let place = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let position = Position::new(place(self.line), place(self.column));
        let snippet = quoted(&self.source, &self.text, position, AnnotationKind::Primary, None);
        let title = level.primary_title(escape_control(&self.message));
        let mut group = Group::with_title(title).element(snippet);
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.with_name("hint").message(escape_control(hint)));
        }
        renderer(color).render(&[group])
    }
}
