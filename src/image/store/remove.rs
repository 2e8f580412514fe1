//! Removes images from the store, with the layers and blobs that nothing else refers to.
//!
//! What is needed is computed each time, from the index and from the containers that the caller
//! names; no counter is stored that could be wrong. All is decided and made invisible under the
//! store's lock; the files themselves are deleted after it.

use std::collections::{BTreeSet, HashSet};

use super::document::Document;
use super::handle::{Store, as_reference, by_reference, resolve};
use super::index::{Index, is_full};
use super::merged_lowers;
use super::usage::{bytes_of, digest};
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::model::image::usage::RemoveImageOptions;
use crate::model::image::{ImageUser, Removed};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The unreferenced files of the store.
#[derive(Debug, Default)]
pub(crate) struct Unreferenced {
    blobs: Vec<Vec<u8>>,
    layers: Vec<Vec<u8>>,
    merged: Vec<Vec<u8>>,
    /// The bytes of the files.
    pub(crate) bytes: u64,
}

impl Store {
    /// Removes a reference, and the image with its last one; an id stands for all of the image's
    /// references. `users` are all containers: the image of one is kept unless `force` is given,
    /// of a live one even then, and the layers of all of them stay.
    ///
    /// A reference among several is only taken away, in use or not, as in Docker.
    pub fn remove(
        &self,
        query: &str,
        options: &RemoveImageOptions,
        users: &[ImageUser],
    ) -> Result<Vec<Removed>> {
        let lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        let id = resolve(&index, query)?;
        let references: BTreeSet<Reference> =
            index.of(&id).filter_map(|entry| entry.reference.clone()).collect();
        let named = as_reference(query).filter(|wanted| by_reference(&index, wanted).is_some());
        let going = match &named {
            Some(named) => with_digests(named, &references),
            None => references.clone(),
        };
        if going.len() < references.len() {
            index
                .entries
                .retain(|entry| entry.reference.as_ref().is_none_or(|r| !going.contains(r)));
            index.write(self.images())?;
            return Ok(untagged(named.as_ref(), going));
        }
        let removal = Removal { query, id: &id, by_id: named.is_none(), tags: &references };
        refuse_if_needed(&removal, options, users)?;

        index.entries.retain(|entry| entry.id != id);
        let mut removed = untagged(named.as_ref(), going);
        removed.push(Removed::Deleted(id));
        let needless = self.unreferenced(&index, users)?;
        let bin = self.replace_index(&index, &needless)?;
        removed.extend(needless.layer_keys().map(Removed::Deleted));
        drop(lock);
        drop(bin);
        Ok(removed)
    }

    /// Returns the unreferenced blobs and layers. The caller holds the store's lock.
    pub(crate) fn unreferenced(&self, index: &Index, users: &[ImageUser]) -> Result<Unreferenced> {
        // What is merged is linked: it takes next to nothing.
        let mut needless =
            Unreferenced { merged: self.unreferenced_merged(users)?, ..Unreferenced::default() };
        // Where a damaged image does not say what it needs, all of it may be needed.
        let Some((needed_blobs, mut needed_layers)) = self.needed(index) else {
            return Ok(needless);
        };
        needed_layers.extend(users.iter().flat_map(|user| user.layers.iter().cloned()));
        let places = [
            ("blobs/sha256", &needed_blobs, &mut needless.blobs),
            ("layers", &needed_layers, &mut needless.layers),
        ];
        for (place, needed, gone) in places {
            let holder = self.images().join(place);
            gone.extend(fs::names(fs::open_dir(&holder)?)?);
            gone.retain(|name| !is_needed(needed, name));
            let bytes = gone.iter().map(|name| bytes_of(self.images(), &holder, name));
            needless.bytes += bytes.sum::<u64>();
        }
        Ok(needless)
    }

    /// Writes an index of fewer images and takes away what nobody needs then; what was taken goes
    /// when the result is dropped. The caller holds the store's lock.
    ///
    /// On a full disk, the files go first: what is cut off there leaves an image that is damaged,
    /// and that was to go.
    pub(crate) fn replace_index(
        &self,
        index: &Index,
        needless: &Unreferenced,
    ) -> Result<Option<Staging>> {
        let aside = || {
            index.write(self.images())?;
            let bin = Staging::create(&self.images().join("staging"))?;
            self.move_to_bin(needless, &bin)?;
            Ok(Some(bin))
        };
        match aside() {
            Err(error) if is_full(&error) => {
                self.delete(needless);
                index.write(self.images())?;
                Ok(None)
            }
            result => result,
        }
    }

