//! What containers that only would be there tell: nothing, and what would have happened.

use std::time::Duration;

use crate::engine::backend::{Cancel, EventStream, LogStream};
use crate::model::Result;
use crate::model::observe::event::Event;
use crate::model::observe::log::LogLine;

/// A log without lines.
#[derive(Debug)]
pub struct Silence;

impl LogStream for Silence {
    fn next_line(&mut self, _: Option<Duration>, _: &Cancel) -> Result<Option<LogLine>> {
        Ok(None)
    }
}

/// Events that were noted. None comes later: nothing happens by itself.
#[derive(Debug)]
pub struct Noted(pub std::vec::IntoIter<Event>);

impl EventStream for Noted {
    fn next_event(&mut self, _: Option<Duration>, _: &Cancel) -> Result<Option<Event>> {
        Ok(self.0.next())
    }
}
