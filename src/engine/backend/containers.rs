//! The contract about the life of containers, from `create` to `rm`.

use std::time::Duration;

use super::contract::contract;
use super::{CancelToken, Session};
use crate::model::Result;
use crate::model::container::Changes;
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;

contract! {
    /// Containers and their life.
    pub trait Containers, passed on by containers($) {
        /// The container that `query` names: its whole id, its name, or the unique beginning of its
        /// id, in this order.
        fn find(&self, query: &str) -> Result<ContainerId>;
        /// Makes a container from an image that is present; starts nothing.
        fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId>;
        /// Makes this process the owner of containers: those made with its token
        /// (`CreateOptions::session`) go when it ends, however it ends.
        fn start_session(&self) -> Result<Session>;
        /// Runs its program. Returns when it really runs, or why it does not (exit code 126, 127).
        fn start(&self, id: &ContainerId) -> Result<()>;
        /// Freezes it.
        fn pause(&self, id: &ContainerId) -> Result<()>;
        /// Thaws it.
        fn unpause(&self, id: &ContainerId) -> Result<()>;
        /// Sends the stop signal, waits for the grace time, then kills.
        fn stop(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()>;
        /// Sends a signal to its first process.
        fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()>;
        /// Stops and starts it.
        fn restart(
            &self,
            id: &ContainerId,
            options: &StopOptions,
            cancel: &CancelToken,
        ) -> Result<()>;
        /// Removes it, as the options say.
        fn rm(&self, id: &ContainerId, options: &RemoveOptions, cancel: &CancelToken) -> Result<()>;
        /// Changes its limits and its restart policy: immediately where it runs, and for later
        /// starts.
        fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()>;
        /// Gives it another name.
        fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()>;
        /// Waits until it has ended and returns its exit code; returns immediately for one that is
        /// not running. Fails with the kind `timeout` when `timeout` is over.
        fn wait(
            &self,
            id: &ContainerId,
            timeout: Option<Duration>,
            cancel: &CancelToken,
        ) -> Result<i32>;
    }
}
