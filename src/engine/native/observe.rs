//! The state of the engine and its containers: records, the kernel, logs and events.

use std::path::Path;

use serde_json::Value;

use super::handle::Native;
use super::storage::Found;
use crate::engine::backend::{
    EventStream, Files as _, Images as _, LogStream, Observe, Volumes as _,
};
use crate::image::tree_size;
use crate::model::container::Container;
use crate::model::container::status::{Action, Status};
use crate::model::image::build::{Change, ChangeKind};
use crate::model::image::usage::{ContainerUsage, Usage, VolumeUsage};
use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::{Difference, Introspection};
use crate::model::observe::log::LogOptions;
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::volume::VolumeUse;
use crate::model::script::trace::TraceStep;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result, inspect};
use crate::runtime::client::info;

impl Observe for Native {
    fn is_dry_run(&self) -> bool {
        false
    }

    fn info(&self) -> Result<Info> {
        let containers = self.ps()?;
        let count = |accepts: &dyn Fn(Status) -> bool| {
            containers.iter().filter(|container| accepts(container.state.status)).count() as u64
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
            name: host.name,
            operating_system: host.operating_system,
            os_version: host.os_version,
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

    fn ps(&self) -> Result<Vec<Container>> {
        let all = self.runtime.ps()?.into_iter();
        Ok(all
            .map(|(id, result)| result.unwrap_or_else(|error| self.damaged(&id, &error)))
            .collect())
    }

    fn inspect(&self, id: &ContainerId) -> Result<Container> {
        match self.runtime.inspect(id) {
            Err(error) if error.kind() == Kind::Corrupt => Ok(self.damaged(id, &error)),
            result => result,
        }
    }

    fn inspect_json(&self, id: &ContainerId) -> Result<Value> {
        let container = self.inspect(id)?;
        let execs = self.runtime.execs(&container);
        Ok(inspect::container(&container, &self.paths(&container)?, &execs))
    }

    fn introspect(&self, id: &ContainerId) -> Result<Introspection> {
        let container = self.inspect(id)?;
        let all = self.ps()?;
        let live = container.state.status.is_live();
        // The rest can be shown where the files are nested too deeply to be compared.
        let difference = match self.diff(id) {
            Err(error) if error.kind() == Kind::Unsupported => {
                Difference { unknown: Some(error.to_string()), ..Difference::default() }
            }
            changes => difference(&changes?),
        };
        // An ordinary user may have no cgroup, and then usage is not counted.
        let stats = match self.stats(id) {
            Err(error) if error.kind() == Kind::Unsupported => Stats::default(),
            stats => stats?,
        };
        Ok(Introspection {
            namespaces: self.runtime.namespaces(&container, &all),
            processes: self.runtime.process_views(id)?,
            cgroups: if live { self.runtime.cgroups(id)? } else { Vec::new() },
            stats,
            mounts: if live { self.runtime.mount_points(&container) } else { Vec::new() },
            layers: self.layers_of(&container.spec.image.layers)?,
            difference,
            written: self.container_size(id)?,
            ports: self.runtime.listening(id)?,
            container,
        })
    }

    fn plan_action(&self, id: &ContainerId, action: Action) -> Result<Vec<TraceStep>> {
        self.runtime.plan_action(id, action)
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        self.runtime.stats(id)
    }

    fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>> {
        Ok(Box::new(self.runtime.logs(id, options)?))
    }

    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>> {
        Ok(Box::new(self.runtime.events(options)?))
    }

    fn usage(&self) -> Result<Usage> {
        let usage = self.store()?.usage(&self.users()?)?;
        let containers = self.ps()?.into_iter().filter_map(|container| {
            let id = container.spec.id;
            match self.container_size(&id) {
                // It was removed meanwhile.
                Err(error) if error.kind() == Kind::NotFound => None,
                size => Some(size.map(|size| ContainerUsage { id, size })),
            }
        });
        let volume = |one: VolumeUse| VolumeUsage {
            size: tree_size(Path::new(&one.mountpoint)),
            links: one.users.len() as u64,
            name: one.volume.name,
        };
        // As in Docker: the files of a device are not the engine's.
        let own = |one: &VolumeUse| one.volume.options.is_empty();
        let volumes = self.volumes()?.into_iter().filter(own).map(volume).collect();
        Ok(Usage { containers: containers.collect::<Result<_>>()?, volumes, ..usage })
    }
}

/// How many changed paths are listed.
const EXAMPLES: usize = 8;

fn difference(changes: &[Change]) -> Difference {
    let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
    let format_change = |change: &Change| format!("{} {}", change.kind.letter(), change.path);
    Difference {
        added: count(ChangeKind::Added),
        changed: count(ChangeKind::Changed),
        deleted: count(ChangeKind::Deleted),
        examples: changes.iter().take(EXAMPLES).map(format_change).collect(),
        unknown: None,
    }
}
