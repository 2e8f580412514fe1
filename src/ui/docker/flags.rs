//! Formats the options of a container as Docker's flags.

use crate::model::container::options::{CreateOptions, StopTimeout};
use crate::model::creation::options::{CreateOption, Flag, create_options};
use crate::model::value::expression::Expression;

/// Returns the flags, in the order of the table of options.
pub fn all(options: &CreateOptions) -> Vec<String> {
    let mut words = Vec::new();
    for row in create_options() {
        let Some(flag) = row.flag else { continue };
        match value(row, options) {
            Some(Expression::Flag(true)) => words.push(switch(flag)),
            Some(value) => texts(&value).iter().for_each(|text| push(&mut words, flag, text)),
            None => {}
        }
    }
    words
}

/// Returns the value of an option as Docker's flag takes it.
fn value(row: &CreateOption, options: &CreateOptions) -> Option<Expression> {
    match row.key {
        // Docker's default is a bridge network, which lifebox lacks.
        Some("network") => Some((row.get)(options).unwrap_or(Expression::text("none"))),
        // Docker's flag takes one word. The others go before the command.
        Some("entrypoint") => {
            let words = options.entrypoint.as_ref()?;
            Some(Expression::text(words.first().map_or("", String::as_str)))
        }
        Some("stop_timeout") => {
            options.stop_timeout.map(|timeout| Expression::Number(seconds(timeout)))
        }
        _ => (row.get)(options),
    }
}

/// Returns a flag without a value, by its letter if it has one.
fn switch(flag: Flag) -> String {
    flag.short.map_or_else(|| format!("--{}", flag.long), |letter| format!("-{letter}"))
}

/// Returns the values of a flag, each for a flag of its own.
fn texts(value: &Expression) -> Vec<String> {
    let entry = |key: &str, value: &Expression| format!("{key}={}", texts(value).concat());
    if let Some(entries) = value.entries() {
        return entries.into_iter().map(|(key, value)| entry(key, value)).collect();
    }
    match value {
        Expression::Text(text) | Expression::Decimal(text) => vec![text.clone()],
        Expression::Number(number) => vec![number.to_string()],
        Expression::List(items) => items.iter().flat_map(texts).collect(),
        Expression::Options(_)
        | Expression::Map(_)
        | Expression::Flag(_)
        | Expression::Call(..)
        | Expression::Field(..)
        | Expression::Each(..)
        | Expression::Other(_)
        | Expression::Printer(_) => Vec::new(),
    }
}

/// Adds a flag with a value. A value that is empty or looks like a flag is joined by `=`.
fn push(words: &mut Vec<String>, flag: Flag, value: &str) {
    let flag = format!("--{}", flag.long);
    if value.is_empty() || value.starts_with('-') {
        words.push(format!("{flag}={value}"));
    } else {
        words.extend([flag, value.to_owned()]);
    }
}

/// Rounds up to whole seconds, because Docker takes no fractions.
fn seconds(timeout: StopTimeout) -> i64 {
    match timeout {
        StopTimeout::NoLimit => -1,
        StopTimeout::After(time) => {
            let more = i64::from(time.subsec_nanos() > 0);
            i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_add(more)
        }
    }
}
