//! What `wait_for` waits for, as a script writes it.

use std::time::Duration;

use regex::Regex;
use rhai::{Array, Dynamic, Map};

use super::super::values;
use super::{Key, Options, Takes, key};
use crate::model::container::status::Status;
use crate::model::observe::log::Stream;
use crate::model::observe::readiness::{Question, Sign};
use crate::model::{Error, Kind, Result};

/// How long one answer of a server is waited for: one that hangs while it starts is asked again.
const ANSWER: Duration = Duration::from_secs(5);

/// The keys of a condition.
pub const KEYS: &[Key] = &[
    key(
        "status",
        Takes::State,
        "it is so, or \"healthy\", \"unhealthy\", \"removed\"; with http, the answer's number",
    ),
    key("log", Takes::Text, "it writes a line that this regular expression matches"),
    key("count", Takes::Count, "so many such lines; 1 by default"),
    key("stream", Takes::OneOf(&["stdout", "stderr"]), "only lines of this stream"),
    key("port", Takes::Count, "a program of it listens on this TCP port; with http, 80 by default"),
    key("http", Takes::Text, "a server in it answers a GET of this path with 200 to 399"),
    key("file", Takes::Text, "there is something at this absolute path inside"),
    key("exec", Takes::Command, "this program ends with 0 inside"),
    key("all", Takes::Conditions, "all of these hold, each at some time"),
    key("any", Takes::Conditions, "one of these holds"),
    key("fail", Takes::Text, "give up when it writes a line that this matches"),
];

/// What is waited for.
#[derive(Clone, Debug)]
pub enum Condition {
    /// It is in this state.
    Status(Status),
    /// It is so well.
    Health(&'static str),
    /// It is gone.
    Removed,
    /// It has written so many lines that match.
    Log {
        /// What a line must match.
        pattern: Regex,
        /// How many of them.
        count: u64,
        /// Of this stream.
        stream: Option<Stream>,
    },
    /// It can be seen from outside.
    Shows(Sign),
    /// A program ends with 0.
    Exec(Vec<String>),
    /// Each of these.
    All(Vec<Goal>),
    /// The first of these.
    Any(Vec<Goal>),
}

/// A condition, and what ends the wait for it.
#[derive(Clone, Debug)]
pub struct Goal {
    /// What is waited for.
    pub condition: Condition,
    /// A line that means that it will not come.
    pub fail: Option<Regex>,
}

/// Reads a condition: a word or a map.
///
/// # Errors
/// [`Kind::Invalid`], with what can be waited for.
pub fn goal(value: &Dynamic) -> Result<Goal> {
    let value = value.clone().flatten();
    if let Some(word) = values::text(&value) {
        return Ok(Goal { condition: state(&word)?, fail: None });
    }
    let map = value.try_cast::<Map>().ok_or_else(|| {
        Error::new(Kind::Invalid, "wait_for(): a condition is a word or a map")
            .hint("such as \"healthy\", #{ log: \"ready\" }, #{ port: 80 } or #{ exec: \"true\" }")
    })?;
    let given = Options::new("wait_for", map)?;
    let mut found = Vec::new();
    if let Some(path) = given.try_get("http", super::read::text_of)? {
        found.push(Condition::Shows(answer(&given, &path)?));
    } else {
        found.extend(given.try_get("status", |value| state(&super::read::text_of(value)?))?);
        found.extend(given.get("port", port)?.map(|port| Condition::Shows(Sign::Listens(port))));
    }
    found.extend(given.try_get("file", file)?.map(Condition::Shows));
    if let Some(pattern) = given.try_get("log", pattern)? {
        let count = given.count("count")?.unwrap_or(1);
        let stream = given.get("stream", |value| Stream::from_word(&values::text(value)?))?;
        found.push(Condition::Log { pattern, count, stream });
    }
    found.extend(given.command("exec")?.map(Condition::Exec));
    found.extend(given.try_get("all", goals)?.map(Condition::All));
    found.extend(given.try_get("any", goals)?.map(Condition::Any));
    let fail = given.try_get("fail", self::pattern)?;
    match <[Condition; 1]>::try_from(found) {
        Ok([condition]) => Ok(Goal { condition, fail }),
        Err(found) => {
            let message = format!("wait_for(): one condition is wanted, not {}", found.len());
            Err(Error::new(Kind::Invalid, message)
                .hint("several go into #{ all: [...] } or #{ any: [...] }"))
        }
    }
}

fn port(value: &Dynamic) -> Option<u16> {
    u16::try_from(value.as_int().ok()?).ok().filter(|port| *port > 0)
}

/// A server's answer. `port` and `status` are the request's here.
fn answer(given: &Options<'_>, path: &str) -> Result<Sign> {
    let number = |value: &Dynamic| u16::try_from(value.as_int().ok()?).ok();
    let status = given.get("status", |value| number(value).filter(|n| (100..600).contains(n)))?;
    let port = given.get("port", port)?.unwrap_or(80);
    Question::new(port, path, status, ANSWER).map(Sign::Answers)
}

fn file(value: &Dynamic) -> Result<Sign> {
    let path = super::read::text_of(value)?;
    if !path.starts_with('/') || path.contains('\0') {
        let error = Error::new(Kind::Invalid, format!("{path:?} is no absolute path"));
        return Err(error.hint("such as \"/run/ready\""));
    }
    Ok(Sign::Has(path))
}

fn goals(value: &Dynamic) -> Result<Vec<Goal>> {
    let list = value.clone().try_cast::<Array>().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| {
        Error::new(Kind::Invalid, format!("it takes {}", Takes::Conditions.describe()))
    })?;
    list.iter().map(goal).collect()
}

fn pattern(value: &Dynamic) -> Result<Regex> {
    let text = super::read::text_of(value)?;
    Regex::new(&text).map_err(|error| {
        Error::new(Kind::Invalid, format!("`{text}` is no regular expression"))
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
            let message = format!("wait_for(): nothing is ever `{word}`");
            let error = Error::new(Kind::Invalid, message);
            return Err(error.hint(format!("it is one of {}", words.join(", "))));
        }
    })
}
