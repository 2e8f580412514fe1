//! The contents of a layer, counted by a walk through its unpacked files.

use std::path::Path;

use rustix::fs::FileType;

use super::handle::Store;
use crate::image::layer::{self, overlay_view, walk};
use crate::image::tar::error::lossy;
use crate::model::Result;
use crate::model::observe::introspection::{Entry, Layer};
use crate::model::value::digest::Digest;
use crate::sys::fs;

/// How many paths are listed as examples.
const EXAMPLES: usize = 4;
/// How many hidden paths are listed.
const HIDDEN: usize = 16;

impl Store {
    /// Returns what the layer with this key adds and hides.
    ///
    /// # Errors
    /// When the layer cannot be read.
    pub fn contents(&self, key: &Digest) -> Result<Layer> {
        let mut found = Layer {
            key: key.clone(),
            size: layer::size(self.images(), key),
            files: 0,
            directories: 0,
            examples: Vec::new(),
            hidden: Vec::new(),
        };
        // The largest files reveal most about a layer.
        let mut largest: Vec<(i64, String)> = Vec::new();
        let layers = overlay_view::layers([self.layer_dir(key)])?;
        let tree = walk::Tree::new(walk::Form::Layer, layers.iter().collect());
        tree.walk(b"", &mut |node| {
            let path = || format!("/{}", lossy(&node.path));
            if fs::is_whiteout(&node.attributes) {
                if found.hidden.len() < HIDDEN {
                    found.hidden.push(path());
                }
            } else if fs::type_of(&node.attributes) == rustix::fs::FileType::Directory {
                found.directories += u64::from(!node.path.is_empty());
                if node.opaque && found.hidden.len() < HIDDEN {
                    found.hidden.push(format!("{}/*", path()));
                }
            } else {
                found.files += 1;
                largest.push((node.attributes.st_size, path()));
                if largest.len() > 64 {
                    keep_largest(&mut largest);
                }
            }
            Ok(walk::Visit::Descend)
        })?;
        keep_largest(&mut largest);
        found.examples = largest.into_iter().map(|(_, path)| path).collect();
        Ok(found)
    }
}

/// Returns the entry of the layer at `place` for the components `path`; `None` without one.
///
/// # Errors
/// When the layer cannot be read.
pub fn entry_at(place: &Path, path: &[&[u8]]) -> Result<Option<Entry>> {
    let mut directory = fs::open_dir(place)?;
    let mut alone = false;
    for (depth, part) in (1..).zip(path.iter().copied()) {
        let Some(found) = fs::stat(&directory, part)? else {
            return Ok(alone.then_some(Entry::Hidden));
        };
        if fs::is_whiteout(&found) {
            return Ok(Some(Entry::Hidden));
        }
        if fs::type_of(&found) == FileType::Symlink {
            let at = path.iter().take(depth).map(|part| format!("/{}", lossy(part))).collect();
            let to = lossy(&fs::read_link(&directory, part)?);
            return Ok(Some(Entry::Link { at, to }));
        }
        if fs::type_of(&found) != FileType::Directory {
            let size = u64::try_from(found.st_size).unwrap_or(0);
            // A file in place of a directory hides the directory's content.
            return Ok(Some(if depth == path.len() { Entry::File(size) } else { Entry::Hidden }));
        }
        directory = fs::open_dir_beneath(&directory, part)?;
        alone |= overlay_view::is_opaque(&directory)?;
    }
    Ok(Some(if alone { Entry::OpaqueDirectory } else { Entry::Directory }))
}

fn keep_largest(files: &mut Vec<(i64, String)>) {
    files.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    files.truncate(EXAMPLES);
}
