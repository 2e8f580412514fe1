//! Finds many images with one look at the list.

use std::collections::HashMap;

use super::handle::Store;
use super::index::{Entry, Index};
use super::remaining::Remaining;
use crate::model::Result;
use crate::model::image::Image;
use crate::model::value::digest::Digest;

/// The names and images of a list.
pub(crate) struct Lookup<'a> {
    store: &'a Store,
    names: Remaining<'a>,
    entries: HashMap<&'a Digest, Vec<&'a Entry>>,
}

impl<'a> Lookup<'a> {
    /// Returns the names in a list of images that was read from `store`.
    pub(crate) fn new(store: &'a Store, index: &'a Index) -> Self {
        Lookup { store, names: Remaining::of(index), entries: index.by_id() }
    }

    /// Finds an image, as [`Store::find`] does.
    pub(crate) fn find(&self, query: &str) -> Result<Image> {
        let (id, _) = self.names.resolve(query)?;
        let entries = self.entries.get(&id).map(Vec::as_slice).unwrap_or_default();
        self.store.read_found(entries, &id, query)
    }
}

impl Store {
    /// Finds those of `queries` that name an image.
    pub fn find_each<'q>(&self, queries: impl Iterator<Item = &'q str>) -> Vec<Image> {
        let Ok(index) = Index::read(self.images()) else { return Vec::new() };
        let lookup = Lookup::new(self, &index);
        queries.filter_map(|query| lookup.find(query).ok()).collect()
    }
}
