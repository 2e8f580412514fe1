//! Removes images from the store, with the layers and blobs that nothing else refers to.
//!
//! The needed files are computed each time, from the index and from the containers that the caller
//! names; there is no stored counter that could be wrong. Files are selected and made invisible
//! under the store's lock, and deleted after it is released.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::document::Document;
use super::handle::{MAX_NAMED, Store};
use super::index::{Index, is_full};
use super::merged_lowers;
use super::remaining::Remaining;
use super::usage::{bytes_of, digest};
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::model::image::own::foreign;
use crate::model::image::usage::RemoveImageOptions;
use crate::model::image::{ImageUser, Removed};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::{fs, store_dir, tree};

/// The unreferenced files of the store.
#[derive(Debug, Default)]
pub(crate) struct Unreferenced {
    blobs: Vec<Vec<u8>>,
    layers: Vec<Vec<u8>>,
    merged: Vec<Vec<u8>>,
    /// The bytes of the files.
    pub(crate) bytes: u64,
}

/// What the removal of one name removed.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageRemoval {
    /// The image.
    pub id: Digest,
    /// The labels of the image; none of a damaged one.
    pub labels: BTreeMap<String, String>,
    /// The removals, in order.
    pub steps: Vec<Removed>,
}

impl Store {
    /// Removes the images that `queries` name, one after the other, in one change of the list.
    /// Returns one result for each.
    ///
    /// A reference is removed, and the image with its last one; an id stands for all of the image's
    /// references. `users` are all containers: an image that one uses is kept unless `force` is
    /// given, that of a live one even then, and the layers of all of them stay.
    ///
    /// A reference among several is only untagged, in use or not, as in Docker.
    pub fn remove(
        &self,
        queries: &[&str],
        options: &RemoveImageOptions,
        users: &[ImageUser],
    ) -> Result<Vec<Result<ImageRemoval>>> {
        let lock = self.lock()?;
        let index = Index::read(self.images())?;
        let mut removing = Removing {
            store: self,
            index: &index,
            remaining: Remaining::of(&index),
            options,
            users: users_by_image(users),
            documents: HashMap::new(),
        };
        let mut results: Vec<Result<ImageRemoval>> =
            queries.iter().map(|query| removing.remove(query)).collect();
        let documents = removing.documents;
        let (references, deleted) = removing.remaining.into_removed();
        if references.is_empty() && deleted.is_empty() {
            return Ok(results);
        }
        let mut index = index.clone();
        index.entries.retain(|entry| !deleted.contains(&entry.id));
        index.untag(&references);
        if deleted.is_empty() {
            index.write(self.images())?;
            return Ok(results);
        }
        let unreferenced = self.unreferenced(&index, users)?;
        let bin = self.replace_index(&index, &unreferenced)?;
        drop(lock);
        drop(bin);
        assign_layers(&mut results, &documents, &unreferenced);
        Ok(results)
    }

    /// Returns the unreferenced blobs and layers. The caller holds the store's lock.
    pub(crate) fn unreferenced(&self, index: &Index, users: &[ImageUser]) -> Result<Unreferenced> {
        // Merged layers are hard links, which take next to no space.
        let mut unreferenced =
            Unreferenced { merged: self.unreferenced_merged(users)?, ..Unreferenced::default() };
        // If a damaged image does not say what it needs, all files may be needed.
        let Some((needed_blobs, mut needed_layers)) = self.needed(index) else {
            return Ok(unreferenced);
        };
        needed_layers.extend(users.iter().flat_map(|user| user.layers.iter().cloned()));
        let places = [
            ("blobs/sha256", &needed_blobs, &mut unreferenced.blobs),
            ("layers", &needed_layers, &mut unreferenced.layers),
        ];
        for (place, needed, unneeded) in places {
            let holder = self.images().join(place);
            let directory = match store_dir::open(&holder) {
                // A store that no command has written to yet.
                Err(error) if error.kind() == Kind::NotFound => continue,
                directory => directory?,
            };
            unneeded.extend(fs::names(directory)?);
            unneeded.retain(|name| !is_needed(needed, name));
            let bytes = unneeded.iter().map(|name| bytes_of(self.images(), &holder, name));
            unreferenced.bytes += bytes.sum::<u64>();
        }
        Ok(unreferenced)
    }