    /// Deletes what nobody needs where it is. What can't be deleted is left to the next removal.
    fn delete(&self, needless: &Unreferenced) {
        use std::os::unix::ffi::OsStrExt;
        for (place, names) in needless.places() {
            for name in names {
                let path = self.images().join(place).join(std::ffi::OsStr::from_bytes(name));
                let is_dir = path.symlink_metadata().is_ok_and(|found| found.is_dir());
                let _ = if is_dir {
                    std::fs::remove_dir_all(&path)
                } else {
                    std::fs::remove_file(&path)
                };
            }
        }
    }

    /// Moves what nobody needs into `bin`. The caller holds the store's lock.
    pub(crate) fn move_to_bin(&self, needless: &Unreferenced, bin: &Staging) -> Result<()> {
        for (place, names) in needless.places().into_iter().filter(|(_, names)| !names.is_empty()) {
            let holder = fs::open_dir(&self.images().join(place))?;
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

/// The references that go with `named`: digests go with the last tag of their repository, for
/// they say what was pulled under it (moby, `image_delete.go`).
fn with_digests(named: &Reference, references: &BTreeSet<Reference>) -> BTreeSet<Reference> {
    let same = |other: &&Reference| other.repository() == named.repository();
    let is_tag = |other: &&Reference| other.digest().is_none();
    let mut mine = references.iter().filter(same);
    if named.digest().is_none() && mine.clone().filter(is_tag).all(|tag| tag == named) {
        return mine.cloned().collect();
    }
    // A digest may be written that the store does not list: it names a tag's image.
    match mine.find(|other| *other == named) {
        Some(found) => BTreeSet::from([found.clone()]),
        None => references.iter().filter(same).cloned().collect(),
    }
}

/// What was taken off, the one that was named first.
fn untagged(named: Option<&Reference>, going: BTreeSet<Reference>) -> Vec<Removed> {
    let mut going: Vec<Reference> = going.into_iter().collect();
    going.sort_by_key(|reference| (Some(reference) != named, reference.digest().is_some()));
    going.into_iter().map(Removed::Untagged).collect()
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

/// Whether a file of ours is needed: a blob, a layer, or what lies beside a layer (`KEY.json`). A
/// name that is no digest is not ours to take away.
fn is_needed(needed: &HashSet<Digest>, name: &[u8]) -> bool {
    digest(layer::key_of_name(name)).is_none_or(|digest| needed.contains(&digest))
}

/// The image to remove, and how the caller names it.
struct Removal<'a> {
    query: &'a str,
    id: &'a Digest,
    by_id: bool,
    tags: &'a BTreeSet<Reference>,
}

fn refuse_if_needed(
    image: &Removal<'_>,
    options: &RemoveImageOptions,
    users: &[ImageUser],
) -> Result<()> {
    let Removal { query, id, by_id, tags } = *image;
    let refused =
        |why: String| Error::new(Kind::Refused, format!("cannot remove `{query}`: {why}"));
    let of_image = |live: bool| {
        let mine = users.iter().filter(move |user| user.image == *id && (!live || user.live));
        let names: Vec<_> = mine.map(|user| format!("`{}`", user.container)).collect();
        names.join(", ")
    };
    let (live, all) = (of_image(true), of_image(false));
    if !live.is_empty() {
        return Err(refused(format!("it is used by the running container {live}"))
            .hint("stop and remove the container first; this can't be forced"));
    }
    if options.force {
        return Ok(());
    }
    if !all.is_empty() {
        return Err(refused(format!("it is used by the container {all}"))
            .hint("remove the container first, or force it: the container keeps its layers"));
    }
    let repositories: BTreeSet<_> = tags.iter().map(Reference::repository).collect();
    if by_id && repositories.len() > 1 {
        let names: Vec<_> = tags.iter().map(Reference::familiar).collect();
        return Err(refused("it has tags in several repositories".to_owned())
            .hint(format!("remove {}, or force it", names.join(" and "))));
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests/remove.rs"]
pub(crate) mod tests;
