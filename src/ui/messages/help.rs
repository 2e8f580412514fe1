//! The help of functions in other languages than English.

use std::collections::HashMap;

use once_cell::sync::OnceCell;

use crate::model::value::language::Language;

/// Translates a text of the help. The English text stands in the code, beside what it describes. It
/// is returned if there is no translation.
pub fn help(language: Language, english: &str) -> String {
    let translated = match language {
        Language::English => None,
        Language::Korean => korean_help().get(english),
    };
    translated.map_or_else(|| english.to_owned(), String::clone)
}

/// Returns the Korean texts of the help, by the English ones.
pub fn korean_help() -> &'static HashMap<String, String> {
    static TEXTS: OnceCell<HashMap<String, String>> = OnceCell::new();
    // A test ensures that the file can be parsed.
    TEXTS.get_or_init(|| serde_json::from_str(include_str!("help.ko.json")).unwrap_or_default())
}
