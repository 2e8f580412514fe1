//! Makes images out of images: what a container changed, what a step brings, a root file system.
//!
//! A new image is the document of the one below it, changed, and at most one more layer. Steps
//! that were done before are found by their key, which is made of ids and contents alone: what an
//! image says of itself never counts, for its author chose it (CVE-2024-24557).

mod archive;
pub(crate) mod configure;
mod copy;
mod derive;
mod find;
mod items;
mod pattern;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use self::copy::{Copying, Owner};
use self::derive::NewImage;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::bytes::spool::{SpoolWriter, Spooled, digest_of};
use crate::image::bytes::staging::Staging;
use crate::image::layer::changes;
use crate::image::layer::diff_tar;
use crate::image::layer::overlay_view::{Layer, layers as layers_at};
use crate::image::layer::walk::{Form, Node, Tree};
use crate::image::layer::{tree_size, whole};
use crate::image::store::Store;
use crate::image::tar::error::stream_error;
use crate::image::tar::pack::Packer;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{BuildStep, Change, CopySource, CopyStep};
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The longest `/etc/passwd` that is read: init has the same limit.
const MAX_ACCOUNTS: u64 = 1 << 20;

/// A container's files: its own directory above the layers of its image.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// What it wrote; all that it sees, where that was copied.
    pub upper: &'a Path,
    /// Where all was copied for it: when that was done, in seconds and nanoseconds.
    pub copied: Option<(i64, i64)>,
    /// The keys of its layers, lowest first.
    pub layers: &'a [Digest],
    /// Where its mounts are, absolute: what was made to hold them is none of its changes.
    pub mounts: &'a [String],
}

/// What the history says of a new image.
#[derive(Clone, Debug, Default)]
pub struct Origin<'a> {
    /// What made it.
    pub created_by: String,
    /// A remark.
    pub comment: &'a str,
    /// Who made it.
    pub author: &'a str,
    /// What it is called.
    pub reference: Option<&'a Reference>,
    /// The key of the step that made it.
    pub step: Option<Digest>,
}

/// The open directories of some layers.
struct Opened {
    upper: Option<Layer>,
    /// Topmost first.
    lowers: Vec<Layer>,
}

impl Opened {
    fn tree(&self) -> Tree<'_> {
        Tree { form: Form::Merged, layers: self.upper.iter().chain(&self.lowers).collect() }
    }
}

/// A root that was copied: nothing in it has a meaning of its own.
fn plain(root: &Layer) -> Tree<'_> {
    Tree { form: Form::Plain, layers: vec![root] }
}

/// What layers (topmost first) show.
fn merged(layers: &[Layer]) -> Tree<'_> {
    Tree { form: Form::Merged, layers: layers.iter().collect() }
}

impl Store {
    fn lowers(&self, layers: &[Digest]) -> Result<Vec<Layer>> {
        layers_at(layers.iter().rev().map(|layer| self.layer_dir(layer)))
    }

    fn open_files(&self, files: Files<'_>) -> Result<(Layer, Vec<Layer>, BTreeSet<Vec<u8>>)> {
        let (upper, lowers) = (Layer::Open(fs::open_dir(files.upper)?), self.lowers(files.layers)?);
        let points = changes::mount_points(&upper, &lowers, files.mounts)?;
        Ok((upper, lowers, points))
    }

    /// What a container has changed, sorted by path.
    pub fn changes(&self, files: Files<'_>) -> Result<Vec<Change>> {
        let (upper, lowers, points) = self.open_files(files)?;
        match files.copied {
            None => changes::changes(&upper, &lowers, &points),
            Some(since) => {
                let delta = whole::changes(&plain(&upper), &merged(&lowers), &points, since)?;
                Ok(changes::to_changes(delta.found))
            }
        }
    }

    /// How many bytes a container has written, as far as they are still there.
    pub fn changed_bytes(&self, files: Files<'_>) -> Result<u64> {
        let Some(since) = files.copied else { return Ok(tree_size(files.upper)) };
        let (upper, lowers, points) = self.open_files(files)?;
        Ok(whole::changes(&plain(&upper), &merged(&lowers), &points, since)?.bytes)
    }

    /// Copies all that `layers` (keys, lowest first) show into an empty directory.
    pub fn copy_layers(
        &self,
        layers: &[Digest],
        target: &Path,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let lowers = self.lowers(layers)?;
        whole::copy(&merged(&lowers), &fs::open_dir(target)?, check)
            .map_err(|error| crate::image::layer::extract::explain(error, self.images()))
            .context(|| "cannot copy the layers".to_owned())
    }

    /// Writes all that a container sees as a tar.
    pub fn export(
        &self,
        files: Files<'_>,
        out: &mut dyn Write,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let upper = Layer::Open(fs::open_dir(files.upper)?);
        if files.copied.is_some() {
            return diff_tar::pack(&plain(&upper), &BTreeSet::new(), out, check);
        }
        let opened = Opened { upper: Some(upper), lowers: self.lowers(files.layers)? };
        diff_tar::pack(&opened.tree(), &BTreeSet::new(), out, check)
    }

