//! How long a client waits for a monitor.

use std::time::Duration;

use crate::model::container::options::StopTimeout;
use crate::model::value::signal::Signal;
use crate::runtime::protocol::Request;

/// How long a process of the engine may take to answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Returns how long a request to a monitor may take; `None` for one that lasts as long as its
/// container, or as the user's program.
pub(super) fn patience(request: &Request) -> Option<Duration> {
    match request {
        Request::Stop { timeout: StopTimeout::After(time), .. } => Some(*time + PATIENCE),
        Request::Stop { .. } | Request::Wait | Request::Start(_) | Request::Exec(_) => None,
        _ => Some(PATIENCE),
    }
}

/// Returns whether a request ends the container, so that it may end with its monitor too.
pub(super) fn ends_container(request: &Request) -> bool {
    matches!(request, Request::Stop { .. } | Request::Kill { signal: Signal::KILL })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_may_take_its_grace_and_ten_seconds() {
        let timeout = StopTimeout::After(Duration::from_secs(3));
        let stop = Request::Stop { signal: Signal::TERM, timeout, keep_container: false };
        assert_eq!(patience(&stop), Some(Duration::from_secs(13)));
        assert_eq!(patience(&Request::Pause), Some(PATIENCE));
        assert_eq!(patience(&Request::Wait), None);
    }
}
