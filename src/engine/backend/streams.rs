//! Streams of log lines and events.

use std::fmt;
use std::time::Duration;

use super::CancelToken;
use crate::model::Result;
use crate::model::observe::event::Event;
use crate::model::observe::log::LogLine;

/// The log lines of a container, oldest first.
pub trait LogStream: Send + fmt::Debug {
    /// Returns the next line; `None` at the end. With `follow` it waits for more, until the
    /// container exits.
    ///
    /// # Errors
    /// The kind `cancelled` when `cancel` is cancelled, `timeout` when `timeout` passes without a
    /// line.
    fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>>;
}

/// Events, in the order in which they happened.
pub trait EventStream: Send + fmt::Debug {
    /// Returns how many lines of the journal could not be read since the last call.
    fn take_unreadable(&mut self) -> u64;

    /// Returns the next event; `None` at the end. With `follow` it waits for more, until the time
    /// that the options set.
    ///
    /// # Errors
    /// The kind `cancelled` when `cancel` is cancelled, `timeout` when `timeout` passes without an
    /// event.
    fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>>;
}
