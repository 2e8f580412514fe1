//! What a container and an image are, taken together from the store and the kernel.

use std::path::{Path, PathBuf};

use super::backend::Native;
use crate::engine::backend::Backend;
use crate::image::entry_at;
use crate::model::container::Container;
use crate::model::container::storage::Driver;
use crate::model::image::PullPolicy;
use crate::model::image::build::{Change, ChangeKind};
use crate::model::observe::introspection::{
    Difference, ImageIntrospection, Introspection, Layer, PathLayer, PathLayers,
};
use crate::model::observe::stats::Stats;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// How many changed paths are named.
const EXAMPLES: usize = 8;

impl Native {
    pub(crate) fn introspect_container(&self, id: &ContainerId) -> Result<Introspection> {
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

    pub(crate) fn image_introspection(&self, reference: &str) -> Result<ImageIntrospection> {
        let image = self.image(reference, PullPolicy::Missing)?;
        let users = self.ps()?.into_iter().filter(|container| container.spec.image.id == image.id);
        Ok(ImageIntrospection {
            layers: self.layers_of(&image.layers)?,
            history: self.history(image.id.as_str())?,
            users: users.map(|container| container.state.name.to_string()).collect(),
            image,
        })
    }

    /// Looks at each layer as it is: links are told of and not followed.
    pub(crate) fn layers_of_path(&self, id: &ContainerId, path: &str) -> Result<PathLayers> {
        let parts: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
        let parts: Vec<&[u8]> =
            parts.into_iter().filter(|part| !part.is_empty() && *part != b".").collect();
        if !path.starts_with('/') || parts.contains(&b"..".as_slice()) {
            let message = format!("`{path}` is no absolute path of a container");
            return Err(Error::new(Kind::Invalid, message).hint("such as /etc/hostname"));
        }
        let container = self.inspect(id)?;
        let live = container.state.status.is_live();
        let mounts = if live { self.runtime.mount_points(&container) } else { Vec::new() };
        let mut layers = Vec::new();
        for (layer, place) in self.places(&container)? {
            layers.extend(entry_at(&place, &parts)?.map(|what| PathLayer { layer, entry: what }));
        }
        Ok(PathLayers {
            name: container.state.name,
            // The root itself is what its layers make; of mounts on each other the last is seen.
            mount: mounts
                .into_iter()
                .filter(|mount| mount.path != "/" && Path::new(path).starts_with(&mount.path))
                .max_by_key(|mount| mount.path.len()),
            layers,
        })
    }

    /// Where its layers are, from the top, with their numbers.
    fn places(&self, container: &Container) -> Result<Vec<(Option<usize>, PathBuf)>> {
        let directory = self.runtime.directory(&container.spec.id);
        // A copied root is all that there is of it.
        if container.spec.host.storage == Driver::Vfs {
            return Ok(vec![(None, directory.file("rootfs"))]);
        }
        let own = [(None, directory.file("upper"))];
        let store = self.store()?;
        let layers = (1..).zip(&container.spec.image.layers);
        let mut places: Vec<_> =
            layers.map(|(number, key)| (Some(number), store.layer_dir(key))).chain(own).collect();
        places.reverse();
        Ok(places)
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
