//! The state of a running check, and its report.

use std::collections::{HashMap, HashSet};

use super::damage::{InUse, IndexedImage};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::image::store::document::Document;
use crate::image::store::handle::Store;
use crate::image::store::index::{Entry, Index};
use crate::image::store::unchanged::ListIdentity;
use crate::model::Result;
use crate::model::image::ImageUser;
use crate::model::observe::check_report::{CheckOptions, Finding, Problem, Report, Resolution};
use crate::model::value::digest::Digest;
use crate::sys::tree;

/// A running check of the store.
pub(super) struct Checking<'a> {
    pub(super) store: &'a Store,
    pub(super) in_use: InUse<'a>,
    pub(super) options: CheckOptions,
    pub(super) cancelled: CancelCheck<'a>,
    pub(super) staging: Staging,
    /// The entries of the list of images by image, as they were at its identity: each change
    /// replaces the list.
    pub(super) listed: Option<(ListIdentity, HashMap<Digest, Vec<Entry>>)>,
    /// The keys of the layers that are healthy.
    pub(super) healthy: HashSet<Digest>,
    /// The blobs whose content matches their digest.
    pub(super) healthy_blobs: HashSet<Digest>,
    /// How many layers were unpacked again, for the names of the copies.
    pub(super) unpacked: u64,
    pub(super) report: Report,
}

impl Checking<'_> {
    /// Returns the image as the index has it now; `None` if it is not listed any more.
    pub(super) fn indexed(&mut self, id: &Digest) -> Result<Option<IndexedImage>> {
        let lock = self.store.lock()?;
        let indexed = self.indexed_locked(id);
        drop(lock);
        indexed
    }

    /// As [`Checking::indexed`], for a caller that holds the store's lock.
    pub(super) fn indexed_locked(&mut self, id: &Digest) -> Result<Option<IndexedImage>> {
        use std::os::unix::fs::MetadataExt;
        let Some(entries) = self.entries(id)? else { return Ok(None) };
        let images = self.store.images();
        let mut paths = vec![self.store.blob(id)];
        for entry in &entries {
            paths.push(self.store.blob(&entry.manifest));
            let manifest = self.store.read_manifest(&entry.manifest);
            let blobs = manifest.into_iter().flat_map(|manifest| manifest.layers);
            paths.extend(blobs.map(|blob| self.store.blob(&blob.digest)));
        }
        let document = self.store.read_blob(id).and_then(|bytes| Document::parse(&bytes));
        let ids = document.map(|document| layer::ids(&document.diff_ids)).unwrap_or_default();
        for key in ids.iter().flat_map(|id| [&id.diff_id, &id.above]) {
            paths.extend([layer::path(images, key), layer::tar_split(images, key)]);
        }
        let file = |path: &std::path::PathBuf| {
            path.symlink_metadata().ok().map(|found| (found.dev(), found.ino()))
        };
        Ok(Some(IndexedImage { files: paths.iter().map(file).collect(), entries }))
    }

    /// Returns the entries of an image. Reads the list only if it has changed.
    fn entries(&mut self, id: &Digest) -> Result<Option<Vec<Entry>>> {
        let now = self.store.list_identity();
        let is_current = |(then, _): &(ListIdentity, _)| now.is_known() && *then == now;
        if !self.listed.as_ref().is_some_and(is_current) {
            let mut entries: HashMap<Digest, Vec<Entry>> = HashMap::new();
            for entry in Index::read(self.store.images())?.entries {
                entries.entry(entry.id.clone()).or_default().push(entry);
            }
            self.listed = Some((now, entries));
        }
        Ok(self.listed.as_ref().and_then(|(_, entries)| entries.get(id).cloned()))
    }

    pub(super) fn found(
        &mut self,
        problem: Problem,
        what: String,
        image: Option<String>,
        users: &[&ImageUser],
        resolution: Resolution,
    ) {
        let mut containers: Vec<_> = users.iter().map(|user| user.container.clone()).collect();
        containers.sort();
        self.report.findings.push(Finding { problem, what, image, containers, resolution });
    }

    /// Frees the space of a copy immediately: one copy at a time is enough.
    pub(super) fn discard(&self, name: &str) {
        let path = self.staging.path();
        // Leftovers are deleted with the staging directory.
        let _ = tree::remove_tree_at(&path.join(name));
        for ending in ["json", "recipe"] {
            let _ = std::fs::remove_file(path.join(format!("{name}.{ending}")));
        }
    }
}
