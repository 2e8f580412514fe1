//! The least speed of a registry. A server that sends a byte now and then never runs into the limit
//! of silence, and would hold a pull forever.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use crate::model::{Error, Kind};

/// How long a connection may be too slow, as long as it may be silent.
const WINDOW: Duration = Duration::from_secs(60);
/// The least bytes in a window, 1 KiB a second: a modem is faster.
const LEAST: u64 = 60 << 10;

/// A body in transit, which fails when it is too slow.
pub(super) struct LeastSpeed<R> {
    body: R,
    window: Window,
}

impl<R: Read> LeastSpeed<R> {
    pub(super) fn new(body: R) -> Self {
        LeastSpeed { body, window: Window { start: Instant::now(), bytes: 0 } }
    }
}

impl<R: Read> Read for LeastSpeed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        // The end is not a stall.
        if count > 0 && self.window.is_too_slow(Instant::now(), count as u64) {
            let message = format!("less than {} KiB were sent in {WINDOW:?}", LEAST >> 10);
            let hint = "try again later, or name another registry";
            return Err(io::Error::other(Error::new(Kind::Timeout, message).hint(hint)));
        }
        Ok(count)
    }
}

/// What came since a time.
struct Window {
    start: Instant,
    bytes: u64,
}

impl Window {
    /// Counts bytes that came at `now`. Returns whether a window has ended with too few.
    fn is_too_slow(&mut self, now: Instant, count: u64) -> bool {
        self.bytes = self.bytes.saturating_add(count);
        if now.duration_since(self.start) < WINDOW {
            return false;
        }
        let slow = self.bytes < LEAST;
        *self = Window { start: now, bytes: 0 };
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body that sends `count` bytes each second is cut within five minutes.
    fn is_cut(count: u64) -> bool {
        let start = Instant::now();
        let mut window = Window { start, bytes: 0 };
        (1..=300).any(|second| window.is_too_slow(start + Duration::from_secs(second), count))
    }

    #[test]
    fn a_byte_now_and_then_is_too_slow_and_a_modem_is_not() {
        assert!(is_cut(1));
        assert!(is_cut(1000));
        assert!(!is_cut(1100));
        assert!(!is_cut(1 << 20));
    }

    #[test]
    fn the_first_minute_of_silence_is_forgiven_when_bytes_come() {
        let start = Instant::now();
        let mut window = Window { start, bytes: 0 };
        assert!(!window.is_too_slow(start + Duration::from_secs(59), 1));
        assert!(!window.is_too_slow(start + Duration::from_secs(60), LEAST));
    }
}
