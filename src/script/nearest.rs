//! The nearest known name to a mistyped one.

use crate::ui;

/// The name among `known` that `word` was probably meant to be: one that is spelled nearly so, or
/// one that begins so.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().filter(|name| *name != word).collect();
    ui::nearest::nearest(word, known.iter().copied()).or_else(|| {
        let lower = word.to_lowercase();
        let begins = |name: &&str| {
            lower.len() >= 3
                && name.len() >= 3
                && (name.starts_with(&lower) || lower.starts_with(*name))
        };
        known.into_iter().find(begins)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_understood_and_another_word_is_not() {
        let known = ["name", "cmd", "env", "workdir", "hostname", "stop_signal"];
        for (word, meant) in [
            ("nmae", Some("name")),
            ("Name", Some("name")),
            ("work_dir", Some("workdir")),
            ("stop_sinal", Some("stop_signal")),
            ("stop", Some("stop_signal")),
            ("environment", Some("env")),
            ("zzz", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
