//! What an untrusted script sees of containers and volumes that it did not create: that they exist,
//! name, status, image and times.
//!
//! Each view is built from nothing and these fields, so a field that is new in a record is hidden
//! until it is named here. Environment, commands, values of labels, outputs, mounts and paths of
//! the host may be secrets of the user.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::policy::SandboxPolicy;
use crate::engine::{CancelToken, EventStream};
use crate::model::Result;
use crate::model::container::{Config, Container, ContainerSpec, HostConfig, State};
use crate::model::observe::event::{Event, EventAction, EventFilter, Type};
use crate::model::observe::volume::{Volume, VolumeUse};
use crate::model::value::health_check::Health;

/// Stands for a value that is not shown.
pub(super) const HIDDEN: &str = "(hidden)";

/// Returns what a script sees of a container.
pub(super) fn container(found: Container) -> Container {
    let Container { spec, state } = found;
    let config = Config {
        cmd: Some(vec![HIDDEN.to_owned()]),
        labels: hidden_values(spec.config.labels),
        ..Config::default()
    };
    let health = state.health.map(|health| Health { status: health.status, ..Health::starting() });
    let seen = State {
        status: state.status,
        exit_code: state.exit_code,
        oom_killed: state.oom_killed,
        started_at: state.started_at,
        finished_at: state.finished_at,
        restart_count: state.restart_count,
        health,
        ..State::created(state.name)
    };
    let spec = ContainerSpec {
        version: spec.version,
        id: spec.id,
        created: spec.created,
        image: spec.image,
        config,
        host_config: HostConfig::default(),
        session: None,
    };
    Container { spec, state: seen }
}

/// Returns what a script sees of a volume.
pub(super) fn volume(found: VolumeUse) -> VolumeUse {
    let labels = hidden_values(found.volume.labels);
    let options = hidden_values(found.volume.options);
    let volume = Volume { labels, options, ..found.volume };
    // The reason has a path of the host.
    let damaged = found.damaged.map(|_| HIDDEN.to_owned());
    VolumeUse { volume, mountpoint: HIDDEN.to_owned(), users: found.users, damaged }
}

/// Returns what a script sees of an event.
fn event(event: Event) -> Event {
    let shown: &[&str] = match (event.subject, event.verb()) {
        (Type::Volume, _) => &["container", "driver"],
        (_, verb) if verb == EventAction::Die.as_str() => {
            &["name", "image", "exitCode", "execDuration"]
        }
        (_, verb) if verb == EventAction::Kill.as_str() => &["name", "image", "signal"],
        (_, verb) if verb == EventAction::Rename.as_str() => &["name", "image", "oldName"],
        _ => &["name", "image"],
    };
    // After the colon of `exec_create: sh -c ...` is a command.
    let action = match event.verb() {
        verb if verb == EventAction::HealthStatus.as_str() => event.action.clone(),
        verb => verb.to_owned(),
    };
    let mut attributes = event.attributes;
    attributes.retain(|key, _| shown.contains(&key.as_str()));
    Event { action, attributes, ..event }
}

fn hidden_values(labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
    labels.into_keys().map(|key| (key, HIDDEN.to_owned())).collect()
}

/// The events of an engine as an untrusted script sees them.
#[derive(Debug)]
pub(super) struct SeenEvents {
    /// The stream of the engine, without a filter: to match what is hidden would show it.
    pub(super) all: Box<dyn EventStream>,
    /// The filter of the script.
    pub(super) filter: EventFilter,
    pub(super) policy: Arc<SandboxPolicy>,
}

impl SeenEvents {
    fn is_own(&self, event: &Event) -> bool {
        match event.subject {
            Type::Container => self.policy.has_created(&event.id),
            // Volumes have no identity in events, so their containers decide.
            Type::Volume => {
                let container = event.attributes.get("container");
                container.is_some_and(|id| self.policy.has_created(id))
            }
            Type::Image => true,
        }
    }
}

impl EventStream for SeenEvents {
    fn take_unreadable(&mut self) -> u64 {
        self.all.take_unreadable()
    }

    fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            // Events that do not match take from the same time limit.
            let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
            let Some(found) = self.all.next_event(left, cancel)? else { return Ok(None) };
            let seen = if self.is_own(&found) { found } else { event(found) };
            if self.filter.matches(&seen) {
                return Ok(Some(seen));
            }
        }
    }
}

#[cfg(test)]
#[path = "foreign_tests.rs"]
mod tests;
