//! Writes the values of options as expressions.

use std::time::Duration;

use crate::model::container::options::{EnvEntry, StopTimeout};
use crate::model::value::expression::Expression;
use crate::model::value::shell;
use crate::model::value::units::{exact_size, format_duration};

/// Returns `true` for a flag that is set.
pub fn flag(set: bool) -> Option<Expression> {
    set.then_some(Expression::Flag(true))
}

/// Returns a string, if it is set.
pub fn text(text: Option<&String>) -> Option<Expression> {
    text.map(Expression::text)
}

/// Returns one string or a list of strings; `None` without items.
pub fn texts<T: ToString>(items: &[T]) -> Option<Expression> {
    let texts = items.iter().map(T::to_string);
    (!items.is_empty()).then(|| Expression::texts(texts))
}

/// Returns a command as one string if no word needs quotes, else as a list.
pub fn command(words: &[String]) -> Expression {
    match !words.is_empty() && words.iter().all(|word| shell::is_plain(word)) {
        true => Expression::Text(words.join(" ")),
        false => Expression::list(words),
    }
}

/// Returns the pairs as a map if it loses nothing: maps are sorted, with each key once.
pub fn pairs<'a>(entries: impl Iterator<Item = (&'a String, &'a String)>) -> Option<Expression> {
    let entries: Vec<(&String, &String)> = entries.collect();
    if entries.is_empty() {
        return None;
    }
    Some(match entries.is_sorted_by(|one, next| one.0 < next.0) {
        true => {
            let entry = |(key, value): &(&String, &String)| {
                ((*key).clone(), Expression::text(value.as_str()))
            };
            Expression::Map(entries.iter().map(entry).collect())
        }
        false => Expression::list(entries.iter().map(|(key, value)| format!("{key}={value}"))),
    })
}

/// Returns environment variables, if there are any.
pub fn env(entries: &[EnvEntry]) -> Option<Expression> {
    let set: Option<Vec<(&String, &String)>> = entries
        .iter()
        .map(|entry| match entry {
            EnvEntry::Set { key, value } => Some((key, value)),
            EnvEntry::Unset { .. } => None,
        })
        .collect();
    match set {
        Some(set) => pairs(set.into_iter()),
        None => Some(Expression::list(entries.iter().map(|entry| match entry {
            EnvEntry::Set { key, value } => format!("{key}={value}"),
            EnvEntry::Unset { key } => key.clone(),
        }))),
    }
}

/// Returns a stop timeout: whole seconds as a number.
pub fn stop_timeout(timeout: StopTimeout) -> Expression {
    match timeout {
        StopTimeout::NoLimit => Expression::Number(-1),
        StopTimeout::After(time) => match (time.subsec_nanos(), i64::try_from(time.as_secs())) {
            (0, Ok(seconds)) => Expression::Number(seconds),
            _ => Expression::text(format_duration(time)),
        },
    }
}

/// Returns a size: in a unit where it is exact, else in bytes.
pub fn size(bytes: i64) -> Expression {
    let text = exact_size(bytes);
    match text.parse::<i64>() {
        Ok(_) => Expression::Number(bytes),
        Err(_) => Expression::Text(text),
    }
}

/// Returns a time in nanoseconds; `None` for one that is not set.
pub fn nanoseconds(time: i64) -> Option<Expression> {
    let time = u64::try_from(time).ok().filter(|time| *time > 0)?;
    Some(Expression::text(format_duration(Duration::from_nanos(time))))
}
