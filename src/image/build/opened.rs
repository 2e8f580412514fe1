//! The open directories of layers, as one tree.

use crate::image::layer::overlay_view::{Layer, layers as layers_at};
use crate::image::layer::walk::{Form, Tree};
use crate::image::store::Store;
use crate::model::Result;
use crate::model::image::stacking::topmost_once;
use crate::model::value::digest::Digest;

/// The open directories of some layers.
pub(super) struct Opened {
    pub(super) upper: Option<Layer>,
    /// The directories, topmost first.
    pub(super) lowers: Vec<Layer>,
}

impl Opened {
    pub(super) fn tree(&self) -> Tree<'_> {
        Tree::new(Form::Merged, self.upper.iter().chain(&self.lowers).collect())
    }
}

/// Returns the tree of a copied root, in which no name has a special meaning.
pub(super) fn plain(root: &Layer) -> Tree<'_> {
    Tree::new(Form::Plain, vec![root])
}

/// Returns the merged tree of layers (topmost first).
pub(super) fn merged(layers: &[Layer]) -> Tree<'_> {
    Tree::new(Form::Merged, layers.iter().collect())
}

impl Store {
    /// Opens the directories of `layers` (keys, lowest first), topmost first, each once.
    pub(super) fn lowers(&self, layers: &[Digest]) -> Result<Vec<Layer>> {
        layers_at(topmost_once(layers).iter().rev().map(|layer| self.layer_dir(layer)))
    }
}
