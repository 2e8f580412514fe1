//! The text of any value for a message or a table, cut where it is too long.

use std::fmt::{self, Write};

use rhai::Dynamic;

/// The longest text, in bytes.
const MOST: usize = 1 << 20;

/// A text that takes no more than so much.
struct Cut {
    text: String,
    most: usize,
}

impl Write for Cut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.most - self.text.len();
        if text.len() <= room {
            self.text.push_str(text);
            return Ok(());
        }
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

/// Returns the text of a value, up to 1 MiB: an array may hold one long text many times.
pub(in crate::script) fn text_of(value: &Dynamic) -> String {
    whole_text(value, MOST).unwrap_or_else(|cut| cut + "…")
}

/// Returns the text of a value.
///
/// # Errors
/// The beginning of a text of more than `most` bytes.
pub(super) fn whole_text(value: &Dynamic, most: usize) -> Result<String, String> {
    let mut cut = Cut { text: String::new(), most };
    match write!(cut, "{value}") {
        Ok(()) => Ok(cut.text),
        Err(fmt::Error) => Err(cut.text),
    }
}

#[cfg(test)]
mod tests {
    use rhai::{Array, Dynamic};

    use super::*;

    #[test]
    fn a_long_text_is_cut_before_it_is_made() {
        let long = Dynamic::from("é".repeat(MOST));
        let list: Array = vec![long; 1_000_000];
        let text = text_of(&list.into());
        assert!(text.len() <= MOST + 4 && text.starts_with("[\"éé") && text.ends_with("é…"));
        assert_eq!(text_of(&vec![Dynamic::from(1_i64), "a".into()].into()), "[1, \"a\"]");
    }
}
