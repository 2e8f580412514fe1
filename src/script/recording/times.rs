//! Times and events of a recording, and what its parts share.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::model::observe::event::{Action, Event};
use crate::model::script::recording::TimelineEvent;
use crate::model::{Error, Kind};

/// Whether an event moves a container to another status.
pub fn changes_status(event: &Event) -> bool {
    let moving = [
        Action::Create,
        Action::Start,
        Action::Pause,
        Action::Unpause,
        Action::Die,
        Action::Stop,
        Action::Restart,
        Action::Destroy,
    ];
    moving.iter().any(|action| action.as_str() == event.action)
}

/// An event of a container, as a recording that began at `begun` has it.
pub fn timeline_event(event: Event, begun: Timestamp) -> TimelineEvent {
    let own = ["exitCode", "signal", "oldName"];
    let detail = own.iter().find_map(|key| event.attributes.get(*key));
    let detail = detail.map(|detail| detail.trim_start_matches('/').to_owned());
    let detail = detail.unwrap_or_default();
    TimelineEvent { at: since(begun, event.time), action: event.action, detail }
}

/// How long after `begun` a time is.
pub fn since(begun: Timestamp, time: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(begun)).unwrap_or_default()
}

/// Locks, also after a panic of another holder.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether an error says that the container was removed.
pub fn is_removed(error: &Error) -> bool {
    error.kind() == Kind::NotFound
}
