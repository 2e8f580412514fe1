//! Takes images out of the store, and the layers and blobs that nobody needs any more.
//!
//! What is needed is computed each time, from the index and from the containers that the caller
//! names; no counter is stored that could be wrong. All is decided and made invisible under the
//! store's lock; the files themselves are deleted after it.

use std::collections::{BTreeSet, HashSet};

use super::document::Document;
use super::index::Index;
use super::layers;
use super::staging::Staging;
use super::store::{Store, as_reference, by_reference, resolve};
use crate::model::digest::Digest;
use crate::model::image::{ImageUser, Removed};
use crate::model::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

impl Store {
    /// Removes a reference, and the image with its last one; an id stands for all of the image's
    /// references. `users` are all containers: the image of one is kept unless `force` is given,
    /// of a live one even then, and the layers of all of them stay.
    ///
    /// A reference among several is only taken away, in use or not, as in Docker.
    pub fn remove(&self, query: &str, force: bool, users: &[ImageUser]) -> Result<Vec<Removed>> {
        let lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        let id = resolve(&index, query)?;
        let tags: BTreeSet<Reference> =
            index.of(&id).filter_map(|entry| entry.reference.clone()).collect();
        let tag = as_reference(query).filter(|wanted| by_reference(&index, wanted).is_some());
        if let Some(tag) = tag.as_ref().filter(|tag| tag.digest().is_none() && tags.len() > 1) {
            index.entries.retain(|entry| entry.reference.as_ref() != Some(tag));
            index.write(self.images())?;
            return Ok(vec![Removed::Untagged(tag.clone())]);
        }
        refuse_if_needed(query, &id, force, tag.is_none(), &tags, users)?;

        index.entries.retain(|entry| entry.id != id);
        index.write(self.images())?;
        let mut removed: Vec<Removed> = tags.into_iter().map(Removed::Untagged).collect();
        removed.push(Removed::Deleted(id));
        let bin = Staging::create(&self.images().join("staging"))?;
        let gone = self.collect(&index, users, &bin)?;
        removed.extend(gone.into_iter().map(Removed::Deleted));
        drop(lock);
        drop(bin);
        Ok(removed)
    }

    /// Moves what nobody needs into `bin`; returns the keys of the layers that went.
    fn collect(&self, index: &Index, users: &[ImageUser], bin: &Staging) -> Result<Vec<Digest>> {
        // Where a damaged image does not say what it needs, all of it may be needed.
        let Some((needed_blobs, mut needed_layers)) = self.needed(index) else {
            return Ok(Vec::new());
        };
        needed_layers.extend(users.iter().flat_map(|user| user.layers.iter().cloned()));

        let holder = fs::open_dir(&self.images().join("blobs/sha256"))?;
        for name in fs::names(&holder)? {
            if !is_needed(&needed_blobs, &name) {
                fs::rename(&holder, &name, bin.directory(), &name)?;
            }
        }
        let holder = fs::open_dir(&self.images().join("layers"))?;
        let trash = bin.make_dir("layers")?;
        let mut gone = Vec::new();
        for name in fs::names(&holder)? {
            let stem = layers::stem(&name);
            if !is_needed(&needed_layers, stem) {
                fs::rename(&holder, &name, &trash, &name)?;
                gone.extend(digest(&name));
            }
        }
        Ok(gone)
    }

    /// The blobs and the layers of all images.
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
            for id in layers::ids(&document.diff_ids) {
                needed_layers.extend([id.diff_id, id.above]);
            }
        }
        Some((blobs, needed_layers))
    }
}

fn digest(hex: &[u8]) -> Option<Digest> {
    format!("sha256:{}", std::str::from_utf8(hex).ok()?).parse().ok()
}

/// Whether a file of ours is needed. A name that is no digest is not ours to take away.
fn is_needed(needed: &HashSet<Digest>, hex: &[u8]) -> bool {
    digest(hex).is_none_or(|digest| needed.contains(&digest))
}

fn refuse_if_needed(
    query: &str,
    id: &Digest,
    force: bool,
    by_id: bool,
    tags: &BTreeSet<Reference>,
    users: &[ImageUser],
) -> Result<()> {
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
    if force {
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
mod tests;
