//! `Events`: a stream of events to loop over.

use super::handlers;
use crate::engine::{Backend, CancelToken, EventStream};
use crate::model::{Error, Result};
use crate::script::context::raise::in_loop;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::options::Watch;
use crate::script::values::event::Event;
use rhai::Dynamic;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The events since the stream was opened. A second loop continues where the first ended, so that
/// no event is lost between them.
#[derive(Clone, Debug)]
pub struct Events {
    stream: Arc<Mutex<Box<dyn EventStream>>>,
    timeout: Option<Duration>,
    cancel: CancelToken,
}

impl Events {
    /// Opens the stream; it contains all later events.
    pub fn open(backend: &Arc<dyn Backend>, watch: &Watch, cancel: &CancelToken) -> Result<Events> {
        let stream = Arc::new(Mutex::new(backend.events(&watch.options)?));
        Ok(Events { stream, timeout: watch.timeout, cancel: cancel.clone() })
    }

    /// Returns the events, until the end of the stream or the time limit, which counts from now.
    pub fn events(&self) -> impl Iterator<Item = Result<Event>> + use<> {
        let deadline = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let (events, mut over) = (self.clone(), false);
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            let next = handlers::next_item(left, &events.cancel, |timeout, cancel| {
                let mut stream = events.stream.lock().unwrap_or_else(PoisonError::into_inner);
                stream.next_event(timeout, cancel)
            });
            let next = next.transpose();
            // After an error the stream has ended.
            over = !matches!(next, Some(Ok(_)));
            next.map(|event| event.map(Event::new))
        })
    }

    /// Returns the iterator of a `for` loop.
    pub fn iterate(&self) -> Box<dyn Iterator<Item = RhaiResultOf<Dynamic>>> {
        let failed = |error: Error| in_loop(&error, "events");
        Box::new(self.events().map(move |event| event.map(Dynamic::from).map_err(failed)))
    }
}
