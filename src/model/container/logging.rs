//! Where a container's output is kept, and how much of it.

use std::str::FromStr;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::model::value::units::{exact_size, parse_bool, parse_bytes};
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// Where a container's output is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogDriver {
    /// In files, which `logs` reads.
    #[default]
    JsonFile,
    /// In files too; options that json-file alone has are refused.
    Local,
    /// In no file.
    None,
}

impl LogDriver {
    /// Returns Docker's name.
    pub fn as_str(self) -> &'static str {
        match self {
            LogDriver::JsonFile => "json-file",
            LogDriver::Local => "local",
            LogDriver::None => "none",
        }
    }
}

impl FromStr for LogDriver {
    type Err = Error;

    /// Reads Docker's name; an empty one is the default.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "" | "json-file" => Ok(LogDriver::JsonFile),
            "local" => Ok(LogDriver::Local),
            "none" => Ok(LogDriver::None),
            _ => {
                let message = format!("log driver `{}` is not supported", visible::short(text));
                Err(Error::new(Kind::Unsupported, message).hint(
                    "write --log-driver json-file, and read the lines with `lifebox logs -f`",
                ))
            }
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
    /// Sets one of the limits.
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
                // A record that is longer gets a file of its own.
                let size = parse_bytes(value)?;
                if size == 0 {
                    return Err(invalid("must be a positive number, or -1 for no limit"));
                }
                self.max_size = Some(size);
            }
            "max-file" => {
                let count = value.parse().ok().filter(|count| (1..=1000).contains(count));
                self.max_file = count.ok_or_else(|| invalid("must be from 1 to 1000"))?;
            }
            _ => return Err(invalid("unknown")),
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

/// Refuses an option of the log that Docker refuses, but for the limits.
///
/// # Errors
/// [`Kind::Invalid`] for an unknown option or a value that makes no sense.
pub fn check_option(key: &str, value: &str) -> Result<()> {
    let invalid = |message: String| Err(Error::new(Kind::Invalid, message));
    match key {
        "mode" if !matches!(value, "" | "blocking" | "non-blocking") => {
            invalid(format!("logger: logging mode not supported: {value}"))
        }
        "max-buffer-size" => parse_bytes(value).map(drop),
        "compress" if parse_bool(value).is_none() => {
            invalid(format!("invalid log option {key}={value}: must be true or false"))
        }
        "labels-regex" | "env-regex" if Regex::new(value).is_err() => {
            invalid(format!("invalid log option {key}={value}: not a pattern"))
        }
        "mode" | "compress" | "tag" | "labels" | "labels-regex" | "env" | "env-regex" => Ok(()),
        _ => {
            let message = format!("unknown log opt '{key}' for json-file log driver");
            Err(Error::new(Kind::Invalid, message)
                .hint("use max-size, max-file, labels, env or tag"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_drivers_of_docker_are_refused_with_what_to_use() {
        let error = "syslog".parse::<LogDriver>().unwrap_err();
        assert_eq!(error.message(), "log driver `syslog` is not supported");
        assert!(error.hint_text().unwrap().contains("--log-driver json-file"));
    }
}
