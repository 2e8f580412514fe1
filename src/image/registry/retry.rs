//! How long to wait before a request is repeated.

use std::time::Duration;

/// The longest time that a registry may ask to wait.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// `Retry-After`, RFC 9110 section 10.2.3: seconds or a date.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let left = date.timestamp().as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

/// How long to wait before the next attempt, where the registry has `stated` a time or not; `None`
/// where that is too long.
pub(super) fn retry_delay(stated: Option<&str>, attempt: u32) -> Option<Duration> {
    let asked = stated.and_then(retry_after);
    let default = Duration::from_millis(250 << attempt);
    Some(asked.unwrap_or(default)).filter(|time| *time <= MAX_WAIT)
}
