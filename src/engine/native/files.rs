//! Containers as files: what they changed, all that they see, and images made of either.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;

use serde_json::Value;

use super::backend::Native;
use crate::engine::backend::{Backend, CancelToken};
use crate::engine::dockerfile::instructions;
use crate::image::{Files, Origin, build::configure, tree_size};
use crate::model::container::Container;
use crate::model::container::status::Status;
use crate::model::container::storage::Driver;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{Change, CommitOptions, ImportOptions};
use crate::model::observe::event::Action;
use crate::model::value::id::ContainerId;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

/// Where the files of a container are.
struct ContainerFiles {
    upper: std::path::PathBuf,
    /// When all was copied, where it was.
    copied: Option<(i64, i64)>,
    container: Container,
    mounts: Vec<String>,
}

impl ContainerFiles {
    fn files(&self) -> Files<'_> {
        Files {
            upper: &self.upper,
            copied: self.copied,
            layers: &self.container.spec.image.layers,
            mounts: &self.mounts,
        }
    }
}

/// Thaws a container again, whatever happens.
struct PauseGuard<'a> {
    engine: &'a Native,
    id: &'a ContainerId,
}

impl Drop for PauseGuard<'_> {
    fn drop(&mut self) {
        // It may have been killed or thawed meanwhile, which is as well.
        let _ = self.engine.unpause(self.id);
    }
}

impl Native {
    fn container_files(&self, id: &ContainerId, verb: &str) -> Result<ContainerFiles> {
        let container = self.inspect(id)?;
        let name = container.state.name.to_string();
        if container.state.status == Status::Dead {
            let message = format!("cannot {verb} `{name}`: its record is damaged");
            return Err(Error::new(Kind::Refused, message)
                .hint("it can only be removed: `rm -f`")
                .container(name, Some("dead")));
        }
        let directory = self.runtime.directory(id);
        let not_found_or = |error| self.runtime.not_found_or(id, error);
        let config: Value = directory.read("config.json").map_err(not_found_or)?;
        let mounts = config.get("mounts").and_then(Value::as_array).into_iter().flatten();
        let paths = mounts.filter_map(|mount| mount.get("destination").and_then(Value::as_str));
        let mounts = paths.map(str::to_owned).collect();
        let (name, copied) = match container.spec.host.storage {
            Driver::Overlay => ("upper", None),
            // It was written when the copy was whole.
            Driver::Vfs => {
                let path = directory.file("config.json");
                let written = std::fs::metadata(&path);
                let written = written.context(|| format!("stat `{}`", path.display()));
                let written = written.map_err(not_found_or)?;
                ("rootfs", Some((written.mtime(), written.mtime_nsec())))
            }
        };
        Ok(ContainerFiles { upper: directory.file(name), copied, container, mounts })
    }

    /// What was read of a container's files, unless these were removed meanwhile: what is removed
    /// vanishes file by file, so a part of it may be all that was found.
    pub(crate) fn unless_removed<T>(
        &self,
        id: &ContainerId,
        name: &str,
        read: Result<T>,
    ) -> Result<T> {
        // Nothing is read after this, and what is removed is moved away first.
        if self.runtime.directory(id).path().exists() {
            return read;
        }
        let message = format!("the container `{name}` was removed meanwhile");
        Err(Error::new(Kind::NotFound, message).container(name, None))
    }

