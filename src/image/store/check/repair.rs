//! Repairs damage, under the locks of all containers that could interfere.

use std::collections::HashSet;
use std::path::Path;

use super::checking::Checking;
use super::compare;
use super::damage::{Damage, Fault, InUseGuard, IndexedImage, Settled, fits, is_of_host};
use super::unpack::UnpackedCopy;
use crate::image::layer::{self, LayerId};
use crate::image::store::document::{Document, MAX_DOCUMENT};
use crate::image::store::handle::Store;
use crate::image::store::index::{Entry, Index};
use crate::image::store::{merged_lowers, usage};
use crate::model::Result;
use crate::model::error::Context;
use crate::model::image::ImageUser;
use crate::model::observe::check_report::{Problem, Resolution};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::sys::{fs, place, store_dir, tree};

impl Checking<'_> {
    /// Reports the damage of an image, and repairs it with `repair`.
    pub(super) fn settle(
        &mut self,
        id: &Digest,
        seen: &IndexedImage,
        damage: Vec<Damage>,
    ) -> Result<Settled> {
        if self.options.repair {
            // Synced before it gets its final name.
            fs::sync_filesystem(self.staging.directory())?;
        }
        let held = (self.in_use)(&self.options)?;
        let lock = self.store.lock()?;
        if self.indexed_locked(id)?.as_ref() != Some(seen) {
            for damage in &damage {
                if let Damage::Layer(_, Fault::Files { fresh, .. }) = damage {
                    self.discard(&fresh.name);
                }
            }
            return Ok(Settled::Changed);
        }
        let mut settled = Settled::Done;
        let mut done = Vec::with_capacity(damage.len());
        for damage in damage {
            let resolution = if self.options.repair {
                self.repair_damage(id, &damage, &held)?
            } else {
                Resolution::Found
            };
            if resolution == Resolution::Repaired {
                settled = Settled::Recheck;
            }
            done.push((damage, resolution));
        }
        drop(lock);
        let name = display_name(id, &seen.entries);
        let users: Vec<&ImageUser> = held.users.iter().filter(|user| user.image == *id).collect();
        for (damage, resolution) in done {
            let of = |layer: &LayerId, why: &str| {
                format!("its layer `{}`: {why}", layer.diff_id.short())
            };
            let what = match &damage {
                Damage::Lost(why) => format!("{why}{}", with_it(&seen.entries, |_| true)),
                Damage::Manifest(manifest, why, _) => {
                    format!("{why}{}", with_it(&seen.entries, |entry| is_lost(entry, manifest)))
                }
                Damage::Layer(layer, Fault::Files { why, fresh }) => {
                    self.discard(&fresh.name);
                    of(layer, why)
                }
                Damage::Layer(layer, Fault::Blob { why, .. } | Fault::Lost(why)) => of(layer, why),
            };
            self.found(Problem::Damage, what, Some(name.clone()), &users, resolution);
        }
        Ok(settled)
    }

    /// Checks the merged lowest layers of containers (`flat`): they are links to files
    /// of layers that were checked, or repaired, before.
    pub(super) fn merged(&mut self) -> Result<()> {
        let held = (self.in_use)(&self.options)?;
        let mut known = HashSet::new();
        for user in &held.users {
            for (count, path) in self.store.merged_lowers(&user.layers) {
                if !known.insert(path.clone()) {
                    continue;
                }
                let layers = &user.layers[..count];
                // Missing layers are reported for the container.
                if layers.iter().any(|layer| !self.store.layer_dir(layer).is_dir()) {
                    continue;
                }
                match self.merged_one(user, layers, &path, &held) {
                    // The container and its image were just removed.
                    Err(error) if !is_of_host(&error) && !path.exists() => {}
                    result => result?,
                }
            }
        }
        Ok(())
    }

    fn merged_one(
        &mut self,
        user: &ImageUser,
        layers: &[Digest],
        path: &Path,
        held: &InUseGuard,
    ) -> Result<()> {
        let staged = self.staging.path().join(merged_lowers::DIRECTORY);
        if staged.exists() {
            tree::remove_tree_at(&staged).context(|| format!("remove `{}`", staged.display()))?;
        }
        let fresh = self.store.merge_lowers_into(&self.staging, layers)?;
        let there = fs::open_dir(path)?;
        if let Some(what) = compare::difference(&fresh, &there, self.cancelled)? {
            let live = held.users.iter().find(|user| user.live && user.layers.starts_with(layers));
            let resolution = match live {
                _ if !self.options.repair => Resolution::Found,
                Some(user) => Resolution::Unrepaired(in_the_way(user)),
                None => {
                    let (name, flat) =
                        (path.file_name().unwrap_or_default(), merged_lowers::DIRECTORY);
                    let holder = store_dir::open(&self.store.images().join(flat))?;
                    fs::sync_filesystem(&holder)?;
                    let staged = self.staging.directory();
                    fs::exchange(staged, flat.as_bytes(), &holder, name.as_encoded_bytes())?;
                    Resolution::Repaired
                }
            };
            let what = format!("its lowest {} layers merged: {what}", layers.len());
            self.found(Problem::Damage, what, None, &[user], resolution);
        }
        Ok(())
    }

    /// Repairs damage, or removes what has it. The caller holds the store's lock.
    fn repair_damage(
        &mut self,
        id: &Digest,
        damage: &Damage,
        held: &InUseGuard,
    ) -> Result<Resolution> {
        match damage {
            Damage::Lost(_) => {
                if let Some(user) = held.users.iter().find(|user| user.live && user.image == *id) {
                    return Ok(Resolution::Unrepaired(in_the_way(user)));
                }
                let mut index = Index::read(self.store.images())?;
                index.entries.retain(|entry| entry.id != *id);
                index.write(self.store.images())?;
                Ok(Resolution::Removed)
            }
            Damage::Manifest(manifest, _, whole) => {
                let mut index = Index::read(self.store.images())?;
                index.entries.retain(|entry| entry.id != *id || !is_lost(entry, manifest));
                let of_it = |entry: &&mut Entry| entry.id == *id && entry.manifest == *manifest;
                for entry in index.entries.iter_mut().filter(of_it) {
                    entry.manifest = whole.manifest.clone();
                    entry.manifest_size = whole.manifest_size;
                }
                index.drop_unreferenced();
                index.write(self.store.images())?;
                Ok(Resolution::Repaired)
            }
            Damage::Layer(layer, Fault::Files { fresh, .. }) => {
                let keys = [&layer.diff_id, &layer.above];
                let uses = |user: &&ImageUser| user.layers.iter().any(|key| keys.contains(&key));
                if let Some(user) = held.users.iter().filter(uses).find(|user| user.live) {
                    return Ok(Resolution::Unrepaired(in_the_way(user)));
                }
                self.replace(layer, fresh)?;
                Ok(Resolution::Repaired)
            }
            Damage::Layer(_, Fault::Blob { digest, .. }) => {
                let path = self.store.blob(digest);
                tree::remove_any_at(&path).context(|| format!("remove `{}`", path.display()))?;
                Ok(Resolution::Repaired)
            }
            Damage::Layer(_, Fault::Lost(why)) => Ok(Resolution::Unrepaired(why.clone())),
        }
    }

    /// Replaces a layer by a fresh copy; the old one is deleted with the staging directory.
    fn replace(&mut self, layer: &LayerId, fresh: &UnpackedCopy) -> Result<()> {
        let images = self.store.images();
        let (staged, holder) = (self.staging.directory(), store_dir::open(&images.join("layers"))?);
        // The present place. A container of this layer knows it by this key.
        let right = if fresh.stands_alone { &layer.diff_id } else { &layer.above };
        let before = layer::key(images, layer);
        let key = before.as_ref().unwrap_or(right);
        for name in [layer::record_name(key), layer::tar_split_name(key)] {
            remove_other(&images.join("layers").join(name))?;
        }
        let record = format!("{}.json", fresh.name);
        fs::rename(staged, record.as_bytes(), &holder, layer::record_name(key).as_bytes())?;
        if fresh.complete {
            let recipe = format!("{}.recipe", fresh.name);
            fs::rename(staged, recipe.as_bytes(), &holder, layer::tar_split_name(key).as_bytes())?;
        }
        let (name, hex) = (fresh.name.as_bytes(), key.hex().as_bytes());
        if !fs::rename_new(staged, name, &holder, hex)? {
            fs::exchange(staged, name, &holder, hex)?;
        }
        fs::sync(&holder)?;
        self.healthy.insert(key.clone());
        self.report.layers += 1;
        Ok(())
    }
}

