//! The layers below for an unpack, and the attributes that are set at its end.

use std::collections::BTreeMap;

use super::overlay_view::Layer;
use crate::model::Result;

/// Opens the layers below, topmost first. Called only if the layer itself is not enough; may wait
/// until the layers below are unpacked.
pub(crate) type Lowers<'a> = &'a dyn Fn() -> Result<Vec<Layer>>;

/// Mode and time of a directory, set at the end: a read-only directory must stay writable until
/// then, and each new entry changes its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deferred {
    pub(crate) mode: u32,
    pub(crate) mtime: (i64, u32),
}

/// The list of [`Deferred`] by path.
pub(crate) type DeferredList = BTreeMap<Vec<u8>, Deferred>;
