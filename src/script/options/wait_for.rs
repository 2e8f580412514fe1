//! What `wait_for` waits for, as a script writes it.

use std::time::Duration;

use regex::Regex;
use rhai::{Array, Dynamic, Map};

use super::convert::text_of;
use super::parsed::ParsedOptions;
use crate::model::container::status::Status;
use crate::model::observe::log::Stream;
use crate::model::observe::readiness::{HttpGet, Probe};
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// The timeout of one HTTP request: a server that hangs while it starts gets another request.
const ANSWER: Duration = Duration::from_secs(5);

/// The keys of a condition.
pub const KEYS: &[OptionSpec] = &[
    option_spec(
        "status",
        ValueType::State,
        "The status is this, or \"healthy\", \"unhealthy\", \"removed\"; with http, a status code",
    ),
    option_spec("log", ValueType::Text, "A log line matches this regular expression"),
    option_spec("count", ValueType::UInt, "Number of lines that must match; 1 by default"),
    option_spec("stream", ValueType::OneOf(&["stdout", "stderr"]), "Only lines of this stream"),
    option_spec(
        "port",
        ValueType::UInt,
        "A process listens on this TCP port; with http, 80 by default",
    ),
    option_spec("http", ValueType::Text, "A server answers GET of this path with 200 to 399"),
    option_spec("file", ValueType::Text, "A file exists at this absolute path in the container"),
    option_spec("exec", ValueType::Command, "This command exits with 0 in the container"),
    option_spec("all", ValueType::Conditions, "All of these conditions are met, each at some time"),
    option_spec("any", ValueType::Conditions, "One of these conditions is met"),
    option_spec("fail", ValueType::Text, "Fail when a log line matches this regular expression"),
];

/// A condition that a container can meet.
#[derive(Clone, Debug)]
pub enum Condition {
    /// The status is this.
    Status(Status),
    /// The health is this.
    Health(&'static str),
    /// The container was removed.
    Removed,
    /// `count` log lines match `pattern`.
    Log {
        /// The pattern that lines must match.
        pattern: Regex,
        /// The number of lines.
        count: u64,
        /// Only lines of this stream.
        stream: Option<Stream>,
    },
    /// A readiness probe succeeds.
    Probe(Probe),
    /// This command exits with 0.
    Exec(Vec<String>),
    /// All of these conditions are met.
    All(Vec<WaitCondition>),
    /// One of these conditions is met.
    Any(Vec<WaitCondition>),
}

/// A condition, and the pattern that makes the wait fail.
#[derive(Clone, Debug)]
pub struct WaitCondition {
    /// The condition to wait for.
    pub condition: Condition,
    /// A log line that makes the wait fail.
    pub fail: Option<Regex>,
}

/// Reads a condition: a word or a map.
///
/// # Errors
/// [`Kind::Invalid`], with the known conditions.
pub fn wait_condition(value: &Dynamic) -> Result<WaitCondition> {
    let value = value.clone().flatten();
    if let Some(word) = values::text(&value) {
        return Ok(WaitCondition { condition: state(&word)?, fail: None });
    }
    let map = value.try_cast::<Map>().ok_or_else(|| {
        Error::new(Kind::Invalid, "wait_for(): expected a status or a map of a condition")
            .hint("write \"healthy\", #{ log: \"ready\" }, #{ port: 80 } or #{ exec: \"true\" }")
    })?;
    let given = ParsedOptions::new("wait_for", KEYS, map)?;
    let mut found = Vec::new();
    if let Some(path) = given.get_with("http", text_of)? {
        found.push(Condition::Probe(answer(&given, &path)?));
    } else {
        found.extend(given.get_with("status", |value| state(&text_of(value)?))?);
        found.extend(given.get("port", port)?.map(|port| Condition::Probe(Probe::TcpSocket(port))));
    }
    found.extend(given.get_with("file", file)?.map(Condition::Probe));
    if let Some(pattern) = given.get_with("log", pattern)? {
        let count = given.count("count")?.unwrap_or(1);
        let stream = given.get("stream", |value| Stream::from_word(&values::text(value)?))?;
        found.push(Condition::Log { pattern, count, stream });
    }
    found.extend(given.command("exec")?.map(Condition::Exec));
    found.extend(given.get_with("all", wait_conditions)?.map(Condition::All));
    found.extend(given.get_with("any", wait_conditions)?.map(Condition::Any));
    let fail = given.get_with("fail", self::pattern)?;
    match <[Condition; 1]>::try_from(found) {
        Ok([condition]) => Ok(WaitCondition { condition, fail }),
        Err(found) => {
            let message = format!("wait_for(): expected one condition, got {}", found.len());
            Err(Error::new(Kind::Invalid, message)
                .hint("write several as #{ all: [...] } or #{ any: [...] }"))
        }
    }
}

fn port(value: &Dynamic) -> Option<u16> {
    u16::try_from(value.as_int().ok()?).ok().filter(|port| *port > 0)
}

/// Reads a request and the answer to wait for: `port` and `status` belong to it.
fn answer(given: &ParsedOptions<'_>, path: &str) -> Result<Probe> {
    let number = |value: &Dynamic| u16::try_from(value.as_int().ok()?).ok();
    let status = given.get("status", |value| number(value).filter(|n| (100..600).contains(n)))?;
    let port = given.get("port", port)?.unwrap_or(80);
    HttpGet::new(port, path, status, ANSWER).map(Probe::HttpGet)
}

fn file(value: &Dynamic) -> Result<Probe> {
    let path = text_of(value)?;
    if !path.starts_with('/') || path.contains('\0') {
        let error = Error::new(Kind::Invalid, format!("{path:?} is not an absolute path"));
        return Err(error.hint("write a path such as \"/run/ready\""));
    }
    Ok(Probe::FileExists(path))
}

fn wait_conditions(value: &Dynamic) -> Result<Vec<WaitCondition>> {
    let list = value.clone().try_cast::<Array>();
    let list = list.ok_or_else(|| ValueType::Conditions.mismatch(values::type_of(value)))?;
    if list.is_empty() {
        return Err(ValueType::Conditions.mismatch("an empty array"));
    }
    list.iter().map(wait_condition).collect()
}

fn pattern(value: &Dynamic) -> Result<Regex> {
    let text = text_of(value)?;
    Regex::new(&text).map_err(|error| {
        Error::new(Kind::Invalid, format!("`{text}` is not a regular expression"))
            .cause(error.to_string())
    })
}

fn state(word: &str) -> Result<Condition> {
    let known = Status::ALL.iter().find(|status| status.as_str() == word);
    Ok(match (known, word) {
        (Some(status), _) => Condition::Status(*status),
        (None, "healthy") => Condition::Health("healthy"),
        (None, "unhealthy") => Condition::Health("unhealthy"),
        (None, "removed") => Condition::Removed,
        (None, _) => {
            let mut words: Vec<&str> = Status::ALL.iter().map(|status| status.as_str()).collect();
            words.extend(["healthy", "unhealthy", "removed"]);
            let message = format!("wait_for(): unknown condition `{word}`");
            let error = Error::new(Kind::Invalid, message);
            return Err(error.hint(format!("use one of {}", words.join(", "))));
        }
    })
}
