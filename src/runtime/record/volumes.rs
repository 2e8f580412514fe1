//! The volumes of a root: `volumes/<name>/` with `volume.json`, the content in `_data`, and the
//! mark `fresh` until a container has used it.
//!
//! A volume is published by one rename, so two processes that create it concurrently get one; it is
//! removed by one rename too. Names that begin with a point are being created or removed.
//! `volumes/.lock` is shared by processes that create containers, and held alone by one that
//! removes volumes.

use std::ffi::CStr;
use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::journal::Journal;
use crate::model::container::mounts::check_volume_name;
use crate::model::error::Context;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::observe::event::{Event, EventAction};
use crate::model::observe::volume::{VERSION, Volume};
use crate::model::{Error, Kind, Result};
use crate::runtime::host;
use crate::sys;
use crate::sys::lock::{self, Share};
use crate::sys::tree::remove_tree_at;

/// The file in a volume's directory that marks the volume as never filled.
pub const EMPTY_MARK: &CStr = c"fresh";

/// The volumes below one root.
#[derive(Clone, Debug)]
pub struct Volumes {
    path: PathBuf,
}

/// A lock on all volumes: while it is held, no volume is removed, or no container is created.
#[derive(Debug)]
pub struct VolumesLock {
    _file: File,
}

impl Volumes {
    /// Returns the volumes below `root`, which need not exist yet.
    pub fn at(root: &Path) -> Self {
        Volumes { path: root.join("volumes") }
    }

    /// Returns the directory of a volume's content.
    pub fn mountpoint(&self, name: &str) -> PathBuf {
        self.path.join(name).join("_data")
    }

