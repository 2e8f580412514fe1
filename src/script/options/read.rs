//! Reads the option maps of functions as the engine's types.

use super::convert::{env, pairs, statuses, stop_timeout, text_of};
use super::parsed::ParsedOptions;
use super::table::keys;
use crate::model::Result;
use crate::model::container::exec::ExecOptions;
use crate::model::container::options::{RemoveOptions, StopOptions};
use crate::model::container::status::Status;
use crate::model::image::{PullPolicy, SaveOptions};
use crate::model::observe::log::{LogOptions, Stream};
use crate::model::observe::progress::{Access, PullOptions};
use crate::model::value::health_check::FILTER_VALUES;
use crate::model::value::platform::Platform;
use crate::script::values;
use crate::script::values::handle::Image;
use jiff::Timestamp;
use rhai::{Dynamic, Map};
use std::collections::BTreeMap;
use std::time::Duration;

/// Reads the options of `exec`.
pub fn exec(map: Map) -> Result<ExecOptions> {
    let given = ParsedOptions::new("exec", keys("exec"), map)?;
    Ok(ExecOptions {
        env: given.get_with("env", env)?.unwrap_or_default(),
        user: given.get("user", values::scalar)?,
        workdir: given.get("workdir", values::text)?,
        privileged: given.flag("privileged")?,
        stdin: given.get("stdin", values::text)?.map(String::into_bytes),
        timeout: given.get_with("timeout", values::duration)?,
        ..ExecOptions::default()
    })
}

/// Reads the options of `load`: the platform to load.
pub fn load(map: Map) -> Result<Option<Platform>> {
    ParsedOptions::new("load", keys("load"), map)?
        .get_with("platform", |value| text_of(value)?.parse())
}

/// Reads the options of `save`.
pub fn save(map: Map) -> Result<SaveOptions> {
    let given = ParsedOptions::new("save", keys("save"), map)?;
    Ok(SaveOptions {
        format: given.get_with("format", |value| text_of(value)?.parse())?.unwrap_or_default(),
        compress: given.get_with("compress", |value| text_of(value)?.parse())?,
    })
}

/// Reads the options of `start`: whether to attach the output, and the input.
pub fn start(map: Map) -> Result<(bool, bool)> {
    let given = ParsedOptions::new("start", keys("start"), map)?;
    let interactive = given.flag("interactive")?;
    Ok((given.flag("attach")? || interactive, interactive))
}

/// Reads the options of `stop` and `restart`, or a stop timeout alone.
pub fn stop(function: &str, value: Dynamic) -> Result<StopOptions> {
    let value = value.flatten();
    if !value.is_map() {
        return Ok(StopOptions { signal: None, timeout: Some(stop_timeout(&value)?) });
    }
    let given = ParsedOptions::new(function, keys(function), value.cast::<Map>())?;
    Ok(StopOptions {
        signal: given.get_with("signal", values::signal)?,
        timeout: given.get_with("time", stop_timeout)?,
    })
}

/// Reads the options of `rm`.
pub fn remove(map: Map) -> Result<RemoveOptions> {
    let given = ParsedOptions::new("rm", keys("rm"), map)?;
    Ok(RemoveOptions { force: given.flag("force")?, volumes: given.flag("volumes")? })
}

/// Reads the option of `rmi` and `remove_volume`.
pub fn force(function: &str, map: Map) -> Result<bool> {
    ParsedOptions::new(function, keys(function), map)?.flag("force")
}

/// Reads the option of `image`.
pub fn pull(map: Map) -> Result<PullPolicy> {
    let policy =
        ParsedOptions::new("image", keys("image"), map)?.get(
            "pull",
            |value| match values::text(value)?.as_str() {
                "missing" => Some(PullPolicy::Missing),
                "always" => Some(PullPolicy::Always),
                "never" => Some(PullPolicy::Never),
                _ => None,
            },
        )?;
    Ok(policy.unwrap_or_default())
}

/// Reads the options of `pull` and `push`.
pub fn fetch(function: &str, map: Map) -> Result<PullOptions> {
    let given = ParsedOptions::new(function, keys(function), map)?;
    let platform = given.get_with("platform", |value| text_of(value)?.parse())?;
    let verify = given.get("tls_verify", |value| value.as_bool().ok())?;
    Ok(PullOptions { platform, access: Access { insecure: verify == Some(false) } })
}

/// The options of `logs`: which lines, in which format, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Follow {
    /// The options for the engine.
    pub options: LogOptions,
    /// Whether the text shows timestamps.
    pub timestamps: bool,
    /// How long to follow.
    pub timeout: Option<Duration>,
}

/// Reads the options of `logs`.
pub fn logs(map: Map) -> Result<Follow> {
    let given = ParsedOptions::new("logs", keys("logs"), map)?;
    let now = Timestamp::now();
    let stream = given.get("stream", |value| Stream::from_word(&values::text(value)?))?;
    let across_restarts = given.flag("across_restarts")?;
    let options = LogOptions {
        follow: given.flag("follow")? || across_restarts,
        across_restarts,
        tail: given.count("tail")?,
        since: given.get_with("since", |value| values::moment(value, now))?,
        until: given.end_time()?,
        stream,
    };
    let timeout = given.get_with("timeout", values::duration)?;
    Ok(Follow { options, timestamps: given.flag("timestamps")?, timeout })
}

/// The filter of `ps`: a container must match each field that is set.
#[derive(Debug, Default)]
pub struct Filter {
    /// Whether to list stopped containers too.
    pub all: bool,
    /// A text that the name contains.
    pub name: Option<String>,
    /// A text that the id begins with.
    pub id: Option<String>,
    /// Labels; an empty value matches any.
    pub labels: BTreeMap<String, String>,
    /// The statuses to list; empty for all.
    pub status: Vec<Status>,
    /// The reference or id of the container's image.
    pub ancestor: Option<String>,
    /// The exit code.
    pub exited: Option<i64>,
    /// The number of last created containers to list.
    pub last: Option<u64>,
    /// The health.
    pub health: Option<String>,
}

/// Reads the options of `ps`.
pub fn filter(map: Map) -> Result<Filter> {
    let given = ParsedOptions::new("ps", keys("ps"), map)?;
    let status = given.get_with("status", statuses)?.unwrap_or_default();
    let exited = given.get("exited", |value| value.as_int().ok())?;
    let last = given.count("last")?;
    let ancestor = given.get("ancestor", |value| {
        let handle = value.read_lock::<Image>();
        handle.map(|image| image.metadata().id.to_string()).or_else(|| values::text(value))
    })?;
    Ok(Filter {
        all: given.flag("all")? || !status.is_empty() || exited.is_some() || last.is_some(),
        name: given.get("name", values::text)?,
        id: given.get("id", values::text)?,
        labels: given.get("label", pairs)?.unwrap_or_default().into_iter().collect(),
        status,
        ancestor,
        exited,
        last,
        health: given.get("health", health)?,
    })
}

fn health(value: &Dynamic) -> Option<String> {
    values::text(value).filter(|word| FILTER_VALUES.contains(&word.as_str()))
}
