//! The texts of one page in its language.

use super::text::escaped;
use crate::model::value::language::Language;
use crate::ui::messages::format_message;

/// Formats the texts of one page.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageMessages(pub(super) Language);

impl PageMessages {
    /// Formats a text as HTML.
    pub(super) fn html(self, id: &str, args: &[(&str, &str)]) -> String {
        escaped(&format_message(self.0, id, args))
    }

    /// Formats a text without arguments as HTML.
    pub(super) fn name(self, id: &str) -> String {
        self.html(id, &[])
    }
}

/// Says how many items are left out; empty for 0.
pub(super) fn more(words: PageMessages, count: u64) -> String {
    match count {
        0 => String::new(),
        _ => format!(
            "<p class=\"quiet\">{}</p>\n",
            words.html("report-more", &[("count", &count.to_string())])
        ),
    }
}
