//! Durations and sizes as people write and read them.

use std::time::Duration;

use crate::model::{Error, Kind, Result};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// Reads `500ms`, `10s`, `2m`, `1h30m`, `1.5s` or a bare number of seconds.
///
/// # Errors
/// [`Kind::Invalid`], with the accepted forms.
pub fn parse_duration(text: &str) -> Result<Duration> {
    let invalid = || {
        Error::new(Kind::Invalid, format!("invalid duration `{text}`"))
            .hint("write a number of seconds, or a time such as `500ms`, `10s`, `2m`, `1h30m`")
    };
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds_to_duration(seconds).ok_or_else(invalid);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(invalid)?;
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let seconds = match &rest[..unit] {
            "ns" => number / 1e9,
            "us" | "µs" => number / 1e6,
            "ms" => number / 1e3,
            "s" => number,
            "m" => number * MINUTE as f64,
            "h" => number * HOUR as f64,
            "d" => number * (24 * HOUR) as f64,
            _ => return Err(invalid()),
        };
        rest = &rest[unit..];
        let part = seconds_to_duration(seconds).ok_or_else(invalid)?;
        total = total.checked_add(part).ok_or_else(invalid)?;
    }
    if text.is_empty() { Err(invalid()) } else { Ok(total) }
}

/// Returns a duration of seconds; `None` if negative, not a number or beyond 10,000 years.
pub fn seconds_to_duration(seconds: f64) -> Option<Duration> {
    const LIMIT: f64 = 3.2e11;
    (0.0..LIMIT).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

/// Reads a size in binary units: `1024`, `64k`, `6m`, `1.5g`, `512MiB` (docker/go-units,
/// `RAMInBytes`).
///
/// # Errors
/// [`Kind::Invalid`], with the accepted forms.
pub fn parse_bytes(text: &str) -> Result<u64> {
    let invalid = || {
        Error::new(Kind::Invalid, format!("invalid size: '{text}'"))
            .hint("write bytes, or a size such as `64k`, `512m`, `1.5g`")
    };
    // A number as Go reads it: `1e7` has no unit.
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.').map_or(0, |last| last + 1);
    let (number, unit) = text.split_at(last);
    if !number.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
        return Err(invalid());
    }
    let number: f64 = number.parse().map_err(|_| invalid())?;
    let unit = unit.trim_start().to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" if unit != "i" && unit != "ib" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return Err(invalid()),
    };
    let bytes = number * 1024_f64.powi(power);
    if !(0.0..9.2e18).contains(&bytes) {
        return Err(invalid());
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and below 2^63"
    )]
    Ok(bytes as u64)
}

/// Reads a boolean as Go's `strconv.ParseBool` does.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Writes an age in Docker's words: `Less than a second`, `5 seconds`, `About a minute`, ...
/// (docker/go-units, `HumanDuration`).
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds / MINUTE;
    let hours = (seconds + HOUR / 2) / HOUR;
    let (count, unit) = match () {
        () if seconds < 1 => return "Less than a second".to_owned(),
        () if seconds == 1 => return "1 second".to_owned(),
        () if seconds < 60 => (seconds, "seconds"),
        () if minutes == 1 => return "About a minute".to_owned(),
        () if minutes < 60 => (minutes, "minutes"),
        () if hours == 1 => return "About an hour".to_owned(),
        () if hours < 48 => (hours, "hours"),
        () if hours < 24 * 7 * 2 => (hours / 24, "days"),
        () if hours < 24 * 30 * 2 => (hours / 24 / 7, "weeks"),
        () if hours < 24 * 365 * 2 => (hours / 24 / 30, "months"),
        () => (seconds / (24 * HOUR) / 365, "years"),
    };
    format!("{count} {unit}")
}

/// Writes a duration as Go does: `30s`, `1m30s`, `1h0m0s`, `1.5s`, `100ms` (time,
/// `Duration.String`).
pub fn format_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let part =
        |number: f64| format!("{number:.9}").trim_end_matches('0').trim_end_matches('.').to_owned();
    if seconds == 0 {
        return match nanos {
            0 => "0s".to_owned(),
            n if n < 1000 => format!("{n}ns"),
            n if n < 1_000_000 => format!("{}µs", part(f64::from(n) / 1e3)),
            n => format!("{}ms", part(f64::from(n) / 1e6)),
        };
    }
    let rest = part((seconds % MINUTE) as f64 + f64::from(nanos) / 1e9);
    match (seconds / HOUR, seconds % HOUR / MINUTE) {
        (0, 0) => format!("{rest}s"),
        (0, minutes) => format!("{minutes}m{rest}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
    }
}

/// Writes a size in decimal units with three significant digits: `0B`, `97B`, `8.99kB`, `198MB`
/// (docker/go-units, `HumanSizeWithPrecision(3)`).
pub fn human_size(bytes: u64) -> String {
    scaled(bytes, 3)
}

