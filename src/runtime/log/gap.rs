//! The marker in a log where output is missing, because it could not be written.
//!
//! A marker has a fixed length, so that its numbers can be replaced where it stands: that needs no
//! room on the disk, and whenever the monitor ends, the marker is true.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::observe::log::LostOutput;

/// The length of a marker in bytes, with its newline.
pub(super) const LENGTH: usize = 256;

#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    dropped: u64,
    bytes: u64,
    #[serde(default)]
    reason: String,
    time: String,
}

/// Returns a marker of this length: JSON, spaces and a newline.
pub(super) fn encode(lost: &LostOutput, since: Timestamp, length: usize) -> Vec<u8> {
    let marker = Marker {
        dropped: lost.lines,
        bytes: lost.bytes,
        reason: lost.reason.clone(),
        time: since.to_string(),
    };
    let mut text = serde_json::to_vec(&marker).unwrap_or_default();
    text.resize(length.max(text.len() + 1), b' ');
    if let Some(last) = text.last_mut() {
        *last = b'\n';
    }
    text
}

/// Parses a marker.
pub(super) fn parse(line: &[u8]) -> Option<(LostOutput, Option<Timestamp>)> {
    let marker: Marker = serde_json::from_slice(line).ok()?;
    let reason = match marker.reason.is_empty() {
        true => "no space left on device".to_owned(),
        false => marker.reason,
    };
    let lost = LostOutput { lines: marker.dropped, bytes: marker.bytes, reason };
    Some((lost, marker.time.parse().ok()))
}

/// What a record is that cannot be read: a power failure or a kill cut it off.
pub(super) fn damaged() -> LostOutput {
    LostOutput { lines: 1, bytes: 0, reason: "its record is damaged".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_comes_back_as_it_was_and_keeps_its_length() {
        for (lines, bytes) in [(1, 1), (u64::MAX, u64::MAX)] {
            let lost = LostOutput { lines, bytes, reason: "é".repeat(40) };
            let text = encode(&lost, Timestamp::MAX, LENGTH);
            assert_eq!(text.len(), LENGTH);
            assert_eq!(text.iter().position(|byte| *byte == b'\n'), Some(LENGTH - 1));
            let (found, since) = parse(&text).unwrap();
            assert_eq!((found, since), (lost, Some(Timestamp::MAX)));
        }
    }

    #[test]
    fn the_marker_of_an_earlier_version_is_understood() {
        let line = br#"{"dropped":3,"bytes":9,"stream":"stdout","time":"2026-01-02T03:04:05Z"}"#;
        let (lost, since) = parse(line).unwrap();
        assert_eq!(lost.to_string(), "9 bytes, 3 lines lost: no space left on device");
        assert_eq!(since, "2026-01-02T03:04:05Z".parse().ok());
    }
}
