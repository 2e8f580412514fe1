//! Health checks: their configuration, and the health of a container.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::json::null_as_default;
use crate::model::{Error, Kind, Result};

/// Docker's times where neither image nor user says otherwise (moby, `daemon/health.go`).
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const START_INTERVAL: Duration = Duration::from_secs(5);
const RETRIES: i64 = 3;

/// How many results are kept.
pub const MAX_LOG_ENTRIES: usize = 5;
/// How much of an output is kept, in bytes.
pub const OUTPUT: usize = 4096;

/// A health check: Docker's `Config.Healthcheck`, in images as in `inspect`. Times are in
/// nanoseconds; 0 is unset. The data of an image is untrusted until [`HealthCheck::check`] accepts
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HealthCheck {
    /// `["CMD", program, argument...]`, `["CMD-SHELL", line]` or `["NONE"]`; empty is unset.
    #[serde(deserialize_with = "null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// The time from one result to the next run, and from the start to the first run.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// The timeout of a run.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// The time after the start in which failures do not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// As `interval`, during the start period.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// How many failures in a row make the container unhealthy.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: i64,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Converts a time to nanoseconds, the unit of times in images.
pub fn nanoseconds(time: Duration) -> i64 {
    i64::try_from(time.as_nanos()).unwrap_or(i64::MAX)
}

impl HealthCheck {
    /// Returns a check that disables the image's check.
    pub fn none() -> Self {
        HealthCheck { test: vec!["NONE".to_owned()], ..HealthCheck::default() }
    }

    /// Returns whether the check is disabled (`NONE`).
    pub fn is_none(&self) -> bool {
        self.test.first().is_some_and(|kind| kind == "NONE")
    }

    /// Returns a check that runs a line in the shell.
    pub fn shell(line: &str) -> Vec<String> {
        vec!["CMD-SHELL".to_owned(), line.to_owned()]
    }

    /// Returns this check, with unset fields taken from `image` (moby, `daemon/commit.go`).
    #[must_use]
    pub fn or(mut self, image: Option<&HealthCheck>) -> Self {
        let Some(image) = image else { return self };
        if self.test.is_empty() {
            self.test.clone_from(&image.test);
        }
        for (field, default) in [
            (&mut self.interval, image.interval),
            (&mut self.timeout, image.timeout),
            (&mut self.start_period, image.start_period),
            (&mut self.start_interval, image.start_interval),
            (&mut self.retries, image.retries),
        ] {
            if *field == 0 {
                *field = default;
            }
        }
        self
    }

    /// Refuses malformed commands, times below 1 ms and negative retries.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::new(Kind::Invalid, message));
        for (name, time) in [
            ("Interval", self.interval),
            ("Timeout", self.timeout),
            ("StartPeriod", self.start_period),
            ("StartInterval", self.start_interval),
        ] {
            if time != 0 && time < 1_000_000 {
                return wrong(format!("{name} in Healthcheck cannot be less than 1ms"));
            }
        }
        if self.retries < 0 {
            return wrong("Retries in Healthcheck cannot be negative".to_owned());
        }
        if self.test.iter().any(|word| word.contains('\0')) {
            return wrong("the health check has a NUL byte".to_owned());
        }
        let words: Vec<&str> = self.test.iter().map(String::as_str).collect();
        match words[..] {
            [] | ["NONE", ..] | ["CMD-SHELL", _, ..] => Ok(()),
            ["CMD", program, ..] if !program.is_empty() => Ok(()),
            ["CMD", ..] | ["CMD-SHELL"] => wrong("the health check has no command".to_owned()),
            [kind, ..] => {
                Err(Error::new(Kind::Invalid, format!("unknown type of health check `{kind}`"))
                    .hint("use CMD, CMD-SHELL or NONE"))
            }
        }
    }

    /// Returns the command; `None` without a check.
    pub fn command(&self) -> Option<Vec<String>> {
        let (kind, rest) = self.test.split_first()?;
        match kind.as_str() {
            "CMD" => Some(rest.to_vec()),
            "CMD-SHELL" => {
                let shell = ["/bin/sh".to_owned(), "-c".to_owned()];
                Some(shell.into_iter().chain(rest.first().cloned()).collect())
            }
            _ => None,
        }
    }

    /// Returns the timeout of a run.
    pub fn effective_timeout(&self) -> Duration {
        duration(self.timeout).unwrap_or(TIMEOUT)
    }

    /// Returns the delay before the next run, in a container that has this `status` and has run
    /// for the time `ran`.
    pub fn next_delay(&self, status: HealthStatus, ran: Duration) -> Duration {
        if status == HealthStatus::Starting && self.starts(ran) {
            let interval = duration(self.start_interval).unwrap_or(START_INTERVAL);
            // With the period the failures begin to count: a check is due then.
            let left = duration(self.start_period).map(|period| period.saturating_sub(ran));
            return interval.min(left.unwrap_or(interval));
        }
        duration(self.interval).unwrap_or(INTERVAL)
    }

    fn starts(&self, ran: Duration) -> bool {
        duration(self.start_period).is_some_and(|period| ran < period)
    }
}

fn duration(nanoseconds: i64) -> Option<Duration> {
    u64::try_from(nanoseconds).ok().filter(|time| *time > 0).map(Duration::from_nanos)
}

/// The health of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HealthStatus {
    /// No result yet.
    Starting,
    /// The last run succeeded.
    Healthy,
    /// Too many runs failed, or the check does not run any more.
    Unhealthy,
}

