//! What a container and an image are, taken together from the store and the kernel.

use super::Backend;
use super::native::Native;
use crate::model::anatomy::{Anatomy, Difference, ImageAnatomy, Layer};
use crate::model::build::{Change, ChangeKind};
use crate::model::digest::Digest;
use crate::model::id::ContainerId;
use crate::model::image::PullPolicy;
use crate::model::stats::Stats;
use crate::model::{Kind, Result};

/// How many changed paths are named.
const EXAMPLES: usize = 8;

impl Native {
    pub(super) fn anatomy_of(&self, id: &ContainerId) -> Result<Anatomy> {
        let container = self.inspect(id)?;
        let all = self.ps()?;
        let live = container.state.status.is_live();
        // What rests can't be looked into on every kernel; then only the disk tells of it.
        let difference = match self.diff(id) {
            Err(error) if error.kind() == Kind::Unsupported => Difference::default(),
            changes => difference(&changes?),
        };
        // An ordinary user may have no cgroup, and then nothing counts what is used.
        let stats = match self.stats(id) {
            Err(error) if error.kind() == Kind::Unsupported => Stats::default(),
            stats => stats?,
        };
        Ok(Anatomy {
            namespaces: self.runtime.namespaces(&container, &all),
            processes: self.runtime.inhabitants(id)?,
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

    pub(super) fn image_anatomy_of(&self, reference: &str) -> Result<ImageAnatomy> {
        let image = self.image(reference, PullPolicy::Missing)?;
        let users = self.ps()?.into_iter().filter(|container| container.spec.image.id == image.id);
        Ok(ImageAnatomy {
            layers: self.layers_of(&image.layers)?,
            history: self.history(image.id.as_str())?,
            users: users.map(|container| container.state.name.to_string()).collect(),
            image,
        })
    }

    fn layers_of(&self, keys: &[Digest]) -> Result<Vec<Layer>> {
        let store = self.store()?;
        keys.iter().map(|key| store.contents(key)).collect()
    }
}

fn difference(changes: &[Change]) -> Difference {
    let count = |kind| changes.iter().filter(|change| change.kind == kind).count();
    let shown = |change: &Change| format!("{} {}", change.kind.letter(), change.path);
    Difference {
        added: count(ChangeKind::Added),
        changed: count(ChangeKind::Changed),
        deleted: count(ChangeKind::Deleted),
        examples: changes.iter().take(EXAMPLES).map(shown).collect(),
    }
}
