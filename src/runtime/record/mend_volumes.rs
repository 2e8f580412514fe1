//! Damaged volumes: what stands in the place of one, of its content, its record or its marks.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::Timestamp;

use super::mend::replaced;
use super::place::{clear_place, replace_by_directory};
use super::volumes::{EMPTY_MARK, Volumes, write_synced};
use crate::model::container::mounts::check_volume_name;
use crate::model::error::Context as _;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::observe::volume::{Volume, VolumeOptions};
use crate::model::{Kind, Result};
use crate::sys::{self, place, store_dir};

/// The marks in a volume's directory, which are files.
const MARKS: [&str; 3] = ["fresh", "filling", "shared"];

impl Volumes {
    /// Describes what is damaged of volumes. With `repair`, makes what is missing, writes records
    /// anew and keeps the content.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn damaged(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found = Vec::new();
        for name in store_dir::names(&self.path)?.into_iter().flatten() {
            let name = name.into_string().ok().filter(|name| check_volume_name(name).is_ok());
            found.extend(name.into_iter().flat_map(|name| self.damage_of(&name, options)));
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(found)
    }

    /// As [`damaged`](Self::damaged), of one volume.
    pub(crate) fn damage_of(
        &self,
        name: &str,
        options: &CheckOptions,
    ) -> Vec<(String, Resolution)> {
        let directory = self.path.join(name);
        if let Ok(Some(kind)) = place::instead_of_directory(&directory) {
            let what = format!("the volume `{name}` is {kind}, not a directory");
            return vec![replaced(what, options.repair.then(|| self.make_anew(name)))];
        }
        let mut found = Vec::new();
        for mark in MARKS {
            let path = directory.join(mark);
            if let Ok(Some(kind)) = place::instead_of_file(&path) {
                let what = format!("the volume `{name}`: `{mark}` is {kind}, not a regular file");
                let mend = || clear_place(&path).and_then(|()| write_mark(&path));
                found.push(replaced(what, options.repair.then(|| mend().map(|()| None))));
            }
        }
        let content = self.mountpoint(name);
        let wrong = match place::instead_of_directory(&content) {
            Ok(Some(kind)) => Some(format!("is {kind}, not a directory")),
            Ok(None) if content.exists() => None,
            Ok(None) => Some("is missing".to_owned()),
            Err(error) => Some(format!("cannot be read: {error}")),
        };
        if let Some(wrong) = wrong.filter(|_| directory.exists()) {
            let what = format!("the volume `{name}`: its content `_data` {wrong}");
            found.push(replaced(what, options.repair.then(|| make_content(&content))));
        }
        if let Err(error) = self.find(name) {
            let written = options.repair.then(|| self.write_anew(name).map(|()| None));
            found.push(replaced(error.to_string(), written));
        }
        found
    }

    /// Makes an empty volume in the place of what is none: the containers that have it can start.
    fn make_anew(&self, name: &str) -> Result<Option<String>> {
        let directory = self.path.join(name);
        let kept = {
            let _held = self.lock_exclusive()?;
            let kept = replace_by_directory(&directory)?;
            make_content(&self.mountpoint(name))?;
            write_mark(&directory.join(EMPTY_MARK.to_string_lossy().as_ref()))?;
            kept
        };
        self.write_anew(name).map(|()| kept)
    }

    fn write_anew(&self, name: &str) -> Result<()> {
        let (_held, directory) = (self.lock_exclusive()?, self.path.join(name));
        if !matches!(self.find(name), Err(error) if error.kind() == Kind::Corrupt) {
            return Ok(());
        }
        let made = fs::metadata(&directory).and_then(|found| found.modified());
        let made = made.context(|| format!("stat `{}`", directory.display()))?;
        let created = Timestamp::try_from(made).unwrap_or(Timestamp::UNIX_EPOCH);
        let (options, path) = (VolumeOptions::default(), directory.join("volume.json"));
        // With a name, so that no prune takes it for an anonymous one.
        let options = VolumeOptions { name: Some(name.to_owned()), ..options };
        let json = serde_json::to_vec(&Volume::new(name.to_owned(), created, &options));
        clear_place(&path)?;
        write_synced(&path, &json.unwrap_or_default())
            .context(|| format!("write `{}`", path.display()))?;
        sys::fs::sync_dir(&directory)
    }
}

/// Makes an empty directory for the content of a volume; returns what it has kept.
fn make_content(path: &Path) -> Result<Option<String>> {
    let kept = replace_by_directory(path)?;
    let opened = fs::set_permissions(path, Permissions::from_mode(0o755));
    opened.context(|| format!("chmod `{}`", path.display()))?;
    Ok(kept)
}

fn write_mark(path: &Path) -> Result<()> {
    fs::write(path, []).context(|| format!("write `{}`", path.display()))
}
