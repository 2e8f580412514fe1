//! Events: writes down what this process did with a container, and reads what happened.

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::observe::event::EventOptions;
use crate::model::value::id::ContainerId;
use crate::runtime::record::journal::{EventReader, Journal, write_container_event};

impl Runtime {
    /// Where events of this root are written.
    pub fn journal(&self) -> Journal {
        self.containers.journal()
    }

    /// Writes down what this process did with a container; nothing where its record is gone.
    pub fn event(&self, id: &ContainerId, action: impl Into<String>, own: &[(&str, String)]) {
        write_container_event(&self.journal(), &self.directory(id), action, own);
    }

    /// What happened, and with `follow` what happens.
    ///
    /// # Errors
    /// When the root can't be read, or this user follows too much already.
    pub fn events(&self, options: &EventOptions) -> Result<EventReader> {
        if options.follow {
            self.containers.prepare()?;
        }
        self.journal().read(options)
    }
}
