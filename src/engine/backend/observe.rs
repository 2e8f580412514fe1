//! The contract about the state of an engine and its containers.

use serde_json::Value;

use super::contract_macro::contract;
use super::{EventStream, LogStream};
use crate::model::Result;
use crate::model::container::Container;
use crate::model::container::status::Action;
use crate::model::image::usage::Usage;
use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::Introspection;
use crate::model::observe::log::LogOptions;
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::script::trace::TraceStep;
use crate::model::value::id::ContainerId;

contract! {
    /// Reads the state of an engine and its containers; changes nothing.
    pub trait Observe, passed on by observe($) {
        /// Returns whether the engine only reports what it would do: then there is nothing to wait
        /// for.
        fn is_dry_run(&self) -> bool;
        /// Describes the engine and the host.
        fn info(&self) -> Result<Info>;
        /// Returns all containers, newest first. One with a damaged record is listed as `dead`.
        fn ps(&self) -> Result<Vec<Container>>;
        /// Returns a container.
        fn inspect(&self, id: &ContainerId) -> Result<Container>;
        /// Returns a container as Docker's JSON, without the array around it.
        fn inspect_json(&self, id: &ContainerId) -> Result<Value>;
        /// Returns what a container is in the kernel and on disk.
        fn introspect(&self, id: &ContainerId) -> Result<Introspection>;
        /// Returns what a verb would do to a container now, step by step.
        fn plan_action(&self, id: &ContainerId, action: Action) -> Result<Vec<TraceStep>>;
        /// Returns the current usage of a container; zeros if it does not run.
        fn stats(&self, id: &ContainerId) -> Result<Stats>;
        /// Opens the log of a container.
        fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>>;
        /// Opens the past events of containers, images and volumes, and with `follow` the future
        /// ones. No event before or after this call is missed.
        fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>>;
        /// Returns the disk usage of images and containers, and what could be freed.
        fn usage(&self) -> Result<Usage>;
    }
}
