//! Holds the store against what it must be, and mends it.
//!
//! Each layer is unpacked once more, from its blob or its recipe, whose digests prove that the
//! copy is right; then the two are compared. So whatever unpacking heeds is checked, and a copy
//! to mend with is at hand.
//!
//! Looking takes no lock, so that others go on working. What seems damaged may be on its way out
//! or in: it counts only if the image is still listed and its files were the same before and
//! after the look. Changes are made under the locks of `rmi`, by renames alone.

mod compare;
mod one_layer;
mod repair;
mod unpack;

use std::collections::{BTreeMap, HashSet};

use self::one_layer::{Fault, is_of_host};
use super::handle::Store;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::staging;
use crate::image::bytes::staging::Staging;
use crate::image::layer::{self, LayerId};
use crate::image::store::document::Document;
use crate::image::store::index::{Entry, Index, Manifest};
use crate::image::store::usage::bytes_of;
use crate::model::image::ImageUser;
use crate::model::observe::check_report::{Finding, Problem, Report, Resolution};
use crate::model::value::digest::Digest;
use crate::model::value::units::human_bytes;
use crate::model::{Error, Kind, Result};

/// How often an image is looked at anew after a part was mended: as many layers as it can have,
/// and their blobs.
const MAX_REPAIRS: usize = 2200;
/// How often an image is looked at anew that others change meanwhile.
const ATTEMPTS: usize = 20;

/// What is held while the store is changed: no container is made of its images, and none of
/// `users` is started.
pub struct InUseGuard {
    /// All containers; those that could not be held still count as live.
    pub users: Vec<ImageUser>,
    /// Lets go when dropped.
    pub locks: Box<dyn Send>,
}

impl std::fmt::Debug for InUseGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("users", &self.users).finish_non_exhaustive()
    }
}

/// Tells who uses what; with `true`, holds them still.
pub type InUse<'a> = &'a dyn Fn(bool) -> Result<InUseGuard>;

impl Store {
    /// Looks at all images, layers and leftovers; with `repair`, mends what can be mended and
    /// removes what can't.
    pub fn check(
        &self,
        repair: bool,
        hold: InUse<'_>,
        cancelled: CancelCheck<'_>,
    ) -> Result<Report> {
        if repair {
            self.make_directories()?;
        }
        let lock = self.lock()?;
        let staging = Staging::create(&self.images().join("staging"))?;
        drop(lock);
        let mut checking = Checking {
            store: self,
            in_use: hold,
            repair,
            cancelled,
            staging,
            healthy: HashSet::new(),
            healthy_blobs: HashSet::new(),
            unpacked: 0,
            report: Report::default(),
        };
        let Some(index) = checking.index()? else { return Ok(checking.report) };
        for id in index.ids() {
            checking.image(id)?;
        }
        checking.merged()?;
        checking.leftovers()?;
        Ok(checking.report)
    }
}

struct Checking<'a> {
    store: &'a Store,
    in_use: InUse<'a>,
    repair: bool,
    cancelled: CancelCheck<'a>,
    staging: Staging,
    /// The keys of the layers that are as they must be.
    healthy: HashSet<Digest>,
    /// The blobs that are what their names say.
    healthy_blobs: HashSet<Digest>,
    /// Layers that were unpacked once more, for their names.
    unpacked: u64,
    report: Report,
}

/// An image as the index has it, and which files it is made of.
#[derive(PartialEq)]
struct IndexedImage {
    entries: Vec<Entry>,
    files: Vec<Option<(u64, u64)>>,
}

/// What came of damage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// Nothing more is to be done.
    Done,
    /// Something was put right: there may be more.
    Recheck,
    /// The image was changed meanwhile.
    Changed,
}

/// What is wrong with an image.
enum Damage {
    /// It can't be mended.
    Lost(String),
    /// A layer is not what it must be.
    Layer(LayerId, Fault),
    /// One of its manifests can't be had any more, why, and an entry whose manifest is whole.
    Manifest(Digest, String, Entry),
}

