//! Reads the values of options: texts, pairs, environments, statuses.

use rhai::{Array, Dynamic};

use crate::model::container::options::{EnvEntry, StopTimeout};
use crate::model::container::status::Status;
use crate::model::creation::options::read;
use crate::model::value::list::list_or;
use crate::model::value::option_spec::ValueType;
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// Reads a string.
pub(super) fn text_of(value: &Dynamic) -> Result<String> {
    values::text(value).ok_or_else(|| ValueType::Text.mismatch(values::type_of(value)))
}

/// Reads how long `stop` waits; -1 for no limit.
pub(super) fn stop_timeout(value: &Dynamic) -> Result<StopTimeout> {
    read::stop_timeout(&values::expression(value, ValueType::StopTimeout))
}

/// Reads keys and values of a map or an array; a lone `"key"` has an empty value.
pub(super) fn pairs(value: &Dynamic) -> Option<Vec<(String, String)>> {
    let pairs = read::pairs(&values::expression(value, ValueType::Pairs)).ok()?;
    Some(pairs.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// Reads environment variables. A lone `"KEY"` takes this process's value, as `-e KEY` does.
pub(super) fn env(value: &Dynamic) -> Result<Vec<EnvEntry>> {
    let mut value = value.clone();
    complete_env(&mut value);
    read::env(&values::expression(&value, ValueType::Pairs))
}

/// Completes each lone `"KEY"` with the value in this process's environment.
pub(super) fn complete_env(env: &mut Dynamic) {
    // A copy, because the script may use the same array again.
    *env = env.flatten_clone();
    if env.is_string() {
        *env = Dynamic::from_array(vec![env.clone()]);
    }
    let Some(mut items) = env.write_lock::<Array>() else { return };
    for item in items.iter_mut() {
        let is_name = |text: &String| !text.is_empty() && !text.contains(['=', '\0']);
        let name = values::text(item).filter(is_name);
        let value = name.as_ref().and_then(|name| std::env::var(name).ok());
        if let (Some(name), Some(value)) = (name, value) {
            *item = format!("{name}={value}").into();
        }
    }
}

/// Reads a status or an array of them.
pub(super) fn statuses(value: &Dynamic) -> Result<Vec<Status>> {
    let read = |value: &Dynamic| {
        let text = text_of(value)?;
        Status::ALL.into_iter().find(|status| status.as_str() == text).ok_or_else(|| {
            Error::new(Kind::Invalid, format!("unknown status `{text}`"))
                .hint(format!("use {}", list_or(&Status::ALL.map(Status::as_str))))
        })
    };
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(read).collect(),
        None => Ok(vec![read(value)?]),
    }
}

/// Reads a string or an array of them.
pub(super) fn texts(value: &Dynamic) -> Option<Vec<String>> {
    match value.read_lock::<Array>() {
        Some(items) => items.iter().map(values::text).collect(),
        None => values::text(value).map(|text| vec![text]),
    }
}
