//! Options that say what the monitor does while a container runs and when it ends: restarts, and the log's limits.

use super::read::{pairs, text_of};
use super::{Key, Options, Takes, key};
use crate::model::Result;
use crate::model::container::supervision::{LogLimits, Upkeep};

/// The options.
pub const KEYS: &[Key] = &[
    key("restart", Takes::Text, "\"no\", \"always\", \"unless-stopped\" or \"on-failure:3\""),
    key("log_opts", Takes::Pairs, "how much output is kept: \"max-size=16m\", \"max-file=3\""),
];

/// Reads them.
pub fn read(given: &Options<'_>) -> Result<Upkeep> {
    let restart = given.try_get("restart", |value| text_of(value)?.parse())?;
    let log = given.try_get("log_opts", |value| {
        let options = pairs(value).unwrap_or_default();
        LogLimits::from_options(options.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    })?;
    Ok(Upkeep {
        restart: restart.unwrap_or_default(),
        log: log.unwrap_or_default(),
        health: super::health_check::read(given)?,
    })
}