/// Removes what stands in the place of a file and is none.
fn remove_other(path: &Path) -> Result<()> {
    let what = || format!("remove `{}`", path.display());
    match place::instead_of_file(path).context(what)? {
        Some(_) => tree::remove_any_at(path).context(what),
        None => Ok(()),
    }
}

/// Returns whether an entry is lost with this manifest: a digest says what was pulled, and that is
/// lost. A tag can name another manifest of the same image.
fn is_lost(entry: &Entry, manifest: &Digest) -> bool {
    let by_digest = entry.reference.as_ref().is_some_and(|known| known.digest().is_some());
    entry.manifest == *manifest && by_digest
}

/// Describes the references that are lost with an image or a manifest.
fn with_it(entries: &[Entry], is_lost_with: impl Fn(&Entry) -> bool) -> String {
    let lost_entries = entries.iter().filter(|entry| is_lost_with(entry));
    let names: Vec<_> = lost_entries
        .filter_map(|entry| Some(format!("`{}`", entry.reference.as_ref()?.familiar())))
        .collect();
    if names.is_empty() { String::new() } else { format!("; lost with it: {}", names.join(", ")) }
}

fn in_the_way(user: &ImageUser) -> String {
    format!("the container `{}` uses it: stop it and check again", user.container)
}

/// Returns the name of an image, or its short id.
fn display_name(id: &Digest, entries: &[Entry]) -> String {
    let mut names: Vec<_> = entries.iter().filter_map(|entry| entry.reference.as_ref()).collect();
    names.sort_by_key(|reference| reference.digest().is_some());
    names.first().map_or_else(|| id.short().to_owned(), |name| Reference::familiar(name))
}

