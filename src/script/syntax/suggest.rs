//! Suggests the nearest known name for a mistyped one.

use crate::model;

/// The shortest prefix that identifies a name.
const BEGINNING: usize = 3;

/// Returns the name among `known` that `word` was probably meant to be: a name that begins with it,
/// one with a similar spelling, or a prefix of the word.
pub fn suggest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().filter(|name| *name != word).collect();
    let lower = word.to_lowercase();
    // All short words have a similar spelling.
    if lower.len() < BEGINNING {
        return None;
    }
    let completed = known.iter().find(|name| name.starts_with(&lower)).copied();
    let begins = |name: &&&str| name.len() >= BEGINNING && lower.starts_with(**name);
    completed
        .or_else(|| model::value::suggest::suggest(word, known.iter().copied()))
        .or_else(|| known.iter().find(begins).copied())
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
            ("hos", Some("hostname")),
            ("zzz", None),
            ("cm", None),
        ] {
            assert_eq!(suggest(word, known), meant, "{word}");
        }
    }
}
