//! Flags that say what the monitor does while a container runs and when it ends: restarts, and the
//! log's limits.

use clap::Args;

use super::health::HealthArguments;
use crate::model::container::supervision::{LogConfig, Supervision};
use crate::model::{Error, Kind, Result};

/// Flags that say what the monitor does while a container runs and when it ends: restarts, and the log's limits.
#[derive(Args, Debug)]
pub struct SupervisionArguments {
    /// Start it again when it ends: no, always, unless-stopped, on-failure[:N]; after a restart of
    /// the host nothing starts by itself
    #[arg(long, value_name = "POLICY")]
    pub restart: Option<String>,
    /// How much output is kept: max-size=16m, max-file=3
    #[arg(long, value_name = "KEY=VALUE")]
    pub log_opt: Vec<String>,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub health: HealthArguments,
}

impl SupervisionArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Supervision> {
        let pair = |text: &'_ String| match text.split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(Error::new(Kind::Invalid, format!("log option `{text}` has no `=`"))),
        };
        let options: Vec<_> = self.log_opt.iter().map(pair).collect::<Result<_>>()?;
        Ok(Supervision {
            restart: self.restart.as_deref().unwrap_or_default().parse()?,
            log: LogConfig::from_options(
                options.iter().map(|(key, value)| (key.as_str(), value.as_str())),
            )?,
            health: self.health.options()?,
        })
    }
}