impl HealthStatus {
    /// Returns Docker's word.
    pub fn as_str(self) -> &'static str {
        match self {
            HealthStatus::Starting => "starting",
            HealthStatus::Healthy => "healthy",
            HealthStatus::Unhealthy => "unhealthy",
        }
    }
}

/// All words for the health of a container, as filters take them; the last one is "no check".
pub const FILTER_VALUES: [&str; 4] = ["starting", "healthy", "unhealthy", NO_HEALTHCHECK];
/// The health of a container without a check.
pub const NO_HEALTHCHECK: &str = "none";

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthcheckResult {
    /// The start of the run.
    pub start: Timestamp,
    /// The end of the run.
    pub end: Timestamp,
    /// The exit code; -1 for a run that timed out or did not start.
    pub exit_code: i32,
    /// The beginning of the output, at most [`OUTPUT`] bytes.
    pub output: String,
}

/// The health of a container: Docker's `State.Health`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Health {
    /// The status.
    pub status: HealthStatus,
    /// How many runs in a row failed.
    pub failing_streak: u32,
    /// The last [`MAX_LOG_ENTRIES`] results, oldest first.
    pub log: Vec<HealthcheckResult>,
}

impl Health {
    /// Returns the health of a container that was just started.
    pub fn starting() -> Self {
        Health { status: HealthStatus::Starting, failing_streak: 0, log: Vec::new() }
    }

    /// Records the result of a run that began when the container had run for `ran` (moby,
    /// `handleProbeResult`).
    pub fn record(&mut self, answer: HealthcheckResult, check: &HealthCheck, ran: Duration) {
        if answer.exit_code == 0 {
            self.failing_streak = 0;
            self.status = HealthStatus::Healthy;
        } else if !(self.status == HealthStatus::Starting && check.starts(ran)) {
            self.failing_streak = self.failing_streak.saturating_add(1);
            let retries = if check.retries > 0 { check.retries } else { RETRIES };
            if i64::from(self.failing_streak) >= retries {
                self.status = HealthStatus::Unhealthy;
            }
        }
        self.log.push(answer);
        let extra = self.log.len().saturating_sub(MAX_LOG_ENTRIES);
        self.log.drain(..extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(exit_code: i32) -> HealthcheckResult {
        let (start, end) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        HealthcheckResult { start, end, exit_code, output: String::new() }
    }

    #[test]
    fn failures_count_after_the_start_period_or_the_first_success() {
        let second = 1_000_000_000;
        let check = HealthCheck { start_period: 10 * second, retries: 2, ..HealthCheck::default() };
        let mut health = Health::starting();
        let (early, late) = (Duration::from_secs(9), Duration::from_secs(11));
        for _ in 0..7 {
            health.record(answer(1), &check, early);
        }
        assert_eq!((health.status, health.failing_streak), (HealthStatus::Starting, 0));
        assert_eq!(health.log.len(), MAX_LOG_ENTRIES);
        health.record(answer(0), &check, early);
        assert_eq!(health.status, HealthStatus::Healthy);
        health.record(answer(1), &check, early);
        assert_eq!((health.status, health.failing_streak), (HealthStatus::Healthy, 1));
        health.record(answer(-1), &check, early);
        assert_eq!((health.status, health.failing_streak), (HealthStatus::Unhealthy, 2));
        health.record(answer(0), &check, late);
        assert_eq!((health.status, health.failing_streak), (HealthStatus::Healthy, 0));
        let pauses = [
            (HealthStatus::Starting, Duration::from_secs(1)),
            (HealthStatus::Starting, early),
            (HealthStatus::Healthy, early),
        ];
        let pauses = pauses.map(|(status, ran)| check.next_delay(status, ran).as_secs());
        assert_eq!(pauses, [5, 1, 30]);
    }

    #[test]
    fn what_is_not_said_is_as_the_image_has_it() {
        let image =
            HealthCheck { test: HealthCheck::shell("a"), interval: 7, ..HealthCheck::none() };
        let user = HealthCheck { interval: 9, retries: 4, ..HealthCheck::default() };
        let merged = user.clone().or(Some(&image));
        assert_eq!((merged.test, merged.interval, merged.retries), (image.test.clone(), 9, 4));
        assert_eq!(user.clone().or(None), user);
        assert_eq!(HealthCheck::none().or(Some(&image)).command(), None);
        assert_eq!(image.command().unwrap(), ["/bin/sh", "-c", "a"]);
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let words = |words: &[&str]| HealthCheck {
            test: words.iter().map(|word| (*word).to_owned()).collect(),
            ..HealthCheck::default()
        };
        for good in [words(&[]), words(&["NONE"]), words(&["CMD", "a"]), words(&["CMD-SHELL", "a"])]
        {
            assert!(good.check().is_ok(), "{good:?}");
        }
        for bad in [
            words(&["CMD"]),
            words(&["CMD", ""]),
            words(&["CMD-SHELL"]),
            words(&["SHELL", "a"]),
            words(&["CMD", "a\0"]),
            HealthCheck { interval: 999_999, ..HealthCheck::default() },
            HealthCheck { timeout: -1, ..HealthCheck::default() },
            HealthCheck { retries: -1, ..HealthCheck::default() },
        ] {
            assert_eq!(bad.check().unwrap_err().kind(), Kind::Invalid, "{bad:?}");
        }
    }
}
