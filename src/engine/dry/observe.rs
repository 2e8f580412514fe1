//! The simulated state.

use serde_json::Value;

use super::state::Dry;
use super::streams::{SimulatedEvents, SimulatedLog};
use crate::engine::backend::{EventStream, LogStream, Observe};
use crate::model::container::Container;
use crate::model::container::status::Action;
use crate::model::image::usage::Usage;
use crate::model::inspect::ContainerPaths;
use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::Introspection;
use crate::model::observe::log::LogOptions;
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::script::trace::TraceStep;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result, inspect};

impl Observe for Dry {
    fn is_dry_run(&self) -> bool {
        self.programs.is_none()
    }

    fn info(&self) -> Result<Info> {
        self.inner.info()
    }

    fn ps(&self) -> Result<Vec<Container>> {
        Ok(self.state().containers.iter().map(|entry| entry.container.clone()).collect())
    }

    fn inspect(&self, id: &ContainerId) -> Result<Container> {
        self.container(id)
    }

    fn inspect_json(&self, id: &ContainerId) -> Result<Value> {
        Ok(inspect::container(&self.inspect(id)?, &ContainerPaths::default(), &[]))
    }

    fn introspect(&self, _: &ContainerId) -> Result<Introspection> {
        Err(Error::new(Kind::Unsupported, "cannot inspect containers in a dry run"))
    }

    fn plan_action(&self, _: &ContainerId, action: Action) -> Result<Vec<TraceStep>> {
        let message = format!("cannot explain `{}` in a dry run", action.verb());
        Err(Error::new(Kind::Unsupported, message))
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        if self.is_real(id) { self.inner.stats(id) } else { Ok(Stats::default()) }
    }

    fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>> {
        self.container(id)?;
        if self.is_real(id) {
            return self.inner.logs(id, &LogOptions { follow: false, ..options.clone() });
        }
        // In a dry run no line comes later.
        let follow = options.follow && !self.is_dry_run();
        let options = LogOptions { follow, ..options.clone() };
        Ok(Box::new(SimulatedLog::open(self.shared_state(), id, options)?))
    }

    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>> {
        // In a dry run no event comes later.
        let follow = options.follow && !self.is_dry_run();
        let options = EventOptions { follow, ..options.clone() };
        Ok(Box::new(SimulatedEvents::open(self.shared_state(), options)))
    }

    fn usage(&self) -> Result<Usage> {
        self.inner.usage()
    }
}
