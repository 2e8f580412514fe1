//! Reads expressions as the values of options.

use std::time::Duration;

use crate::model::container::options::{EnvEntry, StopTimeout};
use crate::model::container::resources::parse_limit;
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType;
use crate::model::value::signal::{Signal, StopSignal};
use crate::model::value::units::{parse_duration, seconds_to_duration};
use crate::model::{Error, Kind, Result};

/// Keys with their values; `None` for a key alone.
pub type Pairs = Vec<(String, Option<String>)>;

fn mismatch<T>(value_type: ValueType, value: &Expression) -> Result<T> {
    Err(value_type.mismatch(&value.shown()))
}

/// Reads a string.
pub fn text(value: &Expression) -> Result<String> {
    text_of(ValueType::Text, value)
}

/// As [`text`], for a type that also has other forms.
pub fn text_of(value_type: ValueType, value: &Expression) -> Result<String> {
    match value {
        Expression::Text(text) => Ok(text.clone()),
        other => mismatch(value_type, other),
    }
}

/// Returns the text of a string, a number or a boolean.
pub fn scalar(value: &Expression) -> Option<String> {
    match value {
        Expression::Text(text) | Expression::Decimal(text) => Some(text.clone()),
        Expression::Number(number) => Some(number.to_string()),
        Expression::Flag(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Reads a string or a number as text.
pub fn text_or_number(value: &Expression) -> Result<String> {
    scalar(value).map_or_else(|| mismatch(ValueType::TextOrNumber, value), Ok)
}

/// Reads `true` or `false`.
pub fn flag(value: &Expression) -> Result<bool> {
    match value {
        Expression::Flag(flag) => Ok(*flag),
        other => mismatch(ValueType::Flag, other),
    }
}

/// Reads a whole number.
pub fn whole(value: &Expression) -> Result<i64> {
    match value {
        Expression::Number(number) => Ok(*number),
        other => mismatch(ValueType::Int, other),
    }
}

/// Reads a number of bytes, or a text such as `512m`.
pub fn size(value: &Expression) -> Result<i64> {
    match value {
        Expression::Number(bytes) => Ok(*bytes),
        Expression::Text(text) => parse_limit(text),
        other => mismatch(ValueType::Size, other),
    }
}

/// Reads a number of seconds, or a text such as `500ms`.
pub fn duration(value: &Expression) -> Result<Duration> {
    let seconds = match value {
        Expression::Text(text) if !text.starts_with('-') => return parse_duration(text),
        Expression::Text(_) => None,
        Expression::Number(number) => seconds_to_duration(*number as f64),
        Expression::Decimal(text) => text.parse().ok().and_then(seconds_to_duration),
        other => return mismatch(ValueType::Duration, other),
    };
    let negative = scalar(value).is_some_and(|text| text.starts_with('-'));
    seconds.ok_or_else(|| match negative {
        true => Error::new(Kind::Invalid, "cannot be negative"),
        false => ValueType::Duration.mismatch(&value.shown()),
    })
}

/// Reads a duration, or -1 for no limit.
pub fn stop_timeout(value: &Expression) -> Result<StopTimeout> {
    match value {
        // As Docker, which takes any negative number.
        Expression::Number(..0) => Ok(StopTimeout::NoLimit),
        Expression::Text(text) if text == "-1" => Ok(StopTimeout::NoLimit),
        Expression::Number(_) | Expression::Decimal(_) | Expression::Text(_) => {
            duration(value).map(StopTimeout::After)
        }
        other => mismatch(ValueType::StopTimeout, other),
    }
}

/// Reads a signal: a name or a number.
pub fn signal(value: &Expression) -> Result<Signal> {
    stop_signal(value).map(|signal| signal.signal())
}

/// Reads the signal that `stop` sends.
pub fn stop_signal(value: &Expression) -> Result<StopSignal> {
    scalar(value).map_or_else(|| mismatch(ValueType::Signal, value), |text| text.parse())
}

/// Reads a command: a list of words, or a string that is split into words.
pub fn command(value: &Expression) -> Result<Vec<String>> {
    let hint = "write [\"sh\", \"-c\", \"echo hi\"], or \"sleep 10\"; a string is split into \
                words, no shell runs it";
    match value {
        Expression::Text(text) => shlex::split(text).ok_or_else(|| {
            let message = format!("a quote is not closed in {}", value.shown());
            Error::new(Kind::Invalid, message).hint(hint)
        }),
        Expression::List(items) => items
            .iter()
            .map(|item| {
                let wrong = || ValueType::TextOrNumber.mismatch(&item.shown()).hint(hint);
                scalar(item).ok_or_else(wrong)
            })
            .collect(),
        other => Err(ValueType::Command.mismatch(&other.shown()).hint(hint)),
    }
}

/// Reads a string, or a list of strings.
pub fn texts(value: &Expression) -> Result<Vec<String>> {
    each(value, |item| text_of(ValueType::StringList, item))
}

/// As [`texts`]; a number stands for its digits.
pub fn texts_or_numbers(value: &Expression) -> Result<Vec<String>> {
    each(value, |item| match item {
        Expression::Number(number) => Ok(number.to_string()),
        item => text_of(ValueType::StringList, item),
    })
}

fn each(value: &Expression, read: impl Fn(&Expression) -> Result<String>) -> Result<Vec<String>> {
    match value {
        Expression::List(items) => items.iter().map(read).collect(),
        one => Ok(vec![read(one)?]),
    }
}

/// Reads a map, or one or several `KEY[=VALUE]`.
pub fn pairs(value: &Expression) -> Result<Pairs> {
    let split = |text: String| match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
        None => (text, None),
    };
    let of_map = |key: &str, item: &Expression| match scalar(item) {
        Some(text) => Ok((key.to_owned(), Some(text))),
        None => Err(ValueType::TextOrNumber.mismatch(&item.shown()).about(format!("`{key}`"))),
    };
    if let Some(entries) = value.entries() {
        return entries.into_iter().map(|(key, item)| of_map(key, item)).collect();
    }
    match value {
        Expression::List(items) => items
            .iter()
            .map(|item| match item {
                Expression::Text(text) => Ok(split(text.clone())),
                _ => mismatch(ValueType::Pairs, item),
            })
            .collect(),
        Expression::Text(text) => Ok(vec![split(text.clone())]),
        other => mismatch(ValueType::Pairs, other),
    }
}

/// Reads environment variables. A name without a value is unset.
///
/// # Errors
/// [`Kind::Invalid`] for a value of another type, or an empty name.
pub fn env(value: &Expression) -> Result<Vec<EnvEntry>> {
    let hint = "write #{ KEY: \"value\" }, or an array of \"KEY=VALUE\"";
    let entry = |(key, value): (String, Option<String>)| {
        if key.is_empty() {
            let text = format!("={}", value.unwrap_or_default());
            let message = format!("invalid environment variable: {text}");
            return Err(Error::new(Kind::Invalid, message));
        }
        Ok(match value {
            Some(value) => EnvEntry::Set { key, value },
            None => EnvEntry::Unset { key },
        })
    };
    let entries = pairs(value).and_then(|pairs| pairs.into_iter().map(entry).collect());
    entries.map_err(|error: Error| error.hint(hint))
}
