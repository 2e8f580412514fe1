//! What a layer has: counted by a walk through its unpacked files.

use crate::image::layer::{self, merged, walk};
use crate::image::store::Store;
use crate::image::tar::members::lossy;
use crate::model::Result;
use crate::model::anatomy::Layer;
use crate::model::digest::Digest;
use crate::sys::fs;

/// How many paths are named as examples.
const EXAMPLES: usize = 4;
/// How many hidden paths are named.
const HIDDEN: usize = 16;

impl Store {
    /// What the layer with this key adds and hides.
    ///
    /// # Errors
    /// When it can't be read.
    pub fn contents(&self, key: &Digest) -> Result<Layer> {
        let mut found = Layer {
            key: key.clone(),
            size: layer::size(self.images(), key),
            files: 0,
            directories: 0,
            examples: Vec::new(),
            hidden: Vec::new(),
        };
        // The greatest files tell most of what a layer is for.
        let mut greatest: Vec<(i64, String)> = Vec::new();
        let layers = merged::layers([self.layer_dir(key)])?;
        let tree = walk::Tree { form: walk::Form::Layer, layers: layers.iter().collect() };
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
                greatest.push((node.attributes.st_size, path()));
                if greatest.len() > 64 {
                    keep_greatest(&mut greatest);
                }
            }
            Ok(walk::Go::Into)
        })?;
        keep_greatest(&mut greatest);
        found.examples = greatest.into_iter().map(|(_, path)| path).collect();
        Ok(found)
    }
}

fn keep_greatest(files: &mut Vec<(i64, String)>) {
    files.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    files.truncate(EXAMPLES);
}
