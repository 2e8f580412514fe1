//! clock_gettime(2).

use rustix::time::{ClockId, clock_gettime};

/// Returns nanoseconds since boot on the monotonic clock, which all processes of the host share.
pub fn monotonic() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    part(now.tv_sec).saturating_mul(1_000_000_000).saturating_add(part(now.tv_nsec))
}
