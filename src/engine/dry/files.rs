//! Simulated copies: what the script writes is kept, all else is only recorded.

use std::io::Write;

use super::state::Dry;
use crate::engine::backend::{CancelToken, CopyOptions, Files, Transfer};
use crate::engine::dockerfile::instructions;
use crate::engine::rules::path::lexical;
use crate::image::build::configure;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::image::build::{Change, CommitOptions};
use crate::model::observe::introspection::PathLayers;
use crate::model::value::id::ContainerId;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

impl Files for Dry {
    fn copy(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        let name = self.container(id)?.state.name;
        what.path()?;
        match what {
            Transfer::In { from, path } => {
                self.record(format_args!("copy {} to {name}:{path}", from.display()));
                self.invalidate(id, path);
            }
            Transfer::Out { path, to } => {
                self.record(format_args!("copy {name}:{path} to {}", to.display()));
            }
            Transfer::Write { path, content } => {
                self.record(format_args!("write {} bytes to {name}:{path}", content.len()));
                self.invalidate(id, path);
                self.state().entry(id)?.files.insert(lexical(path), content.to_vec());
            }
            Transfer::Unpack { path, .. } => {
                self.record(format_args!("unpack a tar into {name}:{path}"));
                self.invalidate(id, path);
            }
            Transfer::Read { path, content } => {
                if let Some(known) = self.state().entry(id)?.files.get(&lexical(path)) {
                    content.clone_from(known);
                    return Ok(());
                }
                if self.can_be_read(id) {
                    let read = Transfer::Read { path, content };
                    return self.inner.copy(id, read, options, cancel);
                }
                self.record(format_args!("read {name}:{path} (assumed to be empty)"));
            }
            // A read changes nothing.
            read @ Transfer::Pack { .. } => {
                if self.can_be_read(id) {
                    return self.inner.copy(id, read, options, cancel);
                }
            }
        }
        Ok(())
    }

    fn diff(&self, id: &ContainerId) -> Result<Vec<Change>> {
        if self.is_real(id) { self.inner.diff(id) } else { Ok(Vec::new()) }
    }

    fn commit(
        &self,
        id: &ContainerId,
        reference: Option<&Reference>,
        options: &CommitOptions,
        _: &CancelToken,
    ) -> Result<Image> {
        let container = self.container(id)?;
        let from = self.find_image(&container.spec.image.id.to_string())?;
        self.may_take(&reference.cloned().into_iter().collect::<Vec<_>>())?;
        let name = reference.map_or_else(|| "an image".to_owned(), Reference::familiar);
        let image = self.derived(&from, id.as_str(), reference, |document| {
            configure::take_container(document, &container.spec.config);
            instructions::change(document, &options.changes)
        })?;
        self.record(format_args!("commit {} to {name}", container.state.name));
        Ok(image)
    }

    fn export(&self, id: &ContainerId, _: &mut dyn Write, _: &CancelToken) -> Result<()> {
        self.record(format_args!("export {}", self.container(id)?.state.name));
        Ok(())
    }

    fn container_size(&self, id: &ContainerId) -> Result<u64> {
        if self.is_real(id) { self.inner.container_size(id) } else { Ok(0) }
    }

    fn path_layers(&self, _: &ContainerId, _: &str) -> Result<PathLayers> {
        Err(Error::new(Kind::Unsupported, "cannot inspect layers in a dry run"))
    }
}

impl Dry {
    /// Returns whether files of the container can be read without a trace. Those of a container
    /// that does not run cannot: mounting its overlay writes to its directory.
    fn can_be_read(&self, id: &ContainerId) -> bool {
        let is_live = |real: Container| real.state.status.is_live();
        self.is_real(id) && self.inner.inspect(id).is_ok_and(is_live)
    }

    /// Forgets what the script has written at a path.
    fn invalidate(&self, id: &ContainerId, path: &str) {
        let path = lexical(path);
        if let Ok(entry) = self.state().entry(id) {
            entry.files.retain(|written, _| !written.starts_with(&path));
        }
    }
}
