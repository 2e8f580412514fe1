//! Puts right what was found, under the locks of those who could be in the way.

use super::super::document::{Document, MAX_DOCUMENT};
use super::super::index::{Entry, Index};
use super::super::layers::{self, LayerId};
use super::super::store::Store;
use super::layer::Fault;
use super::unpack::Fresh;
use super::{Checking, Damage, Held, Seen, Settled, fits};
use crate::model::Result;
use crate::model::digest::Digest;
use crate::model::error::Context;
use crate::model::image::ImageUser;
use crate::model::reference::Reference;
use crate::model::report::{Fate, Trouble};
use crate::sys::fs;

impl Checking<'_> {
    /// Reports damage of an image, and puts it right if that was asked for.
    pub(super) fn settle(
        &mut self,
        id: &Digest,
        seen: &Seen,
        damage: Vec<Damage>,
    ) -> Result<Settled> {
        if self.repair {
            // Before it gets its final name.
            fs::sync_filesystem(self.staging.directory())?;
        }
        let held = (self.hold)(self.repair)?;
        let lock = self.store.lock()?;
        if self.seen_one(id)?.as_ref() != Some(seen) {
            return Ok(Settled::Changed);
        }
        let mut settled = Settled::Done;
        let mut done = Vec::with_capacity(damage.len());
        for damage in damage {
            let fate = if self.repair { self.put_right(id, &damage, &held)? } else { Fate::Found };
            if fate == Fate::Mended {
                settled = Settled::LookAgain;
            }
            done.push((damage, fate));
        }
        drop(lock);
        let name = display_name(id, &seen.entries);
        let users: Vec<&ImageUser> = held.users.iter().filter(|user| user.image == *id).collect();
        for (damage, fate) in done {
            let of = |layer: &LayerId, why: &str| {
                format!("its layer `{}`: {why}", layer.diff_id.short())
            };
            let what = match &damage {
                Damage::Lost(why) => why.clone(),
                Damage::Layer(layer, Fault::Files { why, fresh }) => {
                    self.forget(fresh);
                    of(layer, why)
                }
                Damage::Layer(layer, Fault::Blob { why, .. } | Fault::Lost(why)) => of(layer, why),
            };
            self.found(Trouble::Damage, what, Some(name.clone()), &users, fate);
        }
        Ok(settled)
    }

    /// The caller holds the store's lock.
    fn put_right(&mut self, id: &Digest, damage: &Damage, held: &Held) -> Result<Fate> {
        match damage {
            Damage::Lost(_) => {
                if let Some(user) = held.users.iter().find(|user| user.live && user.image == *id) {
                    return Ok(Fate::Left(in_the_way(user)));
                }
                let mut index = Index::read(self.store.images())?;
                index.entries.retain(|entry| entry.id != *id);
                index.write(self.store.images())?;
                Ok(Fate::Removed)
            }
            Damage::Layer(layer, Fault::Files { fresh, .. }) => {
                let keys = [&layer.diff_id, &layer.above];
                let uses = |user: &&ImageUser| user.layers.iter().any(|key| keys.contains(&key));
                if let Some(user) = held.users.iter().filter(uses).find(|user| user.live) {
                    return Ok(Fate::Left(in_the_way(user)));
                }
                let key = self.replace(layer, fresh)?;
                self.store.mend_flat(&key, &held.users, &self.staging)?;
                Ok(Fate::Mended)
            }
            Damage::Layer(_, Fault::Blob { digest, .. }) => {
                let path = self.store.blob(digest);
                std::fs::remove_file(&path).context(|| format!("remove `{}`", path.display()))?;
                Ok(Fate::Mended)
            }
            Damage::Layer(_, Fault::Lost(why)) => Ok(Fate::Left(why.clone())),
        }
    }

    /// Puts a fresh copy in the place of a layer; the old one goes with the staging directory.
    fn replace(&mut self, layer: &LayerId, fresh: &Fresh) -> Result<Digest> {
        let images = self.store.images();
        let (staged, holder) = (self.staging.directory(), fs::open_dir(&images.join("layers"))?);
        let key = if fresh.stands_alone { &layer.diff_id } else { &layer.above };
        let record = format!("{}.json", fresh.name);
        fs::rename(staged, record.as_bytes(), &holder, layers::record_name(key).as_bytes())?;
        if fresh.complete {
            let recipe = format!("{}.recipe", fresh.name);
            fs::rename(staged, recipe.as_bytes(), &holder, layers::recipe_name(key).as_bytes())?;
        }
        let (name, hex) = (fresh.name.as_bytes(), key.hex().as_bytes());
        if !fs::rename_new(staged, name, &holder, hex)? {
            fs::exchange(staged, name, &holder, hex)?;
        }
        fs::sync(&holder)?;
        self.sound.insert(key.clone());
        self.report.layers += 1;
        Ok(key.clone())
    }
}

fn in_the_way(user: &ImageUser) -> String {
    format!("the container `{}` runs on it; stop it and check again", user.container)
}

/// As the image is called, or its short id.
fn display_name(id: &Digest, entries: &[Entry]) -> String {
    let mut names: Vec<_> = entries.iter().filter_map(|entry| entry.reference.as_ref()).collect();
    names.sort_by_key(|reference| reference.digest().is_some());
    names.first().map_or_else(|| id.short().to_owned(), |name| Reference::familiar(name))
}

/// Moves a damaged list of images away and lists the images that are there. Their names were in
/// the list alone. The caller holds the store's lock.
pub(super) fn rebuild_index(store: &Store) -> Result<Index> {
    let images = store.images();
    let (old, away) = (images.join("index.json"), images.join("index.json.damaged"));
    std::fs::rename(&old, &away).context(|| format!("move `{}` away", old.display()))?;
    let mut index = Index::default();
    for name in fs::names(fs::open_dir(&images.join("blobs/sha256"))?)? {
        index
            .entries
            .extend(super::super::usage::digest(&name).and_then(|blob| entry(store, &blob)));
    }
    index.drop_needless();
    index.write(images)?;
    Ok(index)
}

/// The image that a blob is the manifest of.
fn entry(store: &Store, blob: &Digest) -> Option<Entry> {
    let size = store.blob(blob).metadata().ok()?.len();
    let manifest = store.read_manifest(blob).ok().filter(|_| size <= MAX_DOCUMENT)?;
    let document = Document::parse(&store.read_blob(&manifest.config.digest).ok()?).ok()?;
    if !fits(&manifest, &document) {
        return None;
    }
    let keys = layers::keys(store.images(), &document.diff_ids).ok()?;
    Some(Entry {
        id: document.id,
        manifest: blob.clone(),
        manifest_size: size,
        reference: None,
        size: keys.iter().map(|key| layers::size(store.images(), key)).sum(),
        tagged: None,
        step: None,
        parent: None,
    })
}
