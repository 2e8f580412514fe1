//! The files of a container: its changes as a list, a tar or an image.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::Path;

use serde_json::Value;

use super::derive::NewImage;
use super::new_layer::LONGEST_EMPTY;
use super::opened::{Opened, merged, plain};
use super::origin::Origin;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::layer::extract::explain;
use crate::image::layer::overlay_view::Layer;
use crate::image::layer::walk::{Form, Node, Tree};
use crate::image::layer::{self, changes, copied_root, diff_tar};
use crate::image::store::Store;
use crate::image::tar::error::stream_error;
use crate::image::tar::members::Members;
use crate::model::container::marks::MOUNTS_LINK;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::Change;
use crate::model::value::digest::Digest;
use crate::model::{Kind, Result};
use crate::sys::fs;
use crate::sys::tree::tree_size;

/// A container's files: its writable directory and the layers of its image.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The files that it wrote; all its files, if the layers were copied.
    pub upper: &'a Path,
    /// When the copy was complete, in seconds and nanoseconds, if the layers were copied.
    pub copied: Option<(i64, i64)>,
    /// The keys of its layers, lowest first.
    pub layers: &'a [Digest],
    /// The absolute paths of its mounts: files that were created for them are not changes.
    pub mounts: &'a [String],
}

impl Store {
    fn open_files(&self, files: Files<'_>) -> Result<(Layer, Vec<Layer>, BTreeSet<Vec<u8>>)> {
        let (upper, lowers) = (Layer::Open(fs::open_dir(files.upper)?), self.lowers(files.layers)?);
        let points = changes::mount_points(&upper, &lowers, files.mounts)?;
        Ok((upper, lowers, points))
    }

    /// Returns the changes of a container, sorted by path.
    pub fn changes(&self, files: Files<'_>) -> Result<Vec<Change>> {
        let (upper, lowers, points) = self.open_files(files)?;
        match files.copied {
            None => changes::changes(&upper, &lowers, &points),
            Some(since) => {
                let delta = copied_root::changes(&plain(&upper), &merged(&lowers), &points, since)?;
                Ok(changes::to_changes(delta.found))
            }
        }
    }

    /// Returns the size of the files that a container has written and not removed, in bytes.
    pub fn changed_bytes(&self, files: Files<'_>) -> Result<u64> {
        let Some(since) = files.copied else { return Ok(written_size(files.upper)) };
        let (upper, lowers, points) = self.open_files(files)?;
        match copied_root::changes(&plain(&upper), &merged(&lowers), &points, since) {
            // A tree that is too deep to be compared: all that the image does not have.
            Err(error) if error.kind() == Kind::Unsupported => {
                let sizes = files.layers.iter().map(|key| layer::size(self.images(), key));
                Ok(tree_size(files.upper).saturating_sub(sizes.sum()))
            }
            changes => Ok(changes?.bytes),
        }
    }

    /// Copies the merged `layers` (keys, lowest first) into an empty directory.
    pub fn copy_layers(
        &self,
        layers: &[Digest],
        target: &Path,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let lowers = self.lowers(layers)?;
        copied_root::copy(&merged(&lowers), &fs::open_dir(target)?, check)
            .map_err(|error| explain(error, self.images()))
            .context(|| "cannot copy the layers".to_owned())
    }

    /// Writes all files of a container as a tar.
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

    /// Writes all files of an image as a tar.
    pub fn export_image(
        &self,
        image: &Image,
        out: &mut dyn Write,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        diff_tar::pack(&merged(&self.lowers(&image.layers)?), &BTreeSet::new(), out, check)
    }

    /// Creates an image from the changes of a container to `parent`, with the configuration
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
                let delta = copied_root::changes(&root, &merged(&lowers), &points, since)?;
                // `/` as well: it gets the attributes of the topmost layer that has them.
                let holds = |node: &Node| node.path.is_empty() || delta.holds(node);
                return diff_tar::pack_changed(&root, &holds, &delta.deleted(), out, check);
            }
            let tree = Tree::new(Form::Layer, vec![&upper]);
            diff_tar::pack(&tree, &points, out, check)
        })?;
        self.derive(&staging, NewImage { parent: Some(parent), document, layer, origin }, check)
    }

    /// Creates an image of one layer from a root file system, plain or compressed.
    pub fn import_root(
        &self,
        archive: &mut (dyn Read + Send),
        document: Value,
        origin: &Origin<'_>,
        check: CancelCheck<'_>,
    ) -> Result<Image> {
        let staging = self.staging()?;
        let mut stream = decompress(archive)?.0;
        let (mut head, mut layer) = (Vec::new(), None);
        let read = stream.by_ref().take(LONGEST_EMPTY + 1).read_to_end(&mut head);
        read.map_err(|error| stream_error(&error))?;
        let is_short = head.len() as u64 <= LONGEST_EMPTY;
        // Of an empty archive no layer is left that is looked at later.
        if !is_short || Members::new(&head[..]).next()?.is_some() {
            layer = self.write_layer(&staging, |out| {
                // The end that a short archive may lack.
                let end = if is_short { &[0; 1024][..] } else { &[] };
                copy_stream(&mut (&head[..]).chain(&mut stream).chain(end), out, check)
            })?;
        }
        let draft = NewImage { parent: None, document, layer, origin };
        self.derive(&staging, draft, check).map_err(|error| explain(error, self.images()))
    }
}

/// Returns the size of the files in a container's directory of changes, in bytes, without the mark
/// that the engine adds.
pub fn written_size(upper: &Path) -> u64 {
    let target = MOUNTS_LINK.target.to_bytes();
    let read = || {
        let directory = MOUNTS_LINK.directory.to_bytes();
        let directory = fs::open_dir_beneath(fs::open_dir(upper)?, directory)?;
        fs::read_link(directory, MOUNTS_LINK.name.to_bytes())
    };
    let is_mark = read().is_ok_and(|link| link == target);
    tree_size(upper).saturating_sub(if is_mark { target.len() as u64 } else { 0 })
}

/// Copies a stream of unknown length.
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
