//! The option that says how a container is asked whether it is well.

use rhai::{Dynamic, Map};

use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::value::health_check::{HealthCheck, nanoseconds};
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// The option.
pub const KEYS: &[OptionSpec] = &[option_spec(
    "health",
    ValueType::Health,
    "a check, such as \"test -e /ready\", or #{ cmd, interval, timeout, retries, start_period, \
     start_interval }; false or \"none\" checks nothing",
)];

/// The keys of the option's map.
pub const PARTS: &[OptionSpec] = &[
    option_spec("cmd", ValueType::Command, "what is run; a shell reads a string"),
    option_spec("interval", ValueType::Duration, "how long between two checks"),
    option_spec("timeout", ValueType::Duration, "how long a check may take"),
    option_spec("retries", ValueType::UInt, "how many failures in a row make it unhealthy"),
    option_spec(
        "start_period",
        ValueType::Duration,
        "how long after the start failures do not count",
    ),
    option_spec(
        "start_interval",
        ValueType::Duration,
        "how long between two checks in the start period",
    ),
];

/// Reads it.
pub fn read(given: &ParsedOptions<'_>) -> Result<HealthCheck> {
    Ok(given.get_with("health", check)?.unwrap_or_default())
}

fn check(value: &Dynamic) -> Result<HealthCheck> {
    if let Some(map) = value.read_lock::<Map>() {
        return parts(map.clone());
    }
    match value.as_bool() {
        Ok(false) => return Ok(HealthCheck::none()),
        Ok(true) => {
            return Err(Error::new(Kind::Invalid, "a check is wanted, or false for none"));
        }
        Err(_) => {}
    }
    // As a check it would make no sense: there is no such program.
    if values::text(value).is_some_and(|word| word == "none") {
        return Ok(HealthCheck::none());
    }
    Ok(HealthCheck { test: test(value)?, ..HealthCheck::default() })
}

fn parts(map: Map) -> Result<HealthCheck> {
    let given = ParsedOptions::new("health", PARTS, map)?;
    let time = |name: &str| -> Result<i64> {
        Ok(given.get_with(name, values::duration)?.map(nanoseconds).unwrap_or_default())
    };
    Ok(HealthCheck {
        test: given.get_with("cmd", test)?.unwrap_or_default(),
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start_period")?,
        start_interval: time("start_interval")?,
        retries: given.count("retries")?.and_then(|n| i64::try_from(n).ok()).unwrap_or_default(),
    })
}

/// A string is for a shell, an array is not, as in a Dockerfile.
fn test(value: &Dynamic) -> Result<Vec<String>> {
    match values::text(value) {
        Some(line) if line.trim().is_empty() => {
            Err(Error::new(Kind::Invalid, "the command is empty"))
        }
        Some(line) => Ok(HealthCheck::shell(&line)),
        None => {
            let words = values::command("a command", value)?;
            Ok(std::iter::once("CMD".to_owned()).chain(words).collect())
        }
    }
}
