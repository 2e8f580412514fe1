//! Removes unused images.
//!
//! An image is needed if it has a tag (unless all unused ones are removed), if a container uses it,
//! or if a needed image was built from it: that keeps the build cache.

use std::collections::{HashMap, HashSet};

use super::handle::Store;
use super::index::Index;
use crate::model::Result;
use crate::model::image::usage::{PruneOptions, Pruned};
use crate::model::image::{Image, ImageUser, Removed};
use crate::model::value::digest::Digest;

impl Store {
    /// Removes images that no container of `users` uses, or with `dry_run` only lists them. The
    /// filter selects among them by label and time.
    pub fn prune(&self, options: &PruneOptions, users: &[ImageUser]) -> Result<Pruned> {
        // A dry run removes nothing, so it needs no lock.
        let lock = (!options.dry_run).then(|| self.lock()).transpose()?;
        let mut index = Index::read(self.images())?;
        let images = self.list_of(&index);
        let mut pruned = Pruned::default();
        let mut unused = unused_images(&images, options, users);
        unused.retain(|image| self.may_delete(&index, &image.id));
        if options.of_builds && options.keep > 0 {
            self.spare_newest(&mut unused, &index, options.keep, users)?;
        }
        let mut going: HashSet<&Digest> = HashSet::new();
        for image in unused {
            let references = image.tags.iter().chain(&image.digests).cloned();
            pruned.removed.extend(references.map(Removed::Untagged));
            pruned.removed.push(Removed::Deleted(image.id.clone()));
            pruned.images += 1;
            going.insert(&image.id);
        }
        index.entries.retain(|entry| !going.contains(&entry.id));
        let needless = self.unreferenced(&index, users)?;
        pruned.removed.extend(needless.layer_keys().map(Removed::Deleted));
        pruned.bytes = needless.bytes;
        if options.dry_run {
            return Ok(pruned);
        }
        let bin = self.replace_index(&index, &needless)?;
        drop(lock);
        drop(bin);
        Ok(pruned)
    }
}

impl Store {
    /// Leaves the newest images of `unused` out, as long as all that stay have `keep` bytes.
    fn spare_newest(
        &self,
        unused: &mut Vec<&Image>,
        index: &Index,
        keep: u64,
        users: &[ImageUser],
    ) -> Result<()> {
        unused.sort_by_key(|image| image.created);
        let freed = |count: usize| -> Result<u64> {
            let going: HashSet<&Digest> = unused[..count].iter().map(|image| &image.id).collect();
            let mut left = index.clone();
            left.entries.retain(|entry| !going.contains(&entry.id));
            Ok(self.unreferenced(&left, users)?.bytes)
        };
        let (nothing, all) = (freed(0)?, freed(unused.len())?);
        let (mut low, mut high) = (0, unused.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match all - freed(middle)?.max(nothing).min(all) <= keep {
                true => high = middle,
                false => low = middle + 1,
            }
        }
        unused.truncate(low);
        Ok(())
    }
}

/// Returns the images to remove.
fn unused_images<'a>(
    images: &'a [Image],
    options: &PruneOptions,
    users: &[ImageUser],
) -> Vec<&'a Image> {
    let used: HashSet<&Digest> = users.iter().map(|user| &user.image).collect();
    let may_go = |image: &&Image| {
        (options.all || image.tags.is_empty())
            && (!options.of_builds || image.intermediate)
            && !used.contains(&image.id)
            && options.filter.matches(image)
    };
    let (may_go, staying): (Vec<&Image>, Vec<&Image>) = images.iter().partition(may_go);
    if options.all {
        return may_go;
    }
    let parents: HashMap<&Digest, &Digest> =
        images.iter().filter_map(|image| Some((&image.id, image.parent.as_ref()?))).collect();
    let mut needed: HashSet<&Digest> = HashSet::new();
    let mut todo: Vec<&Digest> = staying.iter().filter_map(|image| image.parent.as_ref()).collect();
    while let Some(id) = todo.pop() {
        if needed.insert(id) {
            todo.extend(parents.get(id));
        }
    }
    may_go.into_iter().filter(|image| !needed.contains(&image.id)).collect()
}

#[cfg(test)]
#[path = "tests/prune.rs"]
mod tests;
