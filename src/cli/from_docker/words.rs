//! Converts values of flags into options of calls.

use super::unsupported::refused;
use crate::cli::terminal::time_arg::time_arg;
use crate::cli::verb::filters::pair;
use crate::model::creation::options::write::pairs;
use crate::model::value::expression::Expression;
use crate::model::{Error, Kind, Result};

/// Options with their values.
pub(super) type Options = Vec<(&'static str, Expression)>;

/// Returns one call for each name.
pub(super) fn each(function: &'static str, names: &[String], options: &Options) -> Vec<Expression> {
    let call = |name: &String| {
        Expression::call(function, vec![Expression::text(name.as_str())], options.clone())
    };
    names.iter().map(call).collect()
}

/// Keeps the options that are set.
pub(super) fn parsed<const N: usize>(options: [(&'static str, Option<Expression>); N]) -> Options {
    options.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

pub(super) fn flag(set: bool) -> Option<Expression> {
    set.then_some(Expression::Flag(true))
}

pub(super) fn text(text: Option<&String>) -> Option<Expression> {
    text.map(|text| Expression::text(text.as_str()))
}

pub(super) fn texts(texts: &[String]) -> Option<Expression> {
    (!texts.is_empty()).then(|| Expression::texts(texts))
}

/// Converts a time. The language has no seconds since 1970, so these become a timestamp.
pub(super) fn time(text: Option<&String>) -> Result<Option<Expression>> {
    let Some(text) = text else { return Ok(None) };
    let read = time_arg(text, jiff::Timestamp::now(), jiff::tz::TimeZone::system)?;
    let seconds = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    Ok(Some(Expression::text(if seconds { read.to_string() } else { text.clone() })))
}

/// Groups `KEY=VALUE` filters by key.
pub(super) fn filters(
    texts: &[String],
    known: &[&'static str],
    verb: &str,
) -> Result<Vec<(String, Vec<String>)>> {
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for text in texts {
        let (key, value) = pair(text)?;
        if !known.contains(&key.as_str()) {
            return Err(refused(verb, &format!("--filter {key}"))
                .hint(format!("use one of {}", known.join(", "))));
        }
        match all.iter_mut().find(|(name, _)| *name == key) {
            Some((_, values)) => values.push(value),
            None => all.push((key, vec![value])),
        }
    }
    Ok(all)
}

/// Returns the value of a filter that the language takes only once.
pub(super) fn one(verb: &str, key: &str, values: &[String]) -> Result<Expression> {
    match values {
        [value] => Ok(Expression::text(value.as_str())),
        _ => Err(refused(verb, &format!("--filter {key}")).hint("use the filter once")),
    }
}

/// Reads the `true` or `false` of a filter.
pub(super) fn truth(key: &str, value: &Expression) -> Result<Expression> {
    match value {
        Expression::Text(text) if text == "true" || text == "1" => Ok(Expression::Flag(true)),
        Expression::Text(text) if text == "false" || text == "0" => Ok(Expression::Flag(false)),
        _ => Err(Error::new(Kind::Invalid, format!("filter `{key}` must be true or false"))),
    }
}

/// Converts `KEY=VALUE` entries into a map; `KEY` alone has an empty value.
pub(super) fn keyed(entries: &[String]) -> Option<Expression> {
    let split = |entry: &String| {
        let (key, value) = entry.split_once('=').unwrap_or((entry, ""));
        (key.to_owned(), value.to_owned())
    };
    let entries: Vec<(String, String)> = entries.iter().map(split).collect();
    pairs(entries.iter().map(|(key, value)| (key, value)))
}
