//! `ErrorText`: message, causes and hint of an error, also of a thrown value.

use rhai::{Dynamic, EvalAltResult, Map};

use super::rhai_text;
use crate::script::bounded::text_of;

/// Message, causes and hint of an error.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ErrorText {
    /// The message.
    pub message: String,
    /// The causes, outermost first.
    pub causes: Vec<String>,
    /// The hint.
    pub hint: Option<String>,
}

impl ErrorText {
    pub(super) fn new(message: impl Into<String>) -> Self {
        ErrorText { message: message.into(), ..ErrorText::default() }
    }

    /// Escapes control characters, which an image or a container may have put there.
    pub fn escaped(self) -> Self {
        let visible = |text: String| crate::model::value::visible::escape_control(&text);
        ErrorText {
            message: visible(self.message),
            causes: self.causes.into_iter().map(visible).collect(),
            hint: self.hint.map(visible),
        }
    }

    pub(super) fn hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }
}

/// Returns the message of an error, for a warning of one line.
pub fn in_a_line(error: &EvalAltResult) -> String {
    match error {
        EvalAltResult::ErrorRuntime(value, _) => thrown(value).message,
        other => bare(other),
    }
}

/// Returns the text of a value that a script or a native function threw.
pub(super) fn thrown(value: &Dynamic) -> ErrorText {
    let Some(map) = value.read_lock::<Map>() else {
        return ErrorText::new(text_of(value));
    };
    let text = |key: &str| map.get(key).filter(|value| value.is_string()).map(ToString::to_string);
    let Some(message) = text("message") else {
        return ErrorText::new(format!("thrown: {}", text_of(value)));
    };
    let causes = map.get("causes").and_then(|causes| {
        causes.read_lock::<rhai::Array>().map(|list| list.iter().map(text_of).collect())
    });
    ErrorText { message, causes: causes.unwrap_or_default(), hint: text("hint") }
}

/// Returns Rhai's own message, without the position that the drawing shows.
pub(super) fn bare(error: &EvalAltResult) -> String {
    lower_first(rhai_text::without_place(&error.to_string()))
}

pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
