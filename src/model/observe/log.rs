//! Lines of a container's log, and the options to read them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