    /// Locks the volumes against removal.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn lock_shared(&self) -> Result<VolumesLock> {
        let file = self.lock_file()?;
        lock::acquire(&file, Share::Shared, "the volumes")?;
        Ok(VolumesLock { _file: file })
    }

    /// Locks the volumes for a removal: no container is created meanwhile.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn lock_exclusive(&self) -> Result<VolumesLock> {
        let file = self.lock_file()?;
        lock::acquire(&file, Share::Alone, "the volumes")?;
        Ok(VolumesLock { _file: file })
    }

    /// As [`lock_exclusive`](Self::lock_exclusive); `None` if another process holds a lock.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn try_lock_exclusive(&self) -> Result<Option<VolumesLock>> {
        let file = self.lock_file()?;
        Ok(file.try_lock().is_ok().then_some(VolumesLock { _file: file }))
    }

    fn lock_file(&self) -> Result<File> {
        let created = fs::DirBuilder::new().mode(0o700).recursive(true).create(&self.path);
        created.context(|| format!("create `{}`", self.path.display()))?;
        let path = self.path.join(".lock");
        let mut options = OpenOptions::new();
        let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = match file {
            // What a read-only store has can still be looked at.
            Err(error) if error.kind() == ErrorKind::ReadOnlyFilesystem => File::open(&path),
            file => file,
        };
        file.context(|| format!("open `{}`", path.display()))
    }

    /// Creates a volume, unless one of this name exists. Returns whether it was created.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a bad name.
    pub fn create(&self, volume: &Volume) -> Result<bool> {
        check_volume_name(&volume.name)?;
        if self.find(&volume.name)?.is_some() {
            return Ok(false);
        }
        let staged = self.path.join(format!(".new-{}", random_name()?));
        let created = self.write_staged(volume, &staged).and_then(|()| {
            let (old, new) = (staged.as_os_str(), self.path.join(&volume.name));
            let old = std::os::unix::ffi::OsStrExt::as_bytes(old);
            let new = std::os::unix::ffi::OsStrExt::as_bytes(new.as_os_str());
            sys::fs::rename_new(rustix::fs::CWD, old, rustix::fs::CWD, new)
        });
        match created {
            Ok(true) => self.event(EventAction::Create, &volume.name),
            _ => drop(remove_tree_at(&staged)),
        }
        created
    }

    fn event(&self, action: EventAction, name: &str) {
        // The volumes are below the root.
        if let Some(root) = self.path.parent() {
            Journal::at(root).write(Event::of_volume(action, name, &[]));
        }
    }

    fn write_staged(&self, volume: &Volume, staged: &Path) -> Result<()> {
        let what = || format!("create volume `{}`", volume.name);
        let write = || -> std::io::Result<()> {
            fs::DirBuilder::new().mode(0o700).recursive(true).create(staged)?;
            fs::create_dir(staged.join("_data"))?;
            fs::set_permissions(
                staged.join("_data"),
                std::os::unix::fs::PermissionsExt::from_mode(0o755),
            )?;
            fs::write(staged.join(EMPTY_MARK.to_string_lossy().as_ref()), [])?;
            let json = serde_json::to_vec(volume).unwrap_or_default();
            fs::write(staged.join("volume.json"), json)?;
            File::open(staged.join("volume.json"))?.sync_all()
        };
        write().context(what)
    }

    /// Returns the volume of this name, if there is one.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if its record is damaged.
    pub fn find(&self, name: &str) -> Result<Option<Volume>> {
        if check_volume_name(name).is_err() {
            return Ok(None);
        }
        let path = self.path.join(name).join("volume.json");
        let bytes = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            result => result.context(|| format!("read `{}`", path.display()))?,
        };
        let corrupt = |why: String| {
            Error::new(Kind::Corrupt, format!("`{}` is damaged: {why}", path.display()))
        };
        let volume: Volume =
            serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        match volume.version == VERSION && volume.name == name {
            true => Ok(Some(volume)),
            false => Err(corrupt("it belongs to another volume or version".to_owned())),
        }
    }

    /// Returns whether a volume of this name exists, damaged or not.
    pub fn exists(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// Returns all volumes by name, except those with a damaged record.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn list(&self) -> Result<Vec<Volume>> {
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            result => result.context(|| format!("read `{}`", self.path.display()))?,
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut list: Vec<Volume> =
            names.filter_map(|name| self.find(&name).ok().flatten()).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(list)
    }

    /// Removes a volume with its content, and what killed processes left of others. The caller
    /// holds the lock on all volumes, and knows that no container uses this one.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(&self, _held: &VolumesLock, name: &str) -> Result<()> {
        check_volume_name(name)?;
        let (path, removed) =
            (self.path.join(name), self.path.join(format!(".gone-{}", random_name()?)));
        fs::rename(&path, &removed).context(|| format!("remove `{}`", path.display()))?;
        self.event(EventAction::Destroy, name);
        let gone = remove_tree_at(&removed).context(|| format!("remove `{}`", removed.display()));
        for half in self.halves() {
            // No process creates a volume now: that would hold the shared lock. What is left of
            // another volume does not make this removal fail.
            let _ = remove_half(&half);
        }
        gone
    }

    /// Describes what killed processes left of volumes. With `repair`, removes it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn half_done(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        if self.halves().is_empty() {
            return Ok(Vec::new());
        }
        // Without the lock another process is creating or removing them.
        let Some(_held) = self.try_lock_exclusive()? else { return Ok(Vec::new()) };
        let halves = self.halves();
        let found = halves.iter().map(|half| {
            let removed = options.repair.then(|| remove_half(half));
            let name = half.file_name().unwrap_or_default().display();
            (format!("a half volume: {name}"), Resolution::of_removal(removed))
        });
        Ok(found.collect())
    }

    /// Returns the directories of volumes that are being created or removed.
    fn halves(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let is_half = |entry: &fs::DirEntry| {
            let name = entry.file_name();
            let half = [&b".gone-"[..], b".new-"];
            half.iter().any(|half| name.as_encoded_bytes().starts_with(half))
        };
        entries.filter(is_half).map(|entry| entry.path()).collect()
    }
}

fn remove_half(path: &Path) -> Result<()> {
    remove_tree_at(path).context(|| format!("remove `{}`", path.display()))
}

fn random_name() -> Result<String> {
    Ok(format!("{:016x}", u64::from_le_bytes(host::random()?)))
}
