//! The streams of simulated containers: empty logs, and recorded events.

use std::time::Duration;

use crate::engine::backend::{CancelToken, EventStream, LogStream};
use crate::model::Result;
use crate::model::observe::event::Event;
use crate::model::observe::log::LogLine;

/// A log without lines.
#[derive(Debug)]
pub struct EmptyLog;

impl LogStream for EmptyLog {
    fn next_line(&mut self, _: Option<Duration>, _: &CancelToken) -> Result<Option<LogLine>> {
        Ok(None)
    }
}

/// Recorded events. No later ones follow: nothing happens by itself.
#[derive(Debug)]
pub struct RecordedEvents(pub std::vec::IntoIter<Event>);

impl EventStream for RecordedEvents {
    fn next_event(&mut self, _: Option<Duration>, _: &CancelToken) -> Result<Option<Event>> {
        Ok(self.0.next())
    }
}
