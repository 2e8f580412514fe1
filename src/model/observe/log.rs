//! Lines of a container's log, and the options to read them.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::model::container::ContainerSpec;

/// The longest reason of a loss, in bytes.
const MAX_REASON: usize = 80;

/// The stream of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// Returns the stream with this name.
    pub fn from_word(word: &str) -> Option<Stream> {
        [Stream::Stdout, Stream::Stderr].into_iter().find(|stream| stream.as_str() == word)
    }

    /// Returns `stdout` or `stderr`.
    pub fn as_str(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}

/// One line as the container wrote it, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When the monitor read it.
    pub time: Timestamp,
    /// The stream.
    pub stream: Stream,
    /// The bytes, with the newline that ended them. Without one, the line continues in the next
    /// record of the stream (lines are split at 16 KiB), or the container exited there.
    pub bytes: Vec<u8>,
    /// What is missing before this line. A line without bytes says what is missing at the end.
    pub lost: Option<LostOutput>,
}

/// Returns the labels and variables that the options of the log name, with their values.
pub fn log_details(spec: &ContainerSpec) -> BTreeMap<String, String> {
    let options = &spec.host_config.supervision.log_options;
    let option = |key: &str| options.get(key).filter(|value| !value.is_empty());
    let labels = spec.config.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let env = spec.config.env.iter().filter_map(|entry| entry.split_once('='));
    let mut details = BTreeMap::new();
    let lists = [option("labels"), option("env")];
    let patterns = [option("labels-regex"), option("env-regex")]
        .map(|text| text.and_then(|text| Regex::new(text).ok()));
    let all: [Vec<(&str, &str)>; 2] = [labels.collect(), env.collect()];
    for ((pairs, list), pattern) in all.iter().zip(lists).zip(&patterns) {
        for (key, value) in pairs {
            let named = list.is_some_and(|list| list.split(',').any(|name| name == *key));
            if named || pattern.as_ref().is_some_and(|pattern| pattern.is_match(key)) {
                details.insert((*key).to_owned(), (*value).to_owned());
            }
        }
    }
    details
}

/// Output that could not be written to the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostOutput {
    /// How many lines are missing, at least in part.
    pub lines: u64,
    /// How many bytes are missing, as far as known.
    pub bytes: u64,
    /// Why, such as `no space left on device`.
    pub reason: String,
}

impl LostOutput {
    /// Adds what is missing directly behind this.
    pub fn add(&mut self, more: &LostOutput) {
        self.lines = self.lines.saturating_add(more.lines);
        self.bytes = self.bytes.saturating_add(more.bytes);
        if !self.reason.contains(&more.reason) {
            self.reason = format!("{}, then {}", self.reason, more.reason);
            self.reason.truncate(self.reason.floor_char_boundary(MAX_REASON));
        }
    }
}

/// Writes `120 bytes, 3 lines lost: no space left on device`.
impl fmt::Display for LostOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        if self.bytes > 0 {
            write!(f, "{} byte{}, ", self.bytes, plural(self.bytes))?;
        }
        // Of a line that is missing in part, the end may be there.
        let lines = self.lines.max(1);
        write!(f, "{lines} line{} lost: {}", plural(lines), self.reason)
    }
}

impl LogLine {
    /// Returns the line as text without its newline; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        String::from_utf8_lossy(bytes)
    }
}

/// The options of `logs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Follow until the container exits.
    pub follow: bool,
    /// Follow through all later runs, until the container is removed.
    pub across_restarts: bool,
    /// How many of the last present lines; all where unset.
    pub tail: Option<u64>,
    /// Only lines from this time on.
    pub since: Option<Timestamp>,
    /// Only lines before this time.
    pub until: Option<Timestamp>,
    /// Only lines of this stream.
    pub stream: Option<Stream>,
}
