//! The directories of a container's root, and images created from them.

use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use super::handle::Native;
use crate::engine::backend::{CancelToken, Observe as _};
use crate::image::{Files, Origin};
use crate::model::container::Container;
use crate::model::container::status::Status;
use crate::model::container::storage::Driver;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::store_dir;

/// The directories of a container's files.
pub(super) struct RootDirs {
    upper: std::path::PathBuf,
    /// When the copy of the layers was complete, if the root is a copy.
    copied: Option<(i64, i64)>,
    pub(super) container: Container,
    mounts: Vec<String>,
}

impl RootDirs {
    pub(super) fn files(&self) -> Files<'_> {
        Files {
            upper: &self.upper,
            copied: self.copied,
            layers: &self.container.spec.image.layers,
            mounts: &self.mounts,
        }
    }
}

impl Native {
    pub(super) fn root_dirs(&self, id: &ContainerId, verb: &str) -> Result<RootDirs> {
        let container = self.inspect(id)?;
        let name = container.state.name.to_string();
        if container.state.status == Status::Dead {
            let message = format!("cannot {verb} `{name}`: its record is damaged");
            return Err(Error::new(Kind::Refused, message)
                .hint(format!("remove it: lifebox rm -f {name}"))
                .container(name, Some("dead")));
        }
        let directory = self.runtime.directory(id);
        let not_found_or = |error| self.runtime.not_found_or(id, error);
        let config: Value = directory.read("config.json").map_err(not_found_or)?;
        let mounts = config.get("mounts").and_then(Value::as_array).into_iter().flatten();
        let paths = mounts.filter_map(|mount| mount.get("destination").and_then(Value::as_str));
        let mounts = paths.map(str::to_owned).collect();
        let (name, copied) = match container.spec.host_config.storage {
            Driver::Overlay => ("upper", None),
            // The file was written when the copy was complete.
            Driver::Vfs => {
                let path = directory.file("config.json");
                let written = std::fs::metadata(&path);
                let written = written.context(|| format!("stat `{}`", path.display()));
                let written = written.map_err(not_found_or)?;
                ("rootfs", Some((written.mtime(), written.mtime_nsec())))
            }
        };
        let upper = directory.file(name);
        store_dir::check(&upper).map_err(not_found_or)?;
        Ok(RootDirs { upper, copied, container, mounts })
    }

    /// Returns what was read of a container's files, unless they were removed meanwhile: a removal
    /// deletes file by file, so only a part may have been read.
    pub(super) fn unless_removed<T>(
        &self,
        id: &ContainerId,
        name: &str,
        read: Result<T>,
    ) -> Result<T> {
        // Nothing is read after this, and a removal renames the directory first.
        if self.runtime.directory(id).path().exists() {
            return read;
        }
        let message = format!("the container `{name}` was removed meanwhile");
        Err(Error::new(Kind::NotFound, message).container(name, None))
    }

    pub(super) fn commit_files(
        &self,
        place: &RootDirs,
        parent: &Image,
        document: Value,
        origin: &Origin<'_>,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let upper = &place.upper;
        self.store()?.commit(parent, place.files(), document, origin, &|| {
            cancel.check()?;
            // A removal deletes file by file: a part of the files is not an image.
            if upper.exists() {
                Ok(())
            } else {
                Err(Error::new(Kind::NotFound, "the container was removed meanwhile"))
            }
        })
    }

    /// Creates an image from the changes of a build container.
    pub(super) fn commit_run(
        &self,
        id: &ContainerId,
        parent: &Image,
        origin: &Origin<'_>,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let place = self.root_dirs(id, "commit")?;
        self.commit_files(&place, parent, parent.document.clone(), origin, cancel)
    }
}
