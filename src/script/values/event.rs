//! `Event`: an event as a script value.

use std::sync::Arc;

use super::format;
use crate::model::observe::event::Event as TimelineEvent;

/// An event.
#[derive(Clone, Debug)]
pub struct Event(Arc<TimelineEvent>);

impl Event {
    /// Wraps an event for scripts.
    pub fn new(event: TimelineEvent) -> Self {
        Event(Arc::new(event))
    }

    /// Returns the event.
    pub fn event(&self) -> &TimelineEvent {
        &self.0
    }

    /// Returns the event as the command line prints it.
    pub fn line(&self) -> String {
        format::event(&self.0)
    }
}
