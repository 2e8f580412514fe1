//! The byte order mark that some editors write at the beginning of a text.

/// Returns the text without a byte order mark at its beginning.
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_mark_is_dropped() {
        for (text, read) in [("\u{feff}a\u{feff}", "a\u{feff}"), ("a", "a"), ("", "")] {
            assert_eq!(without_bom(text), read);
        }
    }
}