    /// Writes an index of fewer images and moves the files that are then unreferenced to a bin,
    /// which is deleted when the result is dropped. The caller holds the store's lock.
    ///
    /// On a full disk, the files are deleted first: an interruption then leaves a damaged image
    /// that was to be removed anyway.
    pub(crate) fn replace_index(
        &self,
        index: &Index,
        unreferenced: &Unreferenced,
    ) -> Result<Option<Staging>> {
        let aside = || {
            index.write(self.images())?;
            let bin = Staging::create(&self.images().join("staging"))?;
            self.move_to_bin(unreferenced, &bin)?;
            Ok(Some(bin))
        };
        match aside() {
            Err(error) if is_full(&error) => {
                self.delete(unreferenced);
                index.write(self.images())?;
                Ok(None)
            }
            result => result,
        }
    }

    /// Deletes unreferenced files in place. Those that cannot be deleted are left to the next
    /// removal.
    fn delete(&self, unreferenced: &Unreferenced) {
        use std::os::unix::ffi::OsStrExt;
        for (place, names) in unreferenced.places() {
            for name in names {
                let path = self.images().join(place).join(std::ffi::OsStr::from_bytes(name));
                let is_dir = path.symlink_metadata().is_ok_and(|found| found.is_dir());
                match is_dir {
                    true => drop(tree::remove_tree_at(&path)),
                    false => drop(std::fs::remove_file(&path)),
                }
            }
        }
    }

    /// Moves unreferenced files into `bin`. The caller holds the store's lock.
    pub(crate) fn move_to_bin(&self, unreferenced: &Unreferenced, bin: &Staging) -> Result<()> {
        for (place, names) in
            unreferenced.places().into_iter().filter(|(_, names)| !names.is_empty())
        {
            let holder = store_dir::open(&self.images().join(place))?;
            let trash = bin.make_dir(place.split('/').next().unwrap_or(place))?;
            for name in names {
                fs::rename(&holder, name, &trash, name)?;
            }
        }
        Ok(())
    }

    /// Returns the blobs and the layers of all images.
    fn needed(&self, index: &Index) -> Option<(HashSet<Digest>, HashSet<Digest>)> {
        let mut blobs = HashSet::new();
        let mut needed_layers = HashSet::new();
        for entry in &index.entries {
            if !blobs.insert(entry.manifest.clone()) {
                continue;
            }
            let manifest = self.read_manifest(&entry.manifest).ok()?;
            let document = Document::parse(&self.read_blob(&entry.id).ok()?).ok()?;
            blobs.insert(entry.id.clone());
            blobs.extend(manifest.layers.into_iter().map(|layer| layer.digest));
            for id in layer::ids(&document.diff_ids) {
                needed_layers.extend([id.diff_id, id.above]);
            }
        }
        Some((blobs, needed_layers))
    }
}

/// The removals of one call.
struct Removing<'a> {
    store: &'a Store,
    /// The list before.
    index: &'a Index,
    remaining: Remaining<'a>,
    options: &'a RemoveImageOptions,
    users: HashMap<&'a Digest, Vec<&'a ImageUser>>,
    /// The configurations of the images that were named, if they can be read.
    documents: HashMap<Digest, Option<Document>>,
}

impl Removing<'_> {
    fn remove(&mut self, query: &str) -> Result<ImageRemoval> {
        let (store, index) = (self.store, self.index);
        let (id, named) = self.remaining.resolve(query)?;
        let references = match &named {
            Some(named) => self.remaining.with_digests(&id, named),
            None => self.remaining.references(&id),
        };
        store.may_untag(index, &id, references.iter())?;
        let may_delete = store.may_delete(index, &id);
        if !may_delete && named.is_none() {
            return Err(foreign(&format!("image `{query}`")));
        }
        let is_whole = references.len() == self.remaining.count(&id) && may_delete;
        if is_whole {
            let users = self.users.get(&id).map(Vec::as_slice).unwrap_or_default();
            let removal = Removal { query, by_id: named.is_none(), tags: &references, users };
            refuse_if_needed(&removal, self.options)?;
            self.remaining.delete(&id);
        } else {
            self.remaining.untag(&id, &references);
        }
        let labels = self.labels(&id);
        let mut steps = untagged(named.as_ref(), references);
        steps.extend(is_whole.then(|| Removed::Deleted(id.clone())));
        Ok(ImageRemoval { id, labels, steps })
    }

    fn labels(&mut self, id: &Digest) -> BTreeMap<String, String> {
        let store = self.store;
        let read = || Document::parse(&store.read_blob(id).ok()?).ok();
        let document = self.documents.entry(id.clone()).or_insert_with(read);
        document.as_ref().map(|document| document.config.labels.clone()).unwrap_or_default()
    }
}

