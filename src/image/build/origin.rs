//! Where a new image comes from.

use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

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