/// Keeps a damaged list of images under another name, and writes a new one. The caller holds the
/// store's lock.
pub(super) fn replace_index(store: &Store, index: &Index) -> Result<()> {
    let images = store.images();
    let (old, away) = (images.join("index.json"), images.join("index.json.damaged"));
    let is_other = place::instead_of_file(&old).context(|| "stat `index.json`".to_owned())?;
    if is_other.is_some() {
        remove_other(&away)?;
        std::fs::rename(&old, &away).context(|| format!("rename to `{}`", away.display()))?;
    } else if old.exists() {
        let _ = std::fs::remove_file(&away);
        // A link: without any list, all images would seem unreferenced.
        std::fs::hard_link(&old, &away).context(|| format!("link `{}`", away.display()))?;
    }
    index.write(images)
}

/// Returns a list of the intact images in the store, with the names in the copy of the list. The
/// caller holds the store's lock.
pub(super) fn find_images(store: &Store) -> Result<Index> {
    let images = store.images();
    let mut index = Index::read_copy(images);
    index
        .entries
        .retain(|known| entry(store, &known.manifest).is_some_and(|there| there.id == known.id));
    for name in fs::names(store_dir::open(&images.join("blobs/sha256"))?)? {
        index.entries.extend(usage::digest(&name).and_then(|blob| entry(store, &blob)));
    }
    index.drop_unreferenced();
    Ok(index)
}

/// Returns the image whose manifest is the blob.
fn entry(store: &Store, blob: &Digest) -> Option<Entry> {
    let size = store.blob(blob).symlink_metadata().ok().filter(|found| found.is_file())?.len();
    let manifest = store.read_manifest(blob).ok().filter(|_| size <= MAX_DOCUMENT)?;
    let document = Document::parse(&store.read_blob(&manifest.config.digest).ok()?).ok()?;
    if !fits(&manifest, &document) {
        return None;
    }
    let keys = layer::keys(store.images(), &document.diff_ids).ok()?;
    Some(Entry {
        id: document.id,
        manifest: blob.clone(),
        manifest_size: size,
        reference: None,
        size: keys.iter().map(|key| layer::size(store.images(), key)).sum(),
        tagged: None,
        step: None,
        is_result: false,
        parent: None,
    })
}
