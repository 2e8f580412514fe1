//! `Event`: something that happened, as a value.

use std::sync::Arc;

use super::format;
use crate::model::observe::event::Event as TimelineEvent;

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event(Arc<TimelineEvent>);

impl Event {
    /// As scripts see it.
    pub fn new(event: TimelineEvent) -> Self {
        Event(Arc::new(event))
    }

    /// The event itself.
    pub fn event(&self) -> &TimelineEvent {
        &self.0
    }

    /// As the command line shows it.
    pub fn line(&self) -> String {
        format::event(&self.0)
    }
}
