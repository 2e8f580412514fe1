//! The languages of texts.

use std::fmt;
use std::str::FromStr;

use crate::model::{Error, Kind, Result};

/// A language of texts for people. Names, verbs, fields and kinds are the same in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Korean.
    Korean,
}

impl Language {
    /// All languages.
    pub const ALL: [Language; 2] = [Language::English, Language::Korean];

    /// Returns the ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
        }
    }

    /// Returns the language of a locale such as `ko_KR.UTF-8` (locale(7)); English for an unknown
    /// language, and for a locale without UTF-8.
    pub fn from_locale(locale: &str) -> Language {
        let code = locale.split(['_', '.', '@']).next().unwrap_or_default();
        let charset = locale.split_once('.').map_or("", |(_, charset)| charset);
        let charset = charset.split('@').next().unwrap_or_default().to_lowercase();
        let readable = charset.is_empty() || charset == "utf-8" || charset == "utf8";
        Language::ALL.into_iter().find(|known| known.code() == code && readable).unwrap_or_default()
    }
}

impl FromStr for Language {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Language::ALL.into_iter().find(|known| known.code() == text).ok_or_else(|| {
            Error::new(Kind::Invalid, format!("unsupported language `{text}`")).hint("use en or ko")
        })
    }
}

/// The reader of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderProfile {
    /// The language.
    pub language: Language,
    /// How many columns the terminal has.
    pub width: usize,
    /// Whether the terminal shows only ASCII.
    pub ascii: bool,
}

impl Default for ReaderProfile {
    fn default() -> Self {
        ReaderProfile { language: Language::English, width: 80, ascii: false }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_name_languages() {
        for (locale, language) in [
            ("ko_KR.UTF-8", Language::Korean),
            ("ko", Language::Korean),
            ("ko_KR.utf8", Language::Korean),
            ("ko_KR.EUC-KR", Language::English),
            ("C.UTF-8", Language::English),
            ("de_DE.UTF-8", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::from_locale(locale), language, "{locale}");
        }
        assert!("xx".parse::<Language>().is_err());
    }
}
