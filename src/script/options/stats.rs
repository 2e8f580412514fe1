//! The options of `stats`.

use std::time::Duration;

use rhai::Map;

use super::parsed::ParsedOptions;
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// The options of `stats`.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// Whether to take samples until the container exits.
    pub follow: bool,
    /// The time between two samples.
    pub interval: Duration,
    /// How long to follow.
    pub timeout: Option<Duration>,
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling { follow: false, interval: Duration::from_secs(1), timeout: None }
    }
}

/// The shortest time between two samples: each costs some reads of the kernel's files.
const SHORTEST: Duration = Duration::from_millis(10);

/// The options of `stats`.
pub(super) const KEYS: &[OptionSpec] = &[
    option_spec("follow", ValueType::Flag, "Follow until the container exits"),
    option_spec("interval", ValueType::Duration, "Time between two samples; 1 s by default"),
    option_spec("timeout", ValueType::Duration, "Stop following after this time"),
];

/// Reads the options of `stats`.
pub fn stats(map: Map) -> Result<Sampling> {
    let given = ParsedOptions::new("stats", KEYS, map)?;
    let usual = Sampling::default();
    let interval = given.get_with("interval", |value| match values::duration(value)? {
        time if time < SHORTEST => {
            let got = time.as_secs_f64() * 1000.0;
            Err(Error::new(Kind::Invalid, format!("expected at least 10 ms, got {got} ms")))
        }
        time => Ok(time),
    })?;
    let timeout = given.get_with("timeout", values::duration)?;
    let interval = interval.unwrap_or(usual.interval);
    Ok(Sampling { follow: given.flag("follow")?, interval, timeout })
}
