//! The life of containers, by the runtime.

use std::time::Duration;

use super::creation::{ImageFound, NAME_ATTEMPTS};
use super::handle::Native;
use crate::engine::backend::{CancelToken, ContainerSession, Containers};
use crate::model::container::Changes;
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Kind, Result};

impl Containers for Native {
    fn find(&self, query: &str) -> Result<ContainerId> {
        self.runtime.find(query)
    }

    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        let store = self.store()?;
        let (found, since) = self.find_image(&store, image)?;
        let found = ImageFound { reference: image, image: found, since };
        let mut attempt = 1;
        loop {
            match self.try_create(&found, options, attempt) {
                Err(error)
                    if error.kind() == Kind::Exists
                        && options.name.is_none()
                        && attempt <= NAME_ATTEMPTS =>
                {
                    attempt += 1;
                }
                Ok(id) => return Ok(id),
                // Where layers have vanished, that is the reason.
                Err(error) => {
                    let gone = store.check_present(&found.image, found.since).err();
                    return Err(gone.unwrap_or(error));
                }
            }
        }
    }

    fn start_session(&self) -> Result<ContainerSession> {
        self.runtime.start_session()
    }

    fn start(&self, id: &ContainerId) -> Result<()> {
        self.runtime.start(id)
    }

    fn pause(&self, id: &ContainerId) -> Result<()> {
        self.runtime.pause(id)
    }

    fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.runtime.unpause(id)
    }

    fn stop(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()> {
        self.runtime.stop(id, options, cancel)
    }

    fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        self.runtime.kill(id, signal)
    }

    fn restart(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()> {
        self.runtime.restart(id, options, cancel)
    }

    fn rm(&self, id: &ContainerId, options: &RemoveOptions, cancel: &CancelToken) -> Result<()> {
        self.runtime.rm(id, options, cancel)
    }

    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        self.runtime.update(id, changes)
    }

    fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        self.runtime.rename(id, name)
    }

    fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        self.runtime.wait(id, timeout, cancel)
    }
}
