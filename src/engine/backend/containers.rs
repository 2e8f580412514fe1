//! The contract about the life of containers, from `create` to `rm`.

use std::time::Duration;

use super::contract_macro::contract;
use super::{CancelToken, ContainerSession};
use crate::model::Result;
use crate::model::container::Changes;
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;

contract! {
    /// Containers and their life.
    pub trait Containers, passed on by containers($) {
        /// Finds the container that `query` names: its full id, its name, or the unique beginning
        /// of its id, in this order.
        fn find(&self, query: &str) -> Result<ContainerId>;
        /// Creates a container from an image that is present; starts nothing.
        fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId>;
        /// Starts a session of this process: containers created with its token
        /// (`CreateOptions::session`) are removed when the process exits, however it does.
        fn start_session(&self) -> Result<ContainerSession>;
        /// Starts a container. Returns when its program runs; fails with the reason if it does not
        /// (exit code 126, 127).
        fn start(&self, id: &ContainerId) -> Result<()>;
        /// Pauses a container.
        fn pause(&self, id: &ContainerId) -> Result<()>;
        /// Unpauses a container.
        fn unpause(&self, id: &ContainerId) -> Result<()>;
        /// Sends the stop signal, waits for the stop timeout, then kills.
        fn stop(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()>;
        /// Sends a signal to a container's first process.
        fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()>;
        /// Stops and starts a container.
        fn restart(
            &self,
            id: &ContainerId,
            options: &StopOptions,
            cancel: &CancelToken,
        ) -> Result<()>;
        /// Removes a container, as the options say.
        fn rm(&self, id: &ContainerId, options: &RemoveOptions, cancel: &CancelToken) -> Result<()>;
        /// Changes a container's limits and its restart policy: immediately if it runs, and for
        /// later starts.
        fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()>;
        /// Renames a container.
        fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()>;
        /// Waits until a container exits and returns its exit code; returns immediately if it does
        /// not run. Fails with the kind `timeout` after `timeout`.
        fn wait(
            &self,
            id: &ContainerId,
            timeout: Option<Duration>,
            cancel: &CancelToken,
        ) -> Result<i32>;
    }
}
