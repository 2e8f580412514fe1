//! Options that say what the monitor does while a container runs and when it ends: restarts, and the log's limits.

use super::convert::{pairs, text_of};
use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::container::supervision::{LogConfig, Supervision};

/// The options.
pub const KEYS: &[OptionSpec] = &[
    option_spec(
        "restart",
        ValueType::Text,
        "\"no\", \"always\", \"unless-stopped\" or \"on-failure:3\"",
    ),
    option_spec(
        "log_opts",
        ValueType::Pairs,
        "how much output is kept: \"max-size=16m\", \"max-file=3\"",
    ),
];

/// Reads them.
pub fn read(given: &ParsedOptions<'_>) -> Result<Supervision> {
    let restart = given.get_with("restart", |value| text_of(value)?.parse())?;
    let log = given.get_with("log_opts", |value| {
        let options = pairs(value).unwrap_or_default();
        LogConfig::from_options(options.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    })?;
    Ok(Supervision {
        restart: restart.unwrap_or_default(),
        log: log.unwrap_or_default(),
        health: super::health_check::read(given)?,
    })
}
