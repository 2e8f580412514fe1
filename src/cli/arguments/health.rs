//! Flags that say how a container is asked whether it is well.

use clap::Args;

use crate::model::value::health_check::{HealthCheck, nanoseconds};
use crate::model::value::units::parse_duration;
use crate::model::{Error, Kind, Result};

/// Flags that say how a container is asked whether it is well. Texts, so that a bad one is refused
/// in our words.
#[derive(Args, Debug)]
pub struct HealthArguments {
    /// Run this in the container to see whether it is well; a shell reads it
    #[arg(long, value_name = "COMMAND")]
    pub health_cmd: Option<String>,
    /// How long between two checks (30s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub health_interval: Option<String>,
    /// How long a check may take (30s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub health_timeout: Option<String>,
    /// How many failures in a row make it unhealthy (3)
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub health_retries: Option<String>,
    /// How long after the start failures do not count (0s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub health_start_period: Option<String>,
    /// How long between two checks in the start period (5s)
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub health_start_interval: Option<String>,
    /// Check nothing, whatever the image says
    #[arg(long)]
    pub no_healthcheck: bool,
}

impl HealthArguments {
    /// For the engine.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a bad value, or flags that contradict each other.
    pub fn options(&self) -> Result<HealthCheck> {
        let times = [
            ("--health-interval", &self.health_interval),
            ("--health-timeout", &self.health_timeout),
            ("--health-start-period", &self.health_start_period),
            ("--health-start-interval", &self.health_start_interval),
        ];
        let said = times.iter().any(|(_, value)| value.is_some());
        if self.no_healthcheck {
            if said || self.health_cmd.is_some() || self.health_retries.is_some() {
                let message = "--no-healthcheck conflicts with --health-* options";
                return Err(Error::new(Kind::Invalid, message));
            }
            return Ok(HealthCheck::none());
        }
        let [interval, timeout, start_period, start_interval] =
            times.map(|(flag, value)| value.as_deref().map_or(Ok(0), |text| time(flag, text)));
        if self.health_cmd.as_deref().is_some_and(|line| line.trim().is_empty()) {
            return Err(Error::new(Kind::Invalid, "--health-cmd is empty")
                .hint("--no-healthcheck checks nothing"));
        }
        let command = self.health_cmd.as_deref();
        Ok(HealthCheck {
            test: command.map(HealthCheck::shell).unwrap_or_default(),
            interval: interval?,
            timeout: timeout?,
            start_period: start_period?,
            start_interval: start_interval?,
            retries: self.health_retries.as_deref().map_or(Ok(0), retries)?,
        })
    }
}

fn time(flag: &str, text: &str) -> Result<i64> {
    if text.starts_with('-') {
        return Err(Error::new(Kind::Invalid, format!("{flag} cannot be negative")));
    }
    parse_duration(text).map(nanoseconds).map_err(|error| error.context(flag.to_owned()))
}

fn retries(text: &str) -> Result<i64> {
    let number = text.parse::<i64>().map_err(|_| {
        Error::new(Kind::Invalid, format!("--health-retries takes a whole number, not `{text}`"))
    })?;
    match number {
        ..0 => Err(Error::new(Kind::Invalid, "--health-retries cannot be negative")),
        number => Ok(number),
    }
}
