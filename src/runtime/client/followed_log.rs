//! A log that is followed, and a watch over the monitor that writes it.

use std::time::{Duration, Instant};

use super::unresponsive::stuck;
use super::watch::Watch;
use crate::model::observe::log::LogLine;
use crate::model::value::id::ContainerId;
use crate::model::{Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::log::reader::Reader;

/// The lines of a container's log.
#[derive(Debug)]
pub struct FollowedLog {
    pub(super) reader: Reader,
    /// The container, and the watch over its monitor; `None` if no monitor writes to the log.
    pub(super) watch: Option<(ContainerId, Watch)>,
}

impl FollowedLog {
    /// Returns the next line; `None` at the end.
    ///
    /// # Errors
    /// As [`Reader::next_line`]; [`Kind::Timeout`] too if the monitor is stopped.
    pub fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>> {
        let Some((id, watch)) = &mut self.watch else {
            return self.reader.next_line(timeout, cancel);
        };
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let now = Instant::now();
            let until = deadline.into_iter().chain([watch.next_look()]).min();
            let left = until.map(|until| until.saturating_duration_since(now));
            match self.reader.next_line(left, cancel) {
                Err(error)
                    if error.kind() == Kind::Timeout
                        && deadline.is_none_or(|deadline| Instant::now() < deadline) => {}
                line => return line,
            }
            if let Some(process) = watch.look() {
                return Err(stuck(id, &process));
            }
        }
    }
}
