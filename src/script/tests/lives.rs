//! The events of the containers in memory: creation, start and exit of each, in the order of
//! creation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::entry::Entry;
use crate::engine::{CancelToken, EventStream};
use crate::model::container::status::Status;
use crate::model::observe::event::{Action, Event, EventOptions, exit_attributes};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

#[derive(Debug)]
pub struct Lives {
    world: Arc<Mutex<HashMap<ContainerId, Entry>>>,
    options: EventOptions,
    sent: usize,
}

impl Lives {
    pub fn open(world: &Arc<Mutex<HashMap<ContainerId, Entry>>>, options: &EventOptions) -> Self {
        let past = !options.follow || options.since.is_some();
        let mut lives = Lives { world: Arc::clone(world), options: options.clone(), sent: 0 };
        lives.sent = if past { 0 } else { lives.all().len() };
        lives
    }

    fn all(&self) -> Vec<Event> {
        let world = self.world.lock().unwrap();
        let mut entries: Vec<_> = world.values().map(|entry| entry.container.clone()).collect();
        entries.sort_by_key(|container| container.spec.created);
        let sent = entries.iter().flat_map(|container| {
            let (spec, state) = (&container.spec, &container.state);
            let event = |action, own: &[_]| Event::of_container(spec, &state.name, action, own);
            let mut life = vec![event(Action::Create, &[])];
            if let Some(begun) = state.started_at {
                life.push(event(Action::Start, &[]));
                if state.status == Status::Exited {
                    life.push(event(Action::Die, &exit_attributes(state.exit_code, begun)));
                }
            }
            life
        });
        sent.filter(|event| self.options.filter.matches(event)).collect()
    }
}

impl EventStream for Lives {
    fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            if let Some(event) = self.all().get(self.sent) {
                self.sent += 1;
                return Ok(Some(event.clone()));
            }
            if !self.options.follow {
                return Ok(None);
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Err(Error::new(Kind::Timeout, "no further event in time"));
            }
            cancel.sleep(Duration::from_millis(1))?;
        }
    }
}
