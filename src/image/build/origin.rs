//! The origin of a new image.

use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

/// The history entry of a new image, and its names.
#[derive(Clone, Debug, Default)]
pub struct Origin<'a> {
    /// The command that created it.
    pub created_by: String,
    /// A comment.
    pub comment: &'a str,
    /// The author.
    pub author: &'a str,
    /// The reference.
    pub reference: Option<&'a Reference>,
    /// The key of the build step that created it.
    pub step: Option<Digest>,
}
