//! Lists of words in sentences.

/// Joins words as a choice: `none, host or container:NAME`.
pub fn list_or(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_comes_after_or() {
        for (words, text) in [
            (&[][..], ""),
            (&["host"], "host"),
            (&["host", "none"], "host or none"),
            (&["none", "host", "bridge"], "none, host or bridge"),
        ] {
            assert_eq!(list_or(words), text);
        }
    }
}
