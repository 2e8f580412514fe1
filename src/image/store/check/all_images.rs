//! Checks the whole store: the list of images, each image, and leftovers.

use std::collections::{BTreeMap, HashSet};

use super::checking::Checking;
use super::damage::{Damage, Fault, InUse, Settled, fits, is_of_host};
use super::repair::{find_images, replace_index};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::staging::{self, Staging};
use crate::image::layer;
use crate::image::store::document::Document;
use crate::image::store::handle::{Store, scratch};
use crate::image::store::index::{Entry, Index, Manifest};
use crate::image::store::usage::bytes_of;
use crate::model::observe::check_report::{CheckOptions, Problem, Report, Resolution};
use crate::model::value::digest::Digest;
use crate::model::value::units::human_bytes;
use crate::model::{Error, Kind, Result};
use crate::sys::store_dir;

/// How often an image is checked again after a repair: as many layers as it can have,
/// and their blobs.
const MAX_REPAIRS: usize = 2200;
/// How often an image is checked again because another process has changed it.
const ATTEMPTS: usize = 20;

impl Store {
    /// Checks all images, layers and leftovers; with `repair`, repairs what can be repaired and
    /// removes the rest.
    pub fn check(
        &self,
        options: &CheckOptions,
        hold: InUse<'_>,
        cancelled: CancelCheck<'_>,
    ) -> Result<Report> {
        if options.repair {
            self.create_directories()?;
        }
        let lock = self.lock()?;
        let staging = scratch(Staging::create(&self.images().join("staging")))?;
        drop(lock);
        let mut checking = Checking {
            store: self,
            in_use: hold,
            options: *options,
            cancelled,
            staging,
            listed: None,
            healthy: HashSet::new(),
            healthy_blobs: HashSet::new(),
            unpacked: 0,
            report: Report::default(),
        };
        let Some(index) = checking.index()? else { return Ok(checking.report) };
        for id in index.ids() {
            let checked = checking.image(id);
            checking.note(checked, Some(id.short().to_owned()))?;
        }
        let checked = checking.merged();
        checking.note(checked, None)?;
        let checked = checking.leftovers();
        checking.note(checked, None)?;
        Ok(checking.report)
    }
}

impl Checking<'_> {
    /// Returns the list of images; `None` if it is damaged and not repaired.
    fn index(&mut self) -> Result<Option<Index>> {
        let lock = self.store.lock()?;
        let (what, index) = match Index::read(self.store.images()) {
            Ok(index) => return Ok(Some(index)),
            Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::Unsupported) => {
                (error.to_string(), find_images(self.store)?)
            }
            Err(error) => return Err(error),
        };
        if self.options.repair {
            replace_index(self.store, &index)?;
        }
        drop(lock);
        let resolution = if self.options.repair { Resolution::Repaired } else { Resolution::Found };
        self.found(Problem::Damage, what, None, &[], resolution);
        Ok(self.options.repair.then_some(index))
    }

    /// Reports an error of the store as damage, so that the check continues.
    fn note(&mut self, checked: Result<()>, image: Option<String>) -> Result<()> {
        match checked {
            Err(error) if store_dir::is_of_store(&error) => {
                let resolution = match self.options.repair {
                    true => Resolution::Unrepaired("it cannot be checked".to_owned()),
                    false => Resolution::Found,
                };
                self.found(Problem::Damage, error.to_string(), image, &[], resolution);
                Ok(())
            }
            checked => checked,
        }
    }

    fn image(&mut self, id: &Digest) -> Result<()> {
        let (mut changes, mut repairs) = (0, 0);
        while changes < ATTEMPTS {
            let Some(seen) = self.indexed(id)? else { return Ok(()) };
            let checked = self.check_image(id, &seen.entries);
            let is_unchanged =
                |now: &mut Self| now.indexed(id).map(|now| now.as_ref() == Some(&seen));
            let settled = match checked {
                Ok(damage) if damage.is_empty() => Settled::Done,
                Ok(damage) => self.settle(id, &seen, damage)?,
                // If another process removes files, the check fails.
                Err(error) if is_of_host(&error) || is_unchanged(self)? => return Err(error),
                Err(_) => Settled::Changed,
            };
            match settled {
                Settled::Done => {
                    self.report.images += 1;
                    return Ok(());
                }
                Settled::Recheck if repairs < MAX_REPAIRS => repairs += 1,
                Settled::Recheck => return Ok(()),
                Settled::Changed => changes += 1,
            }
        }
        let message = format!("the image `{}` keeps changing", id.short());
        Err(Error::new(Kind::Refused, message).hint("check when no other command runs"))
    }

    /// Returns the damage of an image; only `Lost` where there is such damage.
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
            // A layer may depend on those below, which are repaired first.
            if self.options.repair && damage.iter().any(|damage| !is_lost(damage)) {
                break;
            }
            let checked = self.layer(&ids, number, &blobs.collect::<Vec<_>>())?;
            let of_layer = |why: &str| format!("its layer `{}`: {why}", id.diff_id.short());
            for (blob, why) in &checked.missing {
                let naming = manifests.iter().filter(|(_, m)| m.layers[number].digest == *blob);
                for (entry, _) in naming {
                    bad.entry(entry.manifest.clone()).or_insert_with(|| of_layer(why));
                }
            }
            match checked.fault {
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

    /// Checks for leftovers of dead imports, and of images that were removed while in use.
    fn leftovers(&mut self) -> Result<()> {
        let held = (self.in_use)(&self.options)?;
        let lock = self.store.lock()?;
        let parent = self.store.images().join("staging");
        let abandoned = staging::abandoned_names(&parent)?;
        let mut bytes: u64 =
            abandoned.iter().map(|name| bytes_of(self.store.images(), &parent, name)).sum();
        let unreferenced =
            self.store.unreferenced(&Index::read(self.store.images())?, &held.users)?;
        bytes += unreferenced.bytes;
        let count = unreferenced.count() + abandoned.len();
        let mut swept = Vec::new();
        if self.options.repair {
            swept = staging::abandoned(&parent)?;
            let bin = Staging::create(&parent)?;
            self.store.move_to_bin(&unreferenced, &bin)?;
            swept.push(bin);
        }
        drop(lock);
        drop(held);
        // Deleting may take long, so the locks are released first.
        drop(swept);
        if count > 0 {
            let noun = if count == 1 { "entry" } else { "entries" };
            let what = format!("{count} unreferenced {noun}, {}", human_bytes(bytes));
            let resolution =
                if self.options.repair { Resolution::Removed } else { Resolution::Found };
            self.found(Problem::Leftover, what, None, &[], resolution);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "../tests/check.rs"]
mod tests;
