//! The wait before a request is repeated.

use std::time::Duration;

/// The longest wait that a registry may request.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// Parses `Retry-After`, RFC 9110 section 10.2.3: seconds or a date.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let left = date.timestamp().as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// Returns the wait before the next attempt, which the registry may have `stated`; `None` if it is
/// too long.
pub(super) fn retry_delay(stated: Option<&str>, attempt: u32) -> Option<Duration> {
    let requested = stated.and_then(retry_after);
    let default = Duration::from_millis(250 << attempt);
    Some(requested.unwrap_or(default)).filter(|time| *time <= MAX_WAIT)
}
