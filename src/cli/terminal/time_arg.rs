//! Parses the times of `--since` and `--until`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::model::value::units::parse_duration;
use crate::model::{Error, Kind, Result};

/// Parses a timestamp, a local date or time, seconds since 1970, or a duration before
/// `now`; with a minus, after it.
///
/// # Errors
/// [`Kind::Invalid`], with the accepted forms.
pub fn time_arg(text: &str, now: Timestamp, zone: impl Fn() -> TimeZone) -> Result<Timestamp> {
    let read = unix(text)
        .or_else(|| text.parse::<Timestamp>().ok())
        .or_else(|| {
            // The time zone is looked up only if needed, because that reads files.
            let local = text.parse::<DateTime>().ok()?;
            local.to_zoned_datetime(zone()).ok().map(|zoned| zoned.timestamp())
        })
        .or_else(|| {
            let (later, span) = text.strip_prefix('-').map_or((false, text), |span| (true, span));
            let span = parse_duration(span).ok().filter(|_| span.ends_with(char::is_alphabetic))?;
            if later { now.checked_add(span).ok() } else { now.checked_sub(span).ok() }
        });
    read.ok_or_else(|| {
        Error::new(Kind::Invalid, format!("invalid time `{text}`")).hint(
            "write 2026-01-02T15:04:05Z, 2026-01-02T15:04:05, 2026-01-02, seconds since 1970, \
             or how long ago: 90s, 10m, 1h30m",
        )
    })
}

/// Parses seconds since 1970, with up to nine digits after the point.
fn unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if seconds.is_empty() || !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = format!("{fraction:0<9}").parse().ok()?;
    Timestamp::new(seconds.parse().ok()?, nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_documented_form_is_read() {
        let now: Timestamp = "2026-01-02T12:00:00Z".parse().unwrap();
        let zone = || TimeZone::fixed(jiff::tz::offset(9));
        for (text, expected) in [
            ("2026-01-02T15:04:05Z", "2026-01-02T15:04:05Z"),
            ("2026-01-02T15:04:05.123456789+09:00", "2026-01-02T06:04:05.123456789Z"),
            ("2026-01-02T15:04:05", "2026-01-02T06:04:05Z"),
            ("2026-01-02T15:04:05.5", "2026-01-02T06:04:05.5Z"),
            ("2026-01-02T15:04", "2026-01-02T06:04:00Z"),
            ("2026-01-02", "2026-01-01T15:00:00Z"),
            ("-90s", "2026-01-02T12:01:30Z"),
            ("1767355200", "2026-01-02T12:00:00Z"),
            ("1767355200.25", "2026-01-02T12:00:00.25Z"),
            ("10m", "2026-01-02T11:50:00Z"),
            ("1h30m", "2026-01-02T10:30:00Z"),
            ("0s", "2026-01-02T12:00:00Z"),
        ] {
            assert_eq!(time_arg(text, now, zone).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "yesterday", "-5", "1.2.3", "99999999999999999", "10 m", "1e3"] {
            assert!(time_arg(text, now, zone).is_err(), "{text}");
        }
    }
}
