//! One line of a log file: a record, as JSON.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::model::observe::log::{LogLine, Stream};

/// A record: a line of output, or a part of one.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub(super) log: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) log64: Option<String>,
    pub(super) stream: Stream,
    #[serde(borrow)]
    pub(super) time: Cow<'a, str>,
    /// Whether the line continues in the stream's next record.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) partial: bool,
}

/// Parses one record, and whether its line continues in the next one. Returns `None` for a marker
/// of a gap and for a damaged record.
pub(super) fn parse(line: &[u8]) -> Option<(LogLine, bool)> {
    let record: Record<'_> = serde_json::from_slice(line).ok()?;
    let bytes = match (record.log, record.log64) {
        (Some(text), _) => text.into_owned().into_bytes(),
        (None, Some(encoded)) => BASE64.decode(encoded).ok()?,
        (None, None) => return None,
    };
    let line = LogLine { time: record.time.parse().ok()?, stream: record.stream, bytes };
    Some((line, record.partial))
}
