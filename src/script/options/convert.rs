//! Reads the values of options: texts, pairs, environments, statuses.

use rhai::{Array, Dynamic, Map};

use crate::model::container::options::{EnvEntry, StopTimeout};
use crate::model::container::status::Status;
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// A string, or an error that says what was given instead.
pub(super) fn text_of(value: &Dynamic) -> Result<String> {
    values::text(value).ok_or_else(|| {
        Error::new(Kind::Invalid, format!("a string is wanted, not {}", values::type_of(value)))
    })
}

/// How long `stop` waits; -1 is for ever.
pub(super) fn stop_timeout(value: &Dynamic) -> Result<StopTimeout> {
    match value.as_int() {
        Ok(-1) => Ok(StopTimeout::NoLimit),
        _ => values::duration(value).map(StopTimeout::After),
    }
}

/// Keys and values of a map or an array; a lone `"key"` has an empty value.
pub(super) fn pairs(value: &Dynamic) -> Option<Vec<(String, String)>> {
    if let Some(map) = value.read_lock::<Map>() {
        return map
            .iter()
            .map(|(key, value)| Some((key.to_string(), values::scalar(value)?)))
            .collect();
    }
    let split = |text: String| match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (text, String::new()),
    };
    if let Some(text) = values::text(value) {
        return Some(vec![split(text)]);
    }
    value.read_lock::<Array>()?.iter().map(|item| values::text(item).map(split)).collect()
}

/// The environment. A lone `"KEY"` takes this process's value, as `-e KEY` does.
pub(super) fn env(value: &Dynamic) -> Result<Vec<EnvEntry>> {
    let invalid = |what: String| {
        Error::new(Kind::Invalid, what)
            .hint("write #{ KEY: \"value\" }, or an array of \"KEY=VALUE\"")
    };
    let entry = |key: &str, value: Option<String>| {
        if key.is_empty() {
            return Err(invalid("a variable has no name".to_owned()));
        }
        let key = key.to_owned();
        Ok(match value {
            Some(value) => EnvEntry::Set { key, value },
            None => EnvEntry::Unset { key },
        })
    };
    if let Some(map) = value.read_lock::<Map>() {
        let read = |(key, value): (&_, &Dynamic)| {
            let key: &str = AsRef::<str>::as_ref(key);
            let text = values::scalar(value).ok_or_else(|| {
                invalid(format!(
                    "`{key}` is a string, a number or a boolean, not {}",
                    values::type_of(value)
                ))
            })?;
            entry(key, Some(text))
        };
        return map.iter().map(|(key, value)| read((key, value))).collect();
    }
    let items = value.read_lock::<Array>().ok_or_else(|| {
        invalid(format!("a map or an array of strings is wanted, not {}", values::type_of(value)))
    })?;
    let read = |item: &Dynamic| {
        let text = values::text(item)
            .ok_or_else(|| invalid(format!("one variable is {}", values::type_of(item))))?;
        match text.split_once('=') {
            Some((key, value)) => entry(key, Some(value.to_owned())),
            None => entry(&text, std::env::var(&text).ok()),
        }
    };
    items.iter().map(read).collect()
}

/// One status or an array of them.
pub(super) fn statuses(value: &Dynamic) -> Result<Vec<Status>> {
    let read = |value: &Dynamic| {
        let text = text_of(value)?;
        Status::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            let all: Vec<_> = Status::ALL.into_iter().map(Status::as_str).collect();
            Error::new(Kind::Invalid, format!("there is no status `{text}`"))
                .hint(format!("one of {}", all.join(", ")))
        })
    };
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(read).collect(),
        None => Ok(vec![read(value)?]),
    }
}

/// One string or an array of them.
pub(super) fn texts(value: &Dynamic) -> Option<Vec<String>> {
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(values::text).collect(),
        None => values::text(value).map(|text| vec![text]),
    }
}
