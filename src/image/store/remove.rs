//! Removes images from the store, with the layers and blobs that nothing else refers to.
//!
//! The needed files are computed each time, from the index and from the containers that the caller
//! names; there is no stored counter that could be wrong. Files are selected and made invisible
//! under the store's lock, and deleted after it is released.

use std::collections::{BTreeSet, HashSet};

use super::document::Document;
use super::handle::{Store, as_reference, by_reference, resolve};
use super::index::{Index, is_full};
use super::merged_lowers;
use super::usage::{bytes_of, digest};
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::model::image::own::foreign;
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
    /// references. `users` are all containers: an image that one uses is kept unless `force` is
    /// given, that of a live one even then, and the layers of all of them stay.
    ///
    /// A reference among several is only untagged, in use or not, as in Docker.
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
        let named =
            as_reference(query).filter(|reference| by_reference(&index, reference).is_some());
        let removed_references = match &named {
            Some(named) => with_digests(named, &references),
            None => references.clone(),
        };
        self.may_untag(&index, &id, removed_references.iter())?;
        let may_delete = self.may_delete(&index, &id);
        if !may_delete && named.is_none() {
            return Err(foreign(&format!("image `{query}`")));
        }
        if removed_references.len() < references.len() || !may_delete {
            index.untag(&removed_references);
            index.write(self.images())?;
            return Ok(untagged(named.as_ref(), removed_references));
        }
        let removal = Removal { query, id: &id, by_id: named.is_none(), tags: &references };
        refuse_if_needed(&removal, options, users)?;

        index.entries.retain(|entry| entry.id != id);
        let mut removed = untagged(named.as_ref(), removed_references);
        removed.push(Removed::Deleted(id));
        let unreferenced = self.unreferenced(&index, users)?;
        let bin = self.replace_index(&index, &unreferenced)?;
        removed.extend(unreferenced.layer_keys().map(Removed::Deleted));
        drop(lock);
        drop(bin);
        Ok(removed)
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
            unneeded.extend(fs::names(fs::open_dir(&holder)?)?);
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
                let _ = if is_dir {
                    std::fs::remove_dir_all(&path)
                } else {
                    std::fs::remove_file(&path)
                };
            }
        }
    }

    /// Moves unreferenced files into `bin`. The caller holds the store's lock.
    pub(crate) fn move_to_bin(&self, unreferenced: &Unreferenced, bin: &Staging) -> Result<()> {
        for (place, names) in
            unreferenced.places().into_iter().filter(|(_, names)| !names.is_empty())
        {
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

/// Returns the references that are removed with `named`: digests are removed with the last tag of
/// their repository, because they say what was pulled under it (moby, `image_delete.go`).
fn with_digests(named: &Reference, references: &BTreeSet<Reference>) -> BTreeSet<Reference> {
    let in_repository = |other: &&Reference| other.repository() == named.repository();
    let is_tag = |other: &&Reference| other.digest().is_none();
    let mut mine = references.iter().filter(in_repository);
    if named.digest().is_none() && mine.clone().filter(is_tag).all(|tag| tag == named) {
        return mine.cloned().collect();
    }
    // A digest may be given that the store does not list: it names a tag's image.
    match mine.find(|other| *other == named) {
        Some(found) => BTreeSet::from([found.clone()]),
        None => references.iter().filter(in_repository).cloned().collect(),
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
            .hint("stop and remove the container first: --force does not help"));
    }
    if options.force {
        return Ok(());
    }
    if !all.is_empty() {
        return Err(refused(format!("it is used by the container {all}"))
            .hint("remove the container first, or use --force: the container keeps its layers"));
    }
    let repositories: BTreeSet<_> = tags.iter().map(Reference::repository).collect();
    if by_id && repositories.len() > 1 {
        let names: Vec<_> = tags.iter().map(Reference::familiar).collect();
        return Err(refused("it has tags in several repositories".to_owned())
            .hint(format!("remove {}, or use --force", names.join(" and "))));
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests/remove.rs"]
pub(crate) mod tests;
