//! What the monitor does while a container runs and when it exits: restarts, and the log's limits.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::logging::{self, LogConfig, LogDriver};
use crate::model::value::health_check::HealthCheck;
use crate::model::value::units::parse_bool;
use crate::model::{Error, Kind, Result};

/// What the monitor does while a container runs and when it exits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Supervision {
    /// The restart policy.
    pub restart: RestartPolicy,
    /// Where the output is kept.
    pub log_driver: LogDriver,
    /// The limits of the log.
    pub log: LogConfig,
    /// The options of the log, as given.
    pub log_options: BTreeMap<String, String>,
    /// The health check.
    pub health: HealthCheck,
}

impl Supervision {
    /// Sets one of Docker's `--log-opt`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown option or a value that makes no sense.
    pub fn set_log_option(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "max-size" | "max-file" => self.log.set(key, value)?,
            _ => logging::check_option(key, value)?,
        }
        self.log_options.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    /// Refuses options of the log that contradict each other, in Docker's words.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub fn check_log(&self) -> Result<()> {
        let option = |key: &str| self.log_options.get(key).map(String::as_str);
        let invalid = |message: &str| Err(Error::new(Kind::Invalid, message));
        let is_usual = self.log == LogConfig::default() && self.log_options.is_empty();
        if self.log_driver == LogDriver::None && !is_usual {
            return invalid("invalid logging opts for driver none");
        }
        let of_files = ["labels", "labels-regex", "env", "env-regex", "tag"];
        let own = of_files.into_iter().find(|key| option(key).is_some());
        if let Some(key) = own.filter(|_| self.log_driver == LogDriver::Local) {
            return invalid(&format!("unknown log opt '{key}' for log driver local"));
        }
        if option("max-buffer-size").is_some() && option("mode") != Some("non-blocking") {
            return invalid(
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
            );
        }
        let compressed = option("compress").and_then(parse_bool) == Some(true);
        if compressed && (self.log.max_file < 2 || self.log.max_size.is_none()) {
            return invalid(
                "compress cannot be true when max-file is less than 2 or max-size is not set",
            );
        }
        Ok(())
    }
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
                // As of `on-failure:$N` without that variable.
                let count = count.filter(|count| !count.is_empty());
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

    #[test]
    fn options_of_the_log_are_checked_as_docker_checks_them() {
        let set = |driver, options: &[(&str, &str)]| {
            let mut all = Supervision { log_driver: driver, ..Supervision::default() };
            let set = options.iter().try_for_each(|(key, value)| all.set_log_option(key, value));
            set.and_then(|()| all.check_log()).map_err(|error| error.message().to_owned())
        };
        let none = LogDriver::None;
        let file = LogDriver::JsonFile;
        assert_eq!(set(none, &[]), Ok(()));
        assert_eq!(set(file, &[("mode", "non-blocking"), ("max-buffer-size", "4m")]), Ok(()));
        assert_eq!(set(file, &[("compress", "true"), ("tag", "x"), ("labels", "a,b")]), Ok(()));
        for (driver, options, expected) in [
            (none, vec![("max-size", "10m")], "invalid logging opts for driver none"),
            (none, vec![("tag", "x")], "invalid logging opts for driver none"),
            (LogDriver::Local, vec![("tag", "x")], "unknown log opt 'tag' for log driver local"),
            (file, vec![("foo", "bar")], "unknown log opt 'foo' for json-file log driver"),
            (file, vec![("mode", "blub")], "logger: logging mode not supported: blub"),
            (
                file,
                vec![("max-buffer-size", "4m")],
                "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
            ),
            (
                file,
                vec![("compress", "true"), ("max-file", "1")],
                "compress cannot be true when max-file is less than 2 or max-size is not set",
            ),
        ] {
            assert_eq!(set(driver, &options), Err(expected.to_owned()), "{options:?}");
        }
    }
}
