//! What the monitor does while a container runs and when it exits: restarts, and the log's limits.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::value::health_check::HealthCheck;
use crate::model::value::units::{exact_size, parse_bytes};
use crate::model::{Error, Kind, Result};

/// What the monitor does while a container runs and when it exits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Supervision {
    /// The restart policy.
    pub restart: RestartPolicy,
    /// The limits of the log.
    pub log: LogConfig,
    /// The health check.
    pub health: HealthCheck,
}

/// Whether the monitor restarts a container that has exited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RestartPolicy {
    /// Never.
    #[default]
    No,
    /// After every exit, unless a user stopped the container.
    Always,
    /// As [`RestartPolicy::Always`]: lifebox starts nothing at boot, where Docker's two policies
    /// differ.
    UnlessStopped,
    /// When its exit code is not 0.
    OnFailure {
        /// The most restarts; 0 is without limit.
        max: u32,
    },
}

/// The first delay of a restart (moby `daemon/internal/restartmanager`).
const FIRST_RESTART_DELAY: Duration = Duration::from_millis(100);
/// The longest delay.
const MAX_RESTART_DELAY: Duration = Duration::from_secs(60);
/// A run of this length resets the delay.
const DELAY_RESET_AFTER: Duration = Duration::from_secs(10);

impl RestartPolicy {
    /// Returns Docker's name of the policy, without the count.
    pub fn name(self) -> &'static str {
        match self {
            RestartPolicy::No => "no",
            RestartPolicy::Always => "always",
            RestartPolicy::UnlessStopped => "unless-stopped",
            RestartPolicy::OnFailure { .. } => "on-failure",
        }
    }

    /// Returns the most restarts; 0 if unlimited.
    pub fn maximum(self) -> u32 {
        if let RestartPolicy::OnFailure { max } = self { max } else { 0 }
    }

    /// Returns whether to restart a container that exited with `code` and was restarted `count`
    /// times.
    pub fn restarts(self, code: i32, count: u32) -> bool {
        match self {
            RestartPolicy::No => false,
            RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
            RestartPolicy::OnFailure { max } => code != 0 && (max == 0 || count < max),
        }
    }
}

/// Returns the delay before the next restart, after a delay of `last` and a run of `ran`.
pub fn restart_delay(last: Duration, ran: Duration) -> Duration {
    if last.is_zero() || ran >= DELAY_RESET_AFTER {
        FIRST_RESTART_DELAY
    } else {
        (last * 2).min(MAX_RESTART_DELAY)
    }
}

impl FromStr for RestartPolicy {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = |message: String| {
            Error::new(Kind::Invalid, message)
                .hint("use one of no, always, unless-stopped, on-failure[:N]")
        };
        let (name, count) = match text.split_once(':') {
            Some((name, count)) => (name, Some(count)),
            None => (text, None),
        };
        let policy = match name {
            "" | "no" => RestartPolicy::No,
            "always" => RestartPolicy::Always,
            "unless-stopped" => RestartPolicy::UnlessStopped,
            "on-failure" => {
                let max = count.unwrap_or("0").parse().map_err(|_| {
                    let count = count.unwrap_or_default();
                    invalid(format!(
                        "invalid restart policy: `{count}` is not a number of restarts"
                    ))
                })?;
                return Ok(RestartPolicy::OnFailure { max });
            }
            _ => return Err(invalid(format!("invalid restart policy: unknown policy '{name}'"))),
        };
        if count.is_some() {
            let message = "invalid restart policy: maximum retry count can only be used with \
                           'on-failure'";
            return Err(invalid(message.to_owned()));
        }
        Ok(policy)
    }
}

impl fmt::Display for RestartPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestartPolicy::OnFailure { max } if *max > 0 => write!(f, "on-failure:{max}"),
            policy => f.write_str(policy.name()),
        }
    }
}

/// How much of a container's output is kept: a number of files of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogConfig {
    /// The bytes of one file; `None` is without limit.
    pub max_size: Option<u64>,
    /// The number of files.
    pub max_file: u32,
}

impl Default for LogConfig {
    /// Returns three files of 16 MiB, so that endless output does not fill the disk.
    fn default() -> Self {
        LogConfig { max_size: Some(16 << 20), max_file: 3 }
    }
}

impl LogConfig {
    /// Sets one of Docker's `--log-opt`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown option or a value that makes no sense.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let invalid = |what: &str| {
            Error::new(Kind::Invalid, format!("invalid log option {key}={value}: {what}"))
        };
        match key {
            "max-size" if value == "-1" => self.max_size = None,
            "max-size" => {
                // One record must fit.
                let size = parse_bytes(value)?;
                if size < 64 << 10 {
                    return Err(invalid("must be at least 64k, or -1 for no limit"));
                }
                self.max_size = Some(size);
            }
            "max-file" => {
                let count = value.parse().ok().filter(|count| (1..=1000).contains(count));
                self.max_file = count.ok_or_else(|| invalid("must be from 1 to 1000"))?;
            }
            _ => {
                return Err(Error::new(Kind::Invalid, format!("unknown log opt '{key}'"))
                    .hint("use max-size or max-file"));
            }
        }
        Ok(())
    }

    /// Returns the options that differ from the default, with their values.
    pub fn changed_options(self) -> impl Iterator<Item = (String, String)> {
        let usual = LogConfig::default();
        let size = self.max_size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX));
        let file =
            (self.max_file != usual.max_file).then(|| ("max-file", self.max_file.to_string()));
        let size = (self.max_size != usual.max_size).then(|| ("max-size", exact_size(size)));
        file.into_iter().chain(size).map(|(key, value)| (key.to_owned(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_and_written_as_dockers() {
        for text in ["no", "always", "unless-stopped", "on-failure", "on-failure:3"] {
            assert_eq!(text.parse::<RestartPolicy>().unwrap().to_string(), text);
        }
        for text in ["always:3", "sometimes", "on-failure:x", "on-failure:-1"] {
            assert!(text.parse::<RestartPolicy>().is_err(), "{text}");
        }
    }

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_a_long_run() {
        let mut pause = Duration::ZERO;
        let short = Duration::from_secs(1);
        let pauses: Vec<_> = (0..12)
            .map(|_| {
                pause = restart_delay(pause, short);
                pause.as_millis()
            })
            .collect();
        assert_eq!(pauses[..4], [100, 200, 400, 800]);
        assert_eq!(pauses[10..], [60_000, 60_000]);
        assert_eq!(restart_delay(pause, DELAY_RESET_AFTER), FIRST_RESTART_DELAY);
    }
}
