//! A replacement for a damaged record.

use super::handle::Native;
use crate::model::Error;
use crate::model::container::status::Status;
use crate::model::container::{Config, Container, ContainerSpec, HostConfig, ImageUse, State};
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use jiff::Timestamp;

impl Native {
    /// Returns a container with a damaged record, as far as known.
    pub(super) fn damaged(&self, id: &ContainerId, error: &Error) -> Container {
        let spec = self.runtime.directory(id).read_spec().unwrap_or_else(|_| unknown_spec(id));
        let fallback = || id.short().parse().ok();
        let name = self.runtime.name_of(id).or_else(fallback);
        // A short id is always free as a name.
        let name = name.unwrap_or_else(|| ContainerName::generate(0, 1));
        let mut state = State::created(name);
        state.status = Status::Dead;
        state.error = error.to_string();
        Container { spec, state }
    }
}

fn unknown_spec(id: &ContainerId) -> ContainerSpec {
    ContainerSpec {
        version: crate::model::container::VERSION,
        id: id.clone(),
        created: Timestamp::UNIX_EPOCH,
        image: ImageUse {
            reference: "<unknown>".to_owned(),
            id: Digest::from_bytes(&[0; 32]),
            layers: Vec::new(),
        },
        config: Config::default(),
        host_config: HostConfig::default(),
        session: None,
    }
}
