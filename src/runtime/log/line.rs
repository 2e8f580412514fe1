//! One line of a log file: a record, as JSON.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::gap;
use crate::model::observe::log::{LogLine, LostOutput, Stream};

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

/// What a line of a log file says.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    /// Output, and whether its line continues in the stream's next record.
    Output(LogLine, bool),
    /// Output is missing, since this time where it is known.
    Lost(LostOutput, Option<Timestamp>),
    /// Nothing.
    Blank,
}

/// Parses one line. A damaged one counts as a lost line.
pub(super) fn parse(line: &[u8]) -> Parsed {
    if line.iter().all(u8::is_ascii_whitespace) {
        return Parsed::Blank;
    }
    if let Some((line, partial)) = output(line) {
        return Parsed::Output(line, partial);
    }
    let (lost, since) = gap::parse(line).unwrap_or_else(|| (gap::damaged(), None));
    Parsed::Lost(lost, since)
}

fn output(line: &[u8]) -> Option<(LogLine, bool)> {
    let record: Record<'_> = serde_json::from_slice(line).ok()?;
    let bytes = match (record.log, record.log64) {
        (Some(text), _) => text.into_owned().into_bytes(),
        (None, Some(encoded)) => BASE64.decode(encoded).ok()?,
        (None, None) => return None,
    };
    let time = record.time.parse().ok()?;
    Some((LogLine { time, stream: record.stream, bytes, lost: None }, record.partial))
}

/// Counts the output in records that are not written, or overwritten. A line that continues in
/// later records counts where it ends.
pub(super) fn lost_in(records: &[u8], reason: &str) -> LostOutput {
    let mut lost = LostOutput { lines: 0, bytes: 0, reason: reason.to_owned() };
    for record in records.split(|byte| *byte == b'\n') {
        let (lines, bytes) = match parse(record) {
            Parsed::Output(line, partial) => (u64::from(!partial), line.bytes.len() as u64),
            Parsed::Lost(lost, _) => (lost.lines, lost.bytes),
            Parsed::Blank => continue,
        };
        lost.lines = lost.lines.saturating_add(lines);
        lost.bytes = lost.bytes.saturating_add(bytes);
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_bytes_are_those_of_the_program() {
        let record = |log: &str, partial: bool| {
            let time = "2026-01-02T03:04:05Z";
            let (log, stream) = (Some(Cow::Borrowed(log)), Stream::Stdout);
            let record = Record { log, log64: None, stream, time: time.into(), partial };
            serde_json::to_string(&record).unwrap() + "\n"
        };
        let records = record("one\n", false) + &record("tw", true);
        let lost = lost_in(records.as_bytes(), "x");
        assert_eq!((lost.lines, lost.bytes), (1, 6));
    }
}
