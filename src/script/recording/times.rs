//! Times, events and helpers of a recording.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::observe::event::{Event, EventAction};
use crate::model::script::recording::TimelineEvent;
use crate::model::{Error, Kind};

/// Returns whether an event changes the status of a container.
pub fn changes_status(event: &Event) -> bool {
    let moving = [
        EventAction::Create,
        EventAction::Start,
        EventAction::Pause,
        EventAction::Unpause,
        EventAction::Die,
        EventAction::Stop,
        EventAction::Restart,
        EventAction::Destroy,
    ];
    moving.iter().any(|action| action.as_str() == event.action)
}

/// Converts an event for a recording that began at `start`.
pub fn timeline_event(event: Event, start: Timestamp) -> TimelineEvent {
    let own = ["exitCode", "signal", "oldName"];
    let detail = own.iter().find_map(|key| event.attributes.get(*key));
    let detail = detail.map(|detail| detail.trim_start_matches('/').to_owned());
    let detail = detail.unwrap_or_default();
    TimelineEvent { at: since(start, event.time), action: event.action, detail }
}

/// Returns the time since `start`.
pub fn since(start: Timestamp, time: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(start)).unwrap_or_default()
}

/// Locks, also after a panic of another holder.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether an error says that the container was removed.
pub fn is_removed(error: &Error) -> bool {
    error.kind() == Kind::NotFound
}