impl Checking<'_> {
    /// The list of images; `None` where it is damaged and stays so.
    fn index(&mut self) -> Result<Option<Index>> {
        let lock = self.store.lock()?;
        let (what, index) = match Index::read(self.store.images()) {
            Ok(index) => return Ok(Some(index)),
            Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::Unsupported) => {
                (error.to_string(), super::check::repair::find_images(self.store)?)
            }
            Err(error) => return Err(error),
        };
        if self.repair {
            super::check::repair::replace_index(self.store, &index)?;
        }
        drop(lock);
        let fate = if self.repair { Resolution::Repaired } else { Resolution::Found };
        self.found(Problem::Damage, what, None, &[], fate);
        Ok(self.repair.then_some(index))
    }

    fn image(&mut self, id: &Digest) -> Result<()> {
        let (mut changes, mut mended) = (0, 0);
        while changes < ATTEMPTS {
            let Some(seen) = self.indexed(id)? else { return Ok(()) };
            let looked = self.check_image(id, &seen.entries);
            let same = |now: &Self| now.indexed(id).map(|now| now.as_ref() == Some(&seen));
            let settled = match looked {
                Ok(damage) if damage.is_empty() => Settled::Done,
                Ok(damage) => self.settle(id, &seen, damage)?,
                // Where others take files away, looking fails.
                Err(error) if is_of_host(&error) || same(self)? => return Err(error),
                Err(_) => Settled::Changed,
            };
            match settled {
                Settled::Done => {
                    self.report.images += 1;
                    return Ok(());
                }
                Settled::Recheck if mended < MAX_REPAIRS => mended += 1,
                Settled::Recheck => return Ok(()),
                Settled::Changed => changes += 1,
            }
        }
        let message = format!("the image `{}` is changed all the time", id.short());
        Err(Error::new(Kind::Refused, message).hint("check when no other command runs"))
    }

    /// The image as it is now; `None` where it is not listed any more.
    fn indexed(&self, id: &Digest) -> Result<Option<IndexedImage>> {
        let _lock = self.store.lock()?;
        self.indexed_locked(id)
    }

    /// The same for one who holds the store's lock.
    fn indexed_locked(&self, id: &Digest) -> Result<Option<IndexedImage>> {
        use std::os::unix::fs::MetadataExt;
        let index = Index::read(self.store.images())?;
        let entries: Vec<Entry> = index.of(id).cloned().collect();
        if entries.is_empty() {
            return Ok(None);
        }
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

    /// What is wrong with an image. Only `Lost` where anything is.
    fn check_image(&mut self, id: &Digest, entries: &[Entry]) -> Result<Vec<Damage>> {
        let lost = |what: &str, error: Error| vec![Damage::Lost(format!("{what}: {error}"))];
        let document = self.store.read_blob(id).and_then(|bytes| Document::parse(&bytes));
        let document = match document {
            Ok(document) => document,
            Err(error) => return Ok(lost("its configuration", error)),
        };
        let mut manifests: Vec<(&Entry, Manifest)> = Vec::new();
        let mut bad: BTreeMap<Digest, String> = BTreeMap::new();
        for entry in entries {
            let why = match self.store.read_manifest(&entry.manifest) {
                Ok(manifest) if fits(&manifest, &document) => {
                    manifests.push((entry, manifest));
                    continue;
                }
                Ok(_) => "its manifest is of another image".to_owned(),
                Err(error) => format!("its manifest: {error}"),
            };
            bad.insert(entry.manifest.clone(), why);
        }
        let ids = layer::ids(&document.diff_ids);
        let is_lost = |damage: &Damage| matches!(damage, Damage::Lost(_));
        let mut damage = Vec::new();
        for (number, id) in ids.iter().enumerate() {
            let blobs = manifests.iter().map(|(_, manifest)| &manifest.layers[number]);
            // A layer may depend on those below: they are mended first.
            if self.repair && damage.iter().any(|damage| !is_lost(damage)) {
                break;
            }
            let looked = self.layer(&ids, number, &blobs.collect::<Vec<_>>())?;
            let of_layer = |why: &str| format!("its layer `{}`: {why}", id.diff_id.short());
            for (blob, why) in &looked.missing {
                let naming = manifests.iter().filter(|(_, m)| m.layers[number].digest == *blob);
                for (entry, _) in naming {
                    bad.entry(entry.manifest.clone()).or_insert_with(|| of_layer(why));
                }
            }
            match looked.fault {
                Some(Fault::Lost(why)) => damage.push(Damage::Lost(of_layer(&why))),
                Some(fault) => damage.push(Damage::Layer(id.clone(), fault)),
                None => {}
            }
        }
        let whole = manifests.iter().find(|(entry, _)| !bad.contains_key(&entry.manifest));
        damage.extend(bad.into_iter().map(|(manifest, why)| match whole {
            Some((entry, _)) => Damage::Manifest(manifest, why, (*entry).clone()),
            None => Damage::Lost(why),
        }));
        if damage.iter().any(is_lost) {
            damage.retain(is_lost);
        }
        Ok(damage)
    }

    /// What nobody needs: of dead imports, and of images that were removed while in use.
    fn leftovers(&mut self) -> Result<()> {
        let held = (self.in_use)(self.repair)?;
        let lock = self.store.lock()?;
        let parent = self.store.images().join("staging");
        let abandoned = staging::abandoned_names(&parent)?;
        let mut bytes: u64 =
            abandoned.iter().map(|name| bytes_of(self.store.images(), &parent, name)).sum();
        let needless = self.store.unreferenced(&Index::read(self.store.images())?, &held.users)?;
        bytes += needless.bytes;
        let count = needless.count() + abandoned.len();
        let mut swept = Vec::new();
        if self.repair {
            swept = staging::abandoned(&parent)?;
            let bin = Staging::create(&parent)?;
            self.store.move_to_bin(&needless, &bin)?;
            swept.push(bin);
        }
        drop(lock);
        drop(held);
        // Deleting may take long.
        drop(swept);
        if count > 0 {
            let noun = if count == 1 { "entry" } else { "entries" };
            let what = format!("{count} {noun} that nobody needs, {}", human_bytes(bytes));
            let fate = if self.repair { Resolution::Removed } else { Resolution::Found };
            self.found(Problem::Leftover, what, None, &[], fate);
        }
        Ok(())
    }

    fn found(
        &mut self,
        trouble: Problem,
        what: String,
        image: Option<String>,
        users: &[&ImageUser],
        fate: Resolution,
    ) {
        let mut containers: Vec<_> = users.iter().map(|user| user.container.clone()).collect();
        containers.sort();
        self.report.findings.push(Finding {
            problem: trouble,
            what,
            image,
            containers,
            resolution: fate,
        });
    }
}

/// Whether a manifest is of the image with this configuration.
fn fits(manifest: &Manifest, document: &Document) -> bool {
    manifest.config.digest == document.id && manifest.layers.len() == document.diff_ids.len()
}

#[cfg(test)]
#[path = "../tests/check.rs"]
mod tests;
