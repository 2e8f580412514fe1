//! Converts one value.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rhai::{Array, Dynamic, INT, ImmutableString, Map};

use crate::model::creation::options::{HEALTH, read};
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::script::values::exec_result::ExecResult;
use crate::script::values::handle::{Container, Image};

/// Returns the type of a value with its article, for messages.
pub fn type_of(value: &Dynamic) -> &'static str {
    match value {
        v if v.is_unit() => "nothing",
        v if v.is_int() => "a number",
        v if v.is_float() => "a number with a fraction",
        v if v.is_bool() => "a boolean",
        v if v.is_string() => "a string",
        v if v.is_array() => "an array",
        v if v.is_map() => "a map",
        v if v.is_fnptr() => "a function",
        v if v.is_char() => "a character",
        v if v.is::<Container>() => "a Container",
        v if v.is::<Image>() => "an Image",
        v if v.is::<ExecResult>() => "an ExecResult",
        _ => "a value of an unknown type",
    }
}

/// Returns the text of a string; `None` for other types.
pub fn text(value: &Dynamic) -> Option<String> {
    value.read_lock::<ImmutableString>().map(|text| text.to_string())
}

/// Returns the text of a string, a number or a boolean: what an environment variable can hold.
pub fn scalar(value: &Dynamic) -> Option<String> {
    plain(value).as_ref().and_then(read::scalar)
}

/// Converts a string, a number or a boolean into an expression.
fn plain(value: &Dynamic) -> Option<Expression> {
    match value {
        v if v.is_string() => text(v).map(Expression::Text),
        v if v.is_bool() => v.as_bool().ok().map(Expression::Flag),
        v if v.is_int() => v.as_int().ok().map(Expression::Number),
        v if v.is_float() => Some(Expression::Decimal(v.to_string())),
        _ => None,
    }
}

/// Converts a value into an expression, for an option of this type.
pub fn expression(value: &Dynamic, value_type: ValueType) -> Expression {
    if let Some(container) = value.read_lock::<Container>()
        && value_type == ValueType::NamespaceMode
    {
        return Expression::Text(format!("container:{}", container.id()));
    }
    if let Some(items) = value.read_lock::<Array>() {
        return Expression::List(items.iter().map(|item| expression(item, value_type)).collect());
    }
    if let Some(map) = value.read_lock::<Map>() {
        // In the map of a health check, `()` counts as an option that is not given.
        let is_part = |key: &str| HEALTH.iter().any(|part| part.name == key);
        let is_unset = |key: &str, value: &Dynamic| {
            value_type == ValueType::Health && value.is_unit() && is_part(key)
        };
        let entries = map.iter().filter(|(key, value)| !is_unset(key, value));
        let entry =
            |(key, value): (_, &Dynamic)| (String::from(key), expression(value, value_type));
        return Expression::Map(entries.map(|(key, value)| entry((key.as_str(), value))).collect());
    }
    plain(value).unwrap_or(Expression::Other(type_of(value)))
}

/// Formats a value for a message: a scalar as it is written, any other value by its type.
pub fn quoted(value: &Dynamic) -> String {
    scalar(value).unwrap_or_else(|| type_of(value).to_owned())
}

/// Reads a duration: a number of seconds, or a text such as `"500ms"`, `"10s"`, `"2m"`.
///
/// # Errors
/// [`Kind::Invalid`], with the accepted forms.
pub fn duration(value: &Dynamic) -> Result<Duration> {
    read::duration(&expression(value, ValueType::Duration))
}

/// Reads a signal: a name or a number.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn signal(value: &Dynamic) -> Result<Signal> {
    read::signal(&expression(value, ValueType::Signal))
}

/// Reads the words of a command: an array, or a string that is split as a shell splits it.
///
/// # Errors
/// [`Kind::Invalid`] for other types and for open quotes.
pub fn command(value: &Dynamic) -> Result<Vec<String>> {
    read::command(&expression(value, ValueType::Command))
}

/// Names the parameter whose value was read, if reading failed.
///
/// # Errors
/// The error of `read`.
pub fn parameter<T>(name: &str, read: Result<T>) -> Result<T> {
    read.map_err(|error| error.about(format_args!("`{name}`")))
}

/// Parses a moment: a duration back from `now`, or a date as text.
///
/// # Errors
/// [`Kind::Invalid`], with the accepted forms.
pub fn moment(value: &Dynamic, now: Timestamp) -> Result<Timestamp> {
    let invalid = || {
        Error::new(Kind::Invalid, format!("invalid time `{}`", quoted(value))).hint(
            "write how long ago, such as \"10m\" or a number of seconds, or a date such as \
             \"2026-03-01T12:00:00Z\" or \"2026-03-01\"",
        )
    };
    if let Some(text) = text(value) {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(time);
        }
        if let Ok(local) = text.parse::<jiff::civil::DateTime>() {
            return TimeZone::system().to_timestamp(local).map_err(|_| invalid());
        }
    }
    let ago = duration(value).map_err(|_| invalid())?;
    now.checked_sub(ago).map_err(|_| invalid())
}

/// Converts a time for scripts: RFC 3339 text, or `()`.
pub fn time(time: Option<Timestamp>) -> Dynamic {
    time.map_or(Dynamic::UNIT, |time| time.to_string().into())
}

/// Converts an integer for scripts.
pub fn int(number: u64) -> INT {
    INT::try_from(number).unwrap_or(INT::MAX)
}

/// Converts strings to an array.
pub fn strings<T: ToString>(items: impl IntoIterator<Item = T>) -> rhai::Array {
    items.into_iter().map(|item| Dynamic::from(item.to_string())).collect()
}

/// Converts a serialisable value to maps, arrays, numbers and text.
///
/// # Errors
/// [`Kind::Bug`]: every document of the engine fits into a script value.
pub fn from_json(value: impl serde::Serialize) -> Result<Dynamic> {
    rhai::serde::to_dynamic(value).map_err(|error| {
        Error::new(Kind::Bug, format!("cannot convert a document into a script value: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_durations_back_from_now() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let check = |value: Dynamic, time: &str| {
            assert_eq!(moment(&value, now).unwrap().to_string(), time);
        };
        check("10m".into(), "2026-03-01T11:50:00Z");
        check(Dynamic::from_int(60), "2026-03-01T11:59:00Z");
        check("2026-02-01T00:00:00Z".into(), "2026-02-01T00:00:00Z");
        assert_eq!(moment(&"soon".into(), now).unwrap_err().kind(), Kind::Invalid);
    }

    #[test]
    fn a_command_is_an_array_or_words() {
        let check = |value: Dynamic, words: &[&str]| {
            assert_eq!(command(&value).unwrap(), words);
        };
        check("sh -c 'echo hi'".into(), &["sh", "-c", "echo hi"]);
        check(vec![Dynamic::from("sleep"), Dynamic::from_int(10)].into(), &["sleep", "10"]);
        assert!(command(&"'open".into()).is_err());
        assert!(command(&Dynamic::from_int(1)).is_err());
    }
}
