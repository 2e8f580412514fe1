//! What a container wrote: lines, and which of them are wanted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where a line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The stream of this name.
    pub fn from_word(word: &str) -> Option<Stream> {
        [Stream::Stdout, Stream::Stderr].into_iter().find(|stream| stream.as_str() == word)
    }

    /// `stdout` or `stderr`.
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
    /// Where it was written.
    pub stream: Stream,
    /// The bytes, with the newline that ended them. No newline: the line goes on in the next
    /// record of the same stream (lines are split at 16 KiB), or the container ended there.
    pub bytes: Vec<u8>,
}

impl LogLine {
    /// The line as text without its newline; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> std::borrow::Cow<'_, str> {
        let bytes = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        String::from_utf8_lossy(bytes)
    }
}

/// Which lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on until the container ends.
    pub follow: bool,
    /// Go on beyond that, through all later runs, until the container is removed.
    pub across_restarts: bool,
    /// Only the last so many lines of what is there already; all where unset.
    pub tail: Option<u64>,
    /// Only lines from this time on.
    pub since: Option<Timestamp>,
    /// Only lines before this time.
    pub until: Option<Timestamp>,
    /// Only lines of this stream.
    pub stream: Option<Stream>,
}