fn users_by_image(users: &[ImageUser]) -> HashMap<&Digest, Vec<&ImageUser>> {
    let mut found: HashMap<&Digest, Vec<&ImageUser>> = HashMap::new();
    for user in users {
        found.entry(&user.image).or_default().push(user);
    }
    found
}

/// Reports each unreferenced layer as removed with the last image that had it. Those that no image
/// had were left over, and come with the first.
fn assign_layers(
    results: &mut [Result<ImageRemoval>],
    documents: &HashMap<Digest, Option<Document>>,
    unreferenced: &Unreferenced,
) {
    let mut layers: BTreeSet<Digest> = unreferenced.layer_keys().collect();
    let mut deleted: Vec<&mut ImageRemoval> = results
        .iter_mut()
        .filter_map(|result| result.as_mut().ok())
        .filter(|removal| matches!(removal.steps.last(), Some(Removed::Deleted(_))))
        .collect();
    for removal in deleted.iter_mut().rev() {
        let document = documents.get(&removal.id).and_then(Option::as_ref);
        let ids = document.map(|document| layer::ids(&document.diff_ids)).unwrap_or_default();
        let keys = ids.into_iter().flat_map(|id| [id.diff_id, id.above]);
        removal.steps.extend(keys.filter_map(|key| layers.take(&key)).map(Removed::Deleted));
    }
    if let Some(first) = deleted.first_mut() {
        first.steps.extend(layers.into_iter().map(Removed::Deleted));
    }
}

/// Returns the removed references, the named one first.
fn untagged(named: Option<&Reference>, removed_references: BTreeSet<Reference>) -> Vec<Removed> {
    let mut removed_references: Vec<Reference> = removed_references.into_iter().collect();
    removed_references
        .sort_by_key(|reference| (Some(reference) != named, reference.digest().is_some()));
    removed_references.into_iter().map(Removed::Untagged).collect()
}

impl Unreferenced {
    /// Returns the path below the directory of images.
    fn places(&self) -> [(&'static str, &Vec<Vec<u8>>); 3] {
        let flat = (merged_lowers::DIRECTORY, &self.merged);
        [("blobs/sha256", &self.blobs), ("layers", &self.layers), flat]
    }

    /// Returns the number of files and layers.
    pub(crate) fn count(&self) -> usize {
        self.blobs.len() + self.layers.len() + self.merged.len()
    }

    /// Returns the keys of the layers.
    pub(crate) fn layer_keys(&self) -> impl Iterator<Item = Digest> {
        self.layers.iter().filter_map(|name| digest(name))
    }
}

/// Returns whether a file is needed: a blob, a layer, or a file beside a layer (`KEY.json`). A file
/// whose name is not a digest is not the store's to delete.
fn is_needed(needed: &HashSet<Digest>, name: &[u8]) -> bool {
    digest(layer::key_of_name(name)).is_none_or(|digest| needed.contains(&digest))
}

/// The image to remove, how the caller names it, and its containers.
struct Removal<'a> {
    query: &'a str,
    by_id: bool,
    tags: &'a BTreeSet<Reference>,
    users: &'a [&'a ImageUser],
}

fn refuse_if_needed(image: &Removal<'_>, options: &RemoveImageOptions) -> Result<()> {
    let Removal { query, by_id, tags, users } = *image;
    let refused =
        |why: String| Error::new(Kind::Refused, format!("cannot remove `{query}`: {why}"));
    let named = |live: bool| {
        let mine = users.iter().filter(move |user| !live || user.live);
        list(mine.map(|user| format!("`{}`", user.container)), ", ")
    };
    let (live, all) = (named(true), named(false));
    if !live.is_empty() {
        return Err(refused(format!("it is used by the running container {live}"))
            .hint("stop and remove the container first: --force does not help"));
    }
    if options.force {
        return Ok(());
    }
    if !all.is_empty() {
        return Err(refused(format!("it is used by the container {all}"))
            .hint("remove the container first, or use --force: the container keeps its layers"));
    }
    if by_id && tags.len() > 1 {
        let names = list(tags.iter().map(Reference::familiar), " and ");
        return Err(refused("it has several tags".to_owned())
            .hint(format!("remove {names}, or use --force")));
    }
    Ok(())
}

/// Joins names for an error: the first ones, where there are many.
fn list(names: impl Iterator<Item = String>, by: &str) -> String {
    let mut names: Vec<String> = names.take(MAX_NAMED + 1).collect();
    if names.len() > MAX_NAMED {
        names[MAX_NAMED] = "others".to_owned();
    }
    names.join(by)
}

#[cfg(test)]
#[path = "tests/remove.rs"]
pub(crate) mod tests;