/// Writes a size in decimal units with four significant digits: `1.234MB` (docker/go-units,
/// `HumanSize`).
pub fn human_bytes(bytes: u64) -> String {
    scaled(bytes, 4)
}

/// Writes a size in binary units: `1.5MiB` (docker/go-units, `BytesSize`).
pub fn human_memory(bytes: u64) -> String {
    in_units(bytes, 4, 1024.0, ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

/// Writes bytes as [`parse_bytes`] reads them, in the largest exact unit: `64m`,
/// `1500`. Negative numbers stay as they are.
pub fn exact_size(bytes: i64) -> String {
    let units = [(40, "t"), (30, "g"), (20, "m"), (10, "k")];
    let whole = |(power, _): &&(u32, &str)| bytes > 0 && bytes.trailing_zeros() >= *power;
    match units.iter().find(whole) {
        Some((power, unit)) => format!("{}{unit}", bytes >> power),
        None => bytes.to_string(),
    }
}

/// Writes billionths as a number: `1.5`, `2`.
pub fn format_billionths(number: i64) -> String {
    const ONE: i64 = 1_000_000_000;
    let text = format!("{}.{:09}", number / ONE, (number % ONE).abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn scaled(bytes: u64, digits: usize) -> String {
    in_units(bytes, digits, 1000.0, ["B", "kB", "MB", "GB", "TB", "PB", "EB"])
}

fn in_units(bytes: u64, digits: usize, base: f64, units: [&str; 7]) -> String {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let whole = match value {
        v if v >= 1000.0 => 4,
        v if v >= 100.0 => 3,
        v if v >= 10.0 => 2,
        _ => 1,
    };
    let text = format!("{value:.0$}", digits.saturating_sub(whole));
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_shown_as_in_go() {
        for text in [
            "0s",
            "7ns",
            "1.5µs",
            "100ms",
            "999.999999ms",
            "1s",
            "1.5s",
            "59s",
            "1m0s",
            "1m30s",
            "1h0m0s",
            "25h0m1.000000001s",
        ] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn durations_are_read_in_the_documented_forms() {
        let check = |text: &str, millis: u64| {
            assert_eq!(parse_duration(text).unwrap(), Duration::from_millis(millis), "{text}");
        };
        check("500ms", 500);
        check("10s", 10_000);
        check("2m", 120_000);
        check("1h30m", 5_400_000);
        check("1.5", 1500);
        check("0", 0);
        for text in ["", "x", "-1", "10 s", "s", "1x", "1e400", "nan", "inf", "1.2.3s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_in_binary_units() {
        let table = [
            ("7", 7),
            ("1b", 1),
            ("64k", 65_536),
            ("6m", 6 << 20),
            ("1.5g", 3 << 29),
            ("1e7", 10_000_000),
        ];
        for (text, bytes) in table.into_iter().chain([("2MiB", 2 << 20), ("1 GB", 1 << 30)]) {
            assert_eq!(parse_bytes(text).unwrap(), bytes, "{text}");
        }
        for text in ["", "m", "-1", "1x", "1e99g", "9999999p", "1.2.3", "5i"] {
            assert!(parse_bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn exact_sizes_read_back() {
        for (bytes, text) in
            [(0, "0"), (1500, "1500"), (1 << 16, "64k"), (3 << 29, "1536m"), (5 << 40, "5t")]
        {
            assert_eq!(exact_size(bytes), text);
            assert_eq!(parse_bytes(text).unwrap(), u64::try_from(bytes).unwrap());
        }
        assert_eq!(exact_size(-1), "-1");
        for (number, text) in [(1_500_000_000, "1.5"), (2_000_000_000, "2"), (10_000_000, "0.01")] {
            assert_eq!(format_billionths(number), text);
        }
        assert_eq!(format_billionths(0), "0");
    }

    #[test]
    fn ages_read_as_dockers() {
        let check = |seconds: u64, text: &str| {
            assert_eq!(human_duration(Duration::from_secs(seconds)), text);
        };
        check(0, "Less than a second");
        check(1, "1 second");
        check(59, "59 seconds");
        check(60, "About a minute");
        check(119, "About a minute");
        check(120, "2 minutes");
        check(3600, "About an hour");
        check(47 * 3600, "47 hours");
        check(48 * 3600, "2 days");
        check(14 * 24 * 3600, "2 weeks");
        check(60 * 24 * 3600, "2 months");
        check(3 * 365 * 24 * 3600, "3 years");
    }

    #[test]
    fn sizes_read_as_dockers() {
        for (bytes, text) in [
            (0, "0B"),
            (97, "97B"),
            (8_990, "8.99kB"),
            (242_000, "242kB"),
            (197_754_661, "198MB"),
            (1_000_000, "1MB"),
        ] {
            assert_eq!(human_size(bytes), text);
        }
        for (bytes, text) in [(0, "0B"), (999, "999B"), (1_234_567, "1.235MB"), (12_300, "12.3kB")]
        {
            assert_eq!(human_bytes(bytes), text);
        }
    }
}
