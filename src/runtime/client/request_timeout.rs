//! How long a client waits for a monitor.

use std::time::Duration;

use crate::model::container::options::StopTimeout;
use crate::model::value::signal::Signal;
use crate::runtime::protocol::Request;

/// How long a process of the engine may take to answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns how long a request to a monitor may take; `None` for one that lasts as long as its
/// container, or as the user's program.
pub(super) fn request_timeout(request: &Request) -> Option<Duration> {
    match request {
        Request::Stop { timeout: StopTimeout::After(time), .. } => Some(*time + ANSWER_TIMEOUT),
        Request::Stop { .. } | Request::Wait | Request::Start(_) | Request::Exec(_) => None,
        Request::Traced(request) => request_timeout(request),
        Request::Resize(_)
        | Request::Attach { .. }
        | Request::CloseStdin
        | Request::Pause
        | Request::HoldPaused
        | Request::Unpause
        | Request::Kill { .. }
        | Request::Update { .. }
        | Request::Rename { .. }
        | Request::Go => Some(ANSWER_TIMEOUT),
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
        assert_eq!(request_timeout(&stop), Some(Duration::from_secs(13)));
        assert_eq!(request_timeout(&Request::Pause), Some(ANSWER_TIMEOUT));
        assert_eq!(request_timeout(&Request::Wait), None);
    }
}
