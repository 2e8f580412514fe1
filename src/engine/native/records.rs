//! What the engine tells of a container beside its record: where its files are, and what can be
//! told where the record is damaged.

use jiff::Timestamp;

use super::backend::Native;
use super::storage::Found;
use crate::engine::backend::Backend as _;
use crate::model::container::status::Status;
use crate::model::container::{Config, Container, ContainerSpec, HostConfig, ImageUse, State};
use crate::model::inspect::ContainerPaths;
use crate::model::observe::system::Info;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Result};
use crate::runtime::client::info;

impl Native {
    /// What this engine and this host are.
    pub(crate) fn describe(&self) -> Result<Info> {
        let containers = self.ps()?;
        let count = |wanted: &dyn Fn(Status) -> bool| {
            containers.iter().filter(|container| wanted(container.state.status)).count() as u64
        };
        let unknown = |error: Error| Found { why: Some(error.to_string()), ..Found::default() };
        let storage = self.driver().unwrap_or_else(unknown);
        let host = info::describe(&self.settings.cgroup_parent);
        Ok(Info {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            root: self.settings.root.display().to_string(),
            containers: containers.len() as u64,
            running: count(&|status| status == Status::Running),
            paused: count(&|status| status == Status::Paused),
            stopped: count(&|status| !status.is_live()),
            images: if self.settings.root.exists() { self.images()?.len() as u64 } else { 0 },
            kernel: host.kernel,
            architecture: host.architecture,
            cgroup_version: host.cgroup_version,
            cgroup_controllers: host.cgroup_controllers,
            storage: storage.driver.to_string(),
            cpus: host.cpus,
            memory: host.memory,
            rootless: host.rootless,
            uid_map: host.uid_map,
            gid_map: host.gid_map,
            security_options: host.security_options,
            warnings: host.warnings.into_iter().chain(storage.why).collect(),
        })
    }

    /// A container whose record is damaged, as far as it can be told.
    pub(crate) fn damaged(&self, id: &ContainerId, error: &Error) -> Container {
        let spec = self.runtime.directory(id).read_spec().unwrap_or_else(|_| unknown_spec(id));
        let fallback = || id.short().parse().ok();
        let name = self.runtime.name_of(id).or_else(fallback);
        // A short id is always a name, so there is one.
        let name = name.unwrap_or_else(|| ContainerName::generate(0, 1));
        let mut state = State::created(name);
        state.status = Status::Dead;
        state.error = error.to_string();
        Container { spec, state }
    }

    pub(crate) fn paths(&self, container: &Container) -> Result<ContainerPaths> {
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
