//! Facts about a container besides its record: the paths of its files, and a replacement for a
//! damaged record.

use super::handle::Native;
use crate::model::container::status::Status;
use crate::model::container::{Config, Container, ContainerSpec, HostConfig, ImageUse, State};
use crate::model::inspect::ContainerPaths;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Result};
use jiff::Timestamp;

impl Native {
    /// Reads the spec of the container of this name.
    pub(super) fn spec_of(&self, name: &str) -> Result<ContainerSpec> {
        self.runtime.directory(&self.runtime.find(name)?).read_spec()
    }

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

    pub(super) fn paths(&self, container: &Container) -> Result<ContainerPaths> {
        let directory = self.runtime.directory(&container.spec.id);
        let file = |name: &str| directory.file(name).display().to_string();
        // Docker names no file before the first start.
        let started = |name: &str| {
            if container.state.started_at.is_some() { file(name) } else { String::new() }
        };
        let store = self.store()?;
        let layers = container.spec.image.layers.iter().rev();
        Ok(ContainerPaths {
            log: started("log.jsonl"),
            hostname: started("hostname"),
            hosts: started("hosts"),
            resolv_conf: started("resolv.conf"),
            lower: layers.map(|layer| store.layer_dir(layer).display().to_string()).collect(),
            upper: file("upper"),
            volumes: self.settings.root.join("volumes").display().to_string(),
            work: file("work"),
            merged: file("rootfs"),
        })
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
        host: HostConfig::default(),
        session: None,
    }
}