    /// How many bytes a container has written.
    pub(crate) fn written_bytes(&self, id: &ContainerId) -> Result<u64> {
        let directory = self.runtime.directory(id);
        let upper = directory.file("upper");
        if upper.exists() {
            return Ok(tree_size(&upper));
        }
        match self.container_files(id, "measure") {
            Ok(place) => self.store()?.changed_bytes(place.files()),
            // Of a damaged record no more is known than what stands there.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Corrupt) => {
                Ok(tree_size(&directory.file("rootfs")))
            }
            Err(error) => Err(error),
        }
    }

    /// What a container has changed.
    pub(crate) fn changes(&self, id: &ContainerId) -> Result<Vec<Change>> {
        let place = self.container_files(id, "compare")?;
        let changes = self.store()?.changes(place.files());
        self.unless_removed(id, place.container.state.name.as_str(), changes)
    }

    /// Writes all that a container sees as a tar.
    pub(crate) fn write_export(
        &self,
        id: &ContainerId,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<()> {
        let place = self.container_files(id, "export")?;
        let name = place.container.state.name.as_str();
        let exported = self.store()?.export(place.files(), out, &|| cancel.check());
        self.unless_removed(id, name, exported).context(|| format!("cannot export `{name}`"))?;
        self.runtime.event(id, Action::Export, &[]);
        Ok(())
    }

    /// Makes an image of a container.
    pub(crate) fn create_commit(
        &self,
        id: &ContainerId,
        reference: Option<&Reference>,
        options: &CommitOptions,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let place = self.container_files(id, "commit")?;
        let name = place.container.state.name.to_string();
        let spec = &place.container.spec;
        let store = self.store()?;
        let _use = self.share_images()?;
        let parent = store.find(spec.image.id.as_str()).map_err(|error| {
            error
                .context(format!("cannot commit `{name}`: the image it was made from is gone"))
                .hint(format!("load `{}` again, or `export` the container", spec.image.reference))
        })?;
        let mut document = parent.document.clone();
        configure::take_container(&mut document, &spec.config);
        // Words that are wrong are said before anything is frozen.
        instructions::change(&mut document, &options.changes)?;
        let origin = Origin {
            created_by: spec.config.cmd.as_ref().map(|cmd| cmd.join(" ")).unwrap_or_default(),
            comment: &options.message,
            author: &options.author,
            reference,
            step: None,
        };
        let frozen = if options.pause && place.container.state.status == Status::Running {
            match self.pause(id) {
                Ok(()) => Some(PauseGuard { engine: self, id }),
                // It has just ended: nothing changes any more.
                Err(error) if error.kind() == Kind::Refused => None,
                Err(error) if error.kind() == Kind::Unsupported => {
                    let way = error.hint_text().unwrap_or_default().to_owned();
                    return Err(error.hint(format!(
                        "without a pause (--pause=false) it runs on meanwhile; for one: {way}"
                    )));
                }
                Err(error) => return Err(error),
            }
        } else {
            None
        };
        let image = self.commit_files(&place, &parent, document, &origin, cancel);
        drop(frozen);
        let image = image.context(|| format!("cannot commit `{name}`"))?;
        self.emit_commit(id, &image, reference, &options.message);
        Ok(image)
    }

    fn commit_files(
        &self,
        place: &ContainerFiles,
        parent: &Image,
        document: Value,
        origin: &Origin<'_>,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let upper = &place.upper;
        self.store()?.commit(parent, place.files(), document, origin, &|| {
            cancel.check()?;
            // What is removed meanwhile vanishes file by file: a part of it is no image.
            if upper.exists() {
                Ok(())
            } else {
                Err(Error::new(Kind::NotFound, "the container was removed meanwhile"))
            }
        })
    }

    /// Makes an image of what a container that ran for a build has changed.
    pub(crate) fn commit_run(
        &self,
        id: &ContainerId,
        parent: &Image,
        origin: &Origin<'_>,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let place = self.container_files(id, "commit")?;
        let _use = self.share_images()?;
        self.commit_files(&place, parent, parent.document.clone(), origin, cancel)
    }

    /// Makes an image of a root file system.
    pub(crate) fn create_import(
        &self,
        archive: &mut (dyn Read + Send),
        options: &ImportOptions,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let store = self.store()?;
        let mut document = store.empty_document();
        if let Some(platform) = &options.platform {
            if platform.os != "linux" {
                let message = format!("images for {platform} are not made here");
                return Err(Error::new(Kind::Unsupported, message).hint("such as linux/arm64"));
            }
            document["architecture"] = platform.architecture.as_str().into();
            if !platform.variant.is_empty() {
                document["variant"] = platform.variant.as_str().into();
            }
        }
        instructions::change(&mut document, &options.changes)?;
        for step in &options.steps {
            configure::configure(&mut document, step)?;
        }
        let message = match options.message.as_str() {
            "" => "Imported from -",
            message => message,
        };
        let origin =
            Origin { comment: message, reference: options.reference.as_ref(), ..Origin::default() };
        let image = store.import_root(archive, document, &origin, &|| cancel.check())?;
        if let Some(reference) = &options.reference {
            self.emit(Action::Tag, &image, Some(reference));
        }
        self.emit(Action::Import, &image, None);
        Ok(image)
    }
}
