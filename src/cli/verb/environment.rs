//! `-e` and `--env-file`: variables with values, or with the caller's values; `--label-file`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::engine::CancelToken;
use crate::engine::stream::read_text;
use crate::model::container::options::EnvEntry;
use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};

/// The largest `--env-file`, in bytes.
const MAX_ENV_FILE: u64 = 16 << 20;

/// Returns the entries of the files, in order.
///
/// # Errors
/// [`Kind::Invalid`] for a missing or malformed name; when a file cannot be read.
pub fn of_files(files: &[PathBuf], cancel: &CancelToken) -> Result<Vec<EnvEntry>> {
    let mut entries = Vec::new();
    for file in files {
        let shown = file.display();
        let text = read_text(file, MAX_ENV_FILE, &|| cancel.check())?;
        let of_file = of_file(&text, &caller).context(|| format!("env file `{shown}`"))?;
        entries.extend(of_file);
    }
    Ok(entries)
}

/// Returns the labels of the files, of which a later one takes precedence.
///
/// # Errors
/// [`Kind::Invalid`] for a missing or malformed key; when a file cannot be read.
pub fn labels_of_files(
    files: &[PathBuf],
    cancel: &CancelToken,
) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for file in files {
        let text = read_text(file, MAX_ENV_FILE, &|| cancel.check())?;
        // As Docker: a key alone is left out.
        let entries = of_file(&text, &|_| None);
        for entry in entries.context(|| format!("label file `{}`", file.display()))? {
            if let EnvEntry::Set { key, value } = entry {
                labels.insert(key, value);
            }
        }
    }
    Ok(labels)
}

/// Returns the entries of the flags, in order.
///
/// # Errors
/// [`Kind::Invalid`] for a missing name.
pub fn of_flags(flags: &[String]) -> Result<Vec<EnvEntry>> {
    flags.iter().map(|flag| of_flag(flag, &caller)).collect()
}

/// Returns the entries of the flags, without the caller's values.
///
/// # Errors
/// [`Kind::Invalid`] for a missing name.
pub fn as_written(flags: &[String]) -> Result<Vec<EnvEntry>> {
    flags.iter().map(|flag| of_flag(flag, &|_| None)).collect()
}

fn caller(key: &str) -> Option<String> {
    // An invalid name is not looked up: `var_os` may panic on it.
    let possible = !key.is_empty() && !key.contains(['=', '\0']);
    std::env::var_os(key).filter(|_| possible).map(|value| value.to_string_lossy().into_owned())
}

fn of_flag(text: &str, caller: &dyn Fn(&str) -> Option<String>) -> Result<EnvEntry> {
    match text.split_once('=') {
        Some(("", _)) => {
            Err(Error::new(Kind::Invalid, format!("invalid environment variable: {text}")))
        }
        None if text.is_empty() => {
            Err(Error::new(Kind::Invalid, "invalid environment variable: the name is empty"))
        }
        Some((key, value)) => Ok(EnvEntry::Set { key: key.to_owned(), value: value.to_owned() }),
        None => Ok(match caller(text) {
            Some(value) => EnvEntry::Set { key: text.to_owned(), value },
            None => EnvEntry::Unset { key: text.to_owned() },
        }),
    }
}

/// Parses lines of `KEY=VALUE`. `KEY` alone takes the caller's value, if set; `#` begins a comment.
fn of_file(text: &str, caller: &dyn Fn(&str) -> Option<String>) -> Result<Vec<EnvEntry>> {
    let mut entries = Vec::new();
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim_start) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = line.split_once('=').map_or(line, |(key, _)| key);
        if key.is_empty() {
            return Err(Error::new(Kind::Invalid, format!("no variable name on line `{line}`")));
        }
        if key.contains(char::is_whitespace) {
            return Err(Error::new(
                Kind::Invalid,
                format!("variable `{key}` contains whitespaces"),
            ));
        }
        // Unlike with `-e KEY`, a file's KEY that the caller does not have is ignored.
        let entry = of_flag(line, caller)?;
        entries.extend(Some(entry).filter(|entry| matches!(entry, EnvEntry::Set { .. })));
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(key: &str) -> Option<String> {
        (key == "HOME").then(|| "/root".to_owned())
    }

    fn show(entries: Vec<EnvEntry>) -> String {
        let show = |entry: &EnvEntry| match entry {
            EnvEntry::Set { key, value } => format!("{key}={value}"),
            EnvEntry::Unset { key } => format!("-{key}"),
        };
        entries.iter().map(show).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_key_alone_takes_the_callers_value_or_unsets() {
        for (flag, expected) in [
            ("A=1", "A=1"),
            ("A=", "A="),
            ("A=b=c", "A=b=c"),
            ("HOME", "HOME=/root"),
            ("NO", "-NO"),
        ] {
            assert_eq!(show(vec![of_flag(flag, &home).unwrap()]), expected, "{flag}");
        }
        let error = of_flag("=x", &home).unwrap_err();
        assert_eq!(error.message(), "invalid environment variable: =x");
        assert!(of_flag("", &home).is_err());
    }

    #[test]
    fn files_have_comments_and_skip_what_the_caller_lacks() {
        let text = "# comment\n\n  A=1\nB=x y # z\r\nHOME\nNO\n";
        assert_eq!(show(of_file(text, &home).unwrap()), "A=1 B=x y # z HOME=/root");
        assert!(of_file("a b=1", &home).is_err());
        assert!(of_file("=1", &home).is_err());
    }
}
