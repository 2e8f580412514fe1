//! Events: records what this process did to a container, and reads the journal.

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::observe::event::EventOptions;
use crate::model::value::id::ContainerId;
use crate::runtime::record::journal::{EventReader, Journal, write_container_event};

impl Runtime {
    /// Returns the journal of this root.
    pub fn journal(&self) -> Journal {
        self.containers.journal()
    }

    /// Records an event of a container; nothing if its record was removed.
    pub fn event(
        &self,
        id: &ContainerId,
        action: impl Into<String>,
        attributes: &[(&str, String)],
    ) {
        if self.read_only {
            return;
        }
        write_container_event(&self.journal(), &self.directory(id), action, attributes);
    }

    /// Reads past events, and with `follow` waits for new ones.
    ///
    /// # Errors
    /// When the root cannot be read, or this user has too many inotify instances.
    pub fn events(&self, options: &EventOptions) -> Result<EventReader> {
        if options.follow {
            self.containers.prepare()?;
        }
        self.journal().read(options)
    }
}
