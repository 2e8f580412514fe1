//! Logs and events of the runtime, as streams of the contract.

use std::time::Duration;

use crate::engine::backend::{CancelToken, EventStream, LogStream};
use crate::model::Result;
use crate::model::observe::event::Event;
use crate::model::observe::log::LogLine;
use crate::runtime::client::followed_log::FollowedLog;
use crate::runtime::record::journal::EventReader;

impl LogStream for FollowedLog {
    fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>> {
        FollowedLog::next_line(self, timeout, cancel)
    }
}

impl EventStream for EventReader {
    fn take_unreadable(&mut self) -> u64 {
        EventReader::take_unreadable(self)
    }

    fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>> {
        EventReader::next_event(self, timeout, cancel)
    }
}
