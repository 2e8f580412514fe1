//! Build steps: the resulting images, and their cache keys.

use std::io::Read;

use jiff::Timestamp;
use serde_json::Value;

use super::configure;
use super::copy::{Copying, Owner};
use super::derive::NewImage;
use super::opened::Opened;
use super::origin::Origin;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool::digest_of;
use crate::image::store::Store;
use crate::image::tar::pack::Packer;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{BuildStep, CopySource, CopyStep, RunMountSource, RunStep};
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The longest `/etc/passwd` that is read: init has the same limit.
const MAX_ACCOUNTS: u64 = 1 << 20;

impl Store {
    /// Returns the configuration of an empty image.
    pub fn empty_document(&self) -> Value {
        configure::empty(&Platform::host())
    }

    /// Reads a small file of an image, such as `/etc/passwd`; `None` if there is no such file.
    pub fn read_file(&self, image: &Image, path: &str) -> Result<Option<Vec<u8>>> {
        let opened = Opened { upper: None, lowers: self.lowers(&image.layers)? };
        let tree = opened.tree();
        let Some(node) = tree.find(&tree.resolve(path.as_bytes())?)? else { return Ok(None) };
        if fs::type_of(&node.attributes) != rustix::fs::FileType::RegularFile {
            return Ok(None);
        }
        let Some(file) = tree.open(&node)? else { return Ok(None) };
        let mut content = Vec::new();
        let file = std::fs::File::from(file);
        file.take(MAX_ACCOUNTS).read_to_end(&mut content).context(|| format!("read `{path}`"))?;
        Ok(Some(content))
    }

    /// Returns whether a path of an image exists.
    pub fn has_path(&self, image: &Image, path: &str) -> Result<bool> {
        let opened = Opened { upper: None, lowers: self.lowers(&image.layers)? };
        let tree = opened.tree();
        Ok(tree.find(&tree.resolve(path.as_bytes())?)?.is_some())
    }

    /// Returns the cache key of a step on `parent`; `content` is the digest of its files.
    pub fn step_key(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        owner: (u32, u32),
        content: Option<&Digest>,
    ) -> Result<Digest> {
        let step = serde_json::to_string(step)
            .map_err(|error| Error::new(Kind::Bug, format!("write a step: {error}")))?;
        let parent = parent.map_or("scratch", |parent| parent.id.as_str());
        let content = content.map_or("", Digest::as_str);
        let text = format!("lifebox step 1\n{parent}\n{owner:?}\n{content}\n{step}");
        Ok(digest_of(text.as_bytes()))
    }

    /// Returns the digest of a step's files; `None` if it has none.
    pub fn step_content(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        owner: (u32, u32),
        check: CancelCheck<'_>,
    ) -> Result<Option<Digest>> {
        match step {
            BuildStep::File { content, .. } => Ok(Some(digest_of(content))),
            BuildStep::Copy(CopyStep { from: CopySource::Directory { .. }, .. }) => {
                self.copy_files(parent, step, owner, None, check).map(Some)
            }
            BuildStep::Run(run) => self.mounted_content(run, check),
            _ => Ok(None),
        }
    }

    /// Returns the digest of the files of a command's mounts; `None` if it has none.
    fn mounted_content(&self, run: &RunStep, check: CancelCheck<'_>) -> Result<Option<Digest>> {
        let mut all = String::new();
        for mount in &run.mounts {
            if let RunMountSource::Files(copy) = &mount.source {
                let step = BuildStep::Copy(copy.clone());
                all.push_str(self.copy_files(None, &step, (0, 0), None, check)?.as_str());
            }
        }
        Ok(Some(all).filter(|all| !all.is_empty()).map(|all| digest_of(all.as_bytes())))
    }

    /// Creates the image of a step, for all steps but `Run`.
    pub fn add_step(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        owner: (u32, u32),
        check: CancelCheck<'_>,
    ) -> Result<Image> {
        let mut document = parent.map_or_else(
            // As in Docker: a program that is copied to a directory of PATH is found.
            || configure::with_path(self.empty_document()),
            |parent| parent.document.clone(),
        );
        let created_by = configure::describe(&document, step);
        configure::configure(&mut document, step)?;
        let staging = self.staging()?;
        let brings = matches!(step, BuildStep::File { .. } | BuildStep::Copy(_))
            || self.lacks_workdir(parent, &document, step)?;
        let mut content = None;
        let layer = if brings {
            self.write_layer(&staging, |out| {
                let packer = Packer::new(out, check);
                content = Some(self.copy_files(parent, step, owner, Some(packer), check)?);
                Ok(())
            })?
        } else {
            None
        };
        // The digest of what was copied: a file may have changed since it was read before.
        let content = match step {
            BuildStep::File { content, .. } => Some(digest_of(content)),
            BuildStep::Copy(CopyStep { from: CopySource::Directory { .. }, .. }) => content,
            _ => None,
        };
        let step = Some(self.step_key(parent, step, owner, content.as_ref())?);
        let origin = Origin { created_by, step, ..Origin::default() };
        self.derive(&staging, NewImage { parent, document, layer, origin: &origin }, check)
    }

    fn lacks_workdir(
        &self,
        parent: Option<&Image>,
        document: &Value,
        step: &BuildStep,
    ) -> Result<bool> {
        let BuildStep::Workdir(_) = step else { return Ok(false) };
        let path = configure::absolute(document, ".");
        let there = match parent {
            Some(image) => self.has_path(image, &path)?,
            None => false,
        };
        Ok(path != "/" && !there)
    }

    /// Copies the files of a step into an archive, or only computes their digest.
    pub(super) fn copy_files<'a>(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        owner: (u32, u32),
        packer: Option<Packer<'a>>,
        check: CancelCheck<'a>,
    ) -> Result<Digest> {
        let empty = self.empty_document();
        let document = parent.map_or(&empty, |parent| &parent.document);
        let layers = parent.map_or(&[][..], |parent| &parent.layers);
        let opened = Opened { upper: None, lowers: self.lowers(layers)? };
        let tree = opened.tree();
        let base = (!layers.is_empty()).then_some(&tree);
        let now = Timestamp::now().as_second();
        let owner = match step {
            BuildStep::Copy(copy) if copy.owner.is_none() => match copy.from {
                CopySource::Image(_) => Owner::Sources,
                _ => Owner::Archives,
            },
            _ => Owner::Is(owner.0, owner.1),
        };
        let mode = if let BuildStep::Copy(copy) = step { copy.mode } else { None };
        let mut copying = Copying::new(base, packer, owner, mode, now, check);
        match step {
            BuildStep::Workdir(path) => {
                let path = copying.resolve(&configure::absolute(document, path))?;
                copying.missing_directory(&path)?;
            }
            BuildStep::File { path, content, mode } => {
                let path = copying.resolve(&configure::absolute(document, path))?;
                copying.text(&path, content, *mode)?;
            }
            BuildStep::Copy(copy) => self.copy_step(&mut copying, document, copy, check)?,
            _ => {}
        }
        copying.finish()
    }
}
