//! The files of containers: their changes, their export, and copies in and out.

use std::io::Write;
use std::path::Path;

use super::handle::Native;
use super::transfer;
use crate::engine::backend::{CancelToken, CopyOptions, Files, Observe as _, Transfer};
use crate::engine::dockerfile::instructions;
use crate::image::build::configure;
use crate::image::{Origin, entry_at, tree_size, written_size};
use crate::model::container::status::Status;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{Change, CommitOptions};
use crate::model::observe::event::EventAction;
use crate::model::observe::introspection::{PathLayer, PathLayers};
use crate::model::value::id::ContainerId;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

impl Files for Native {
    fn copy(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        if let Transfer::Out { to, .. } = &what {
            transfer::check_target(to)?;
        }
        // Held until the copy is done: no process starts a stopped container meanwhile.
        let root = self.runtime.root(id)?;
        let container = self.runtime.inspect(id)?;
        transfer::check_mounts(&container, &what)?;
        let action = match what {
            Transfer::In { .. } | Transfer::Unpack { .. } | Transfer::Write { .. } => {
                EventAction::ExtractToDir
            }
            Transfer::Out { .. } | Transfer::Pack { .. } | Transfer::Read { .. } => {
                EventAction::ArchivePath
            }
        };
        let of_many = matches!(what, Transfer::Out { .. } | Transfer::Pack { .. });
        let done = transfer::copy_between(&root.directory, what, options, cancel);
        // A container with `--rm` may have been removed.
        match done {
            Ok(()) if !of_many => {}
            done => self.unless_removed(id, container.state.name.as_str(), done)?,
        }
        self.runtime.event(id, action, &[]);
        Ok(())
    }

    fn diff(&self, id: &ContainerId) -> Result<Vec<Change>> {
        let place = self.root_dirs(id, "compare")?;
        let changes = self.store()?.changes(place.files());
        self.unless_removed(id, place.container.state.name.as_str(), changes)
    }

    fn commit(
        &self,
        id: &ContainerId,
        reference: Option<&Reference>,
        options: &CommitOptions,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let place = self.root_dirs(id, "commit")?;
        let name = place.container.state.name.to_string();
        let spec = &place.container.spec;
        let store = self.store()?;
        // Without a lock over the work: the container keeps its image, but from `rmi -f`.
        let parent = store.find(spec.image.id.as_str()).map_err(|error| {
            error
                .context(format!("cannot commit `{name}`: its image was removed"))
                .hint(format!("load `{}` again, or export the container", spec.image.reference))
        })?;
        let mut document = parent.document.clone();
        configure::take_container(&mut document, &spec.config);
        // Invalid changes are refused before the container is paused.
        instructions::change(&mut document, &options.changes)?;
        let origin = Origin {
            created_by: spec.config.cmd.as_ref().map(|cmd| cmd.join(" ")).unwrap_or_default(),
            comment: &options.message,
            author: &options.author,
            reference,
            step: None,
        };
        let paused = if options.pause && place.container.state.status == Status::Running {
            match self.runtime.hold_paused(id) {
                Ok(hold) => Some(hold),
                // It has just exited: nothing changes any more.
                Err(error) if error.kind() == Kind::Refused => None,
                Err(error) if error.kind() == Kind::Unsupported => {
                    let way = error.hint_text().unwrap_or_default().to_owned();
                    return Err(error.hint(format!(
                        "commit without a pause: --pause=false; or enable it: {way}"
                    )));
                }
                Err(error) => return Err(error),
            }
        } else {
            None
        };
        let image = self.commit_files(&place, &parent, document, &origin, cancel);
        drop(paused);
        let image = image.context(|| format!("cannot commit `{name}`"))?;
        self.emit_commit(id, &image, reference, &options.message);
        Ok(image)
    }

    fn export(&self, id: &ContainerId, out: &mut dyn Write, cancel: &CancelToken) -> Result<()> {
        let place = self.root_dirs(id, "export")?;
        let name = place.container.state.name.as_str();
        let exported = self.store()?.export(place.files(), out, &|| cancel.check());
        self.unless_removed(id, name, exported).context(|| format!("cannot export `{name}`"))?;
        self.runtime.event(id, EventAction::Export, &[]);
        Ok(())
    }

    fn container_size(&self, id: &ContainerId) -> Result<u64> {
        let directory = self.runtime.directory(id);
        let upper = directory.file("upper");
        if upper.exists() {
            return Ok(written_size(&upper));
        }
        match self.root_dirs(id, "measure") {
            Ok(place) => self.store()?.changed_bytes(place.files()),
            // With a damaged record only the directory is known.
            Err(error) if matches!(error.kind(), Kind::Refused | Kind::Corrupt) => {
                Ok(tree_size(&directory.file("rootfs")))
            }
            Err(error) => Err(error),
        }
    }

    fn path_layers(&self, id: &ContainerId, path: &str) -> Result<PathLayers> {
        let parts: Vec<&[u8]> = path.split('/').map(str::as_bytes).collect();
        let parts: Vec<&[u8]> =
            parts.into_iter().filter(|part| !part.is_empty() && *part != b".").collect();
        if !path.starts_with('/') || parts.contains(&b"..".as_slice()) {
            let message = format!("`{path}` is not an absolute path");
            return Err(
                Error::new(Kind::Invalid, message).hint("write a path such as /etc/hostname")
            );
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
            // The root consists of the layers; of stacked mounts the last is visible.
            mount: mounts
                .into_iter()
                .filter(|mount| mount.path != "/" && Path::new(path).starts_with(&mount.path))
                .max_by_key(|mount| mount.path.len()),
            layers,
        })
    }
}