    /// Makes an image of what a container has changed above `parent`, with the configuration of
    /// `document`.
    pub fn commit(
        &self,
        parent: &Image,
        files: Files<'_>,
        document: Value,
        origin: &Origin<'_>,
        check: CancelCheck<'_>,
    ) -> Result<Image> {
        let (upper, lowers, points) = self.open_files(files)?;
        let staging = self.staging()?;
        let layer = self.write_layer(&staging, |out| {
            if let Some(since) = files.copied {
                let root = plain(&upper);
                let delta = whole::changes(&root, &merged(&lowers), &points, since)?;
                // `/` as well: it shows the attributes of the topmost layer that has them.
                let holds = |node: &Node| node.path.is_empty() || delta.holds(node);
                return diff_tar::pack_changed(&root, &holds, &delta.deleted(), out, check);
            }
            let tree = Tree { form: Form::Layer, layers: vec![&upper] };
            diff_tar::pack(&tree, &points, out, check)
        })?;
        self.derive(&staging, NewImage { parent: Some(parent), document, layer, origin }, check)
    }

    /// Makes an image of one layer from a root file system, plain or compressed.
    pub fn import_root(
        &self,
        archive: &mut (dyn Read + Send),
        document: Value,
        origin: &Origin<'_>,
        check: CancelCheck<'_>,
    ) -> Result<Image> {
        let staging = self.staging()?;
        let layer = self.write_layer(&staging, |out| {
            let mut stream = decompress(archive)?.0;
            copy_stream(&mut stream, out, check)
        })?;
        let draft = NewImage { parent: None, document, layer, origin };
        self.derive(&staging, draft, check)
            .map_err(|error| crate::image::layer::extract::explain(error, self.images()))
    }

    /// The configuration that an image without anything begins with.
    pub fn empty_document(&self) -> Value {
        configure::empty(&Platform::host())
    }

    /// A small file of an image, such as `/etc/passwd`; `None` where there is no such file.
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

    /// Whether a path of an image is there.
    pub fn has_path(&self, image: &Image, path: &str) -> Result<bool> {
        let opened = Opened { upper: None, lowers: self.lowers(&image.layers)? };
        let tree = opened.tree();
        Ok(tree.find(&tree.resolve(path.as_bytes())?)?.is_some())
    }

    /// The key by which a step above `parent` is known when it comes again; `content` is the
    /// digest of the files that it brings.
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

    /// The digest of the files that a step brings; `None` where its words say all.
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
            _ => Ok(None),
        }
    }

    /// Makes the image that a step leads to, for all steps but `Run`.
    pub fn add_step(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        owner: (u32, u32),
        check: CancelCheck<'_>,
    ) -> Result<Image> {
        let mut document = parent.map_or_else(
            // As Docker: a program that is copied to its place is found.
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
        // Of what was really copied: a file may have changed since it was looked at.
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

    /// Copies the files of a step into an archive, or only finds their digest.
    fn copy_files<'a>(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        owner: (u32, u32),
        packer: Option<Packer<'a>>,
        check: CancelCheck<'_>,
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
        let mut copying = Copying::new(base, packer, owner, mode, now);
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

    /// Writes a layer into the staging directory; `None` where it is empty.
    fn write_layer(
        &self,
        staging: &Staging,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<Option<Spooled>> {
        let mut out = Bounded {
            inner: SpoolWriter::create(staging.directory(), "new-layer.tar")?,
            staging,
            left: 0,
        };
        write(&mut out)
            .map_err(|error| crate::image::layer::extract::explain(error, self.images()))?;
        let layer = out.inner.finish();
        // Two blocks of zeros: Docker keeps no layer for it either.
        Ok(Some(layer).filter(|layer| layer.size > 1024))
    }
}

/// Copies a stream whose length nobody has promised.
fn copy_stream(stream: &mut dyn Read, out: &mut dyn Write, check: CancelCheck<'_>) -> Result<()> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        check()?;
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                out.write_all(&buffer[..count]).context(|| "write the layer".to_owned())?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(stream_error(&error)),
        }
    }
}

/// Stops before the disk is full.
struct Bounded<'a> {
    inner: SpoolWriter,
    staging: &'a Staging,
    /// Bytes until the free space is looked at again.
    left: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        const PORTION: u64 = 16 << 20;
        const RESERVE: u64 = 256 << 20;
        if self.left == 0 {
            let free = fs::free_space(self.staging.directory()).unwrap_or(u64::MAX);
            if free < RESERVE {
                return Err(std::io::Error::from_raw_os_error(libc::ENOSPC));
            }
            self.left = PORTION;
        }
        let count = self.inner.write(bytes)?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
