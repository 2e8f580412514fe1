//! The options of `retry`.

use std::time::Duration;

use rhai::{Dynamic, Map};

use super::convert::texts;
use super::parsed::ParsedOptions;
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// The options of `retry`.
pub const KEYS: &[OptionSpec] = &[
    option_spec("times", ValueType::UInt, "Maximum number of attempts; 3 by default"),
    option_spec("delay", ValueType::Duration, "Delay before the second attempt"),
    option_spec(
        "backoff",
        ValueType::Number,
        "Factor by which each further delay grows; 1 by default",
    ),
    option_spec("max_delay", ValueType::Duration, "Maximum delay between two attempts"),
    option_spec(
        "on",
        ValueType::StringList,
        "Retry only after errors of these kinds, such as \"timeout\"",
    ),
];

/// How often, after which delays and after which errors to retry.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// The maximum number of attempts; at least 1.
    pub times: u64,
    /// The delay before the second attempt.
    pub delay: Duration,
    /// The factor from one delay to the next.
    pub backoff: f64,
    /// The maximum delay.
    pub longest: Duration,
    /// The kinds of errors to retry after; empty for all.
    pub on: Vec<String>,
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            times: 3,
            delay: Duration::ZERO,
            backoff: 1.0,
            longest: Duration::from_secs(3600),
            on: Vec::new(),
        }
    }
}

/// Reads the options of `retry`.
pub fn retry(map: Map) -> Result<Retry> {
    let given = ParsedOptions::new("retry", KEYS, map)?;
    let standard = Retry::default();
    let retry = Retry {
        times: given.count("times")?.unwrap_or(standard.times),
        delay: given.get_with("delay", values::duration)?.unwrap_or(standard.delay),
        backoff: given.get("backoff", number)?.unwrap_or(standard.backoff),
        longest: given.get_with("max_delay", values::duration)?.unwrap_or(standard.longest),
        on: given.get("on", texts)?.unwrap_or_default(),
    };
    if retry.times == 0 {
        return Err(Error::new(Kind::Invalid, "retry(): `times` must be at least 1"));
    }
    if !(retry.backoff.is_finite() && retry.backoff >= 1.0) {
        return Err(Error::new(Kind::Invalid, "retry(): `backoff` must be at least 1"));
    }
    Ok(retry)
}

fn number(value: &Dynamic) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "no factor has over 53 bits")]
    let float = |whole| whole as f64;
    value.as_float().ok().or_else(|| value.as_int().ok().map(float))
}
