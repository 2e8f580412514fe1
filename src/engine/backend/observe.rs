//! The contract about what can be seen of an engine and its containers.

use serde_json::Value;

use super::contract::contract;
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
    /// What an engine and its containers show; nothing changes by it.
    pub trait Observe, passed on by observe($) {
        /// Whether it only tells what would be done: then nothing is worth waiting for.
        fn is_dry_run(&self) -> bool;
        /// What this engine and this host are.
        fn info(&self) -> Result<Info>;
        /// All containers, newest first. One whose record is damaged is listed as `dead`.
        fn ps(&self) -> Result<Vec<Container>>;
        /// One container.
        fn inspect(&self, id: &ContainerId) -> Result<Container>;
        /// One container as Docker's JSON, without the array around it.
        fn inspect_json(&self, id: &ContainerId) -> Result<Value>;
        /// What it is in the kernel and on the disk.
        fn introspect(&self, id: &ContainerId) -> Result<Introspection>;
        /// What a verb would do to it now, step by step.
        fn plan_action(&self, id: &ContainerId, action: Action) -> Result<Vec<TraceStep>>;
        /// What it uses now; all zero where it does not run.
        fn stats(&self, id: &ContainerId) -> Result<Stats>;
        /// Opens what it wrote.
        fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>>;
        /// Opens what happened to containers, images and volumes, and with `follow` what happens
        /// from now on. An event that was told before this call is there; one that is told later is
        /// not missed.
        fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>>;
        /// What images and containers take of the disk, and what could be given back.
        fn usage(&self) -> Result<Usage>;
    }
}
