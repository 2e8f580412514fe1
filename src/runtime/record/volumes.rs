//! The volumes of a root: `volumes/<name>/` with `volume.json`, the content in `_data`, and the
//! mark `fresh` until a container has used it.
//!
//! A volume is published by one rename, so two processes that create it concurrently get one; it is
//! removed by one rename too. Names that begin with a point are being created or removed.
//! `volumes/.lock` is shared by processes that create containers, and held alone by one that
//! removes volumes.

use std::ffi::{CStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::aside::{ASIDE, remove_tree, set_aside};
use super::journal::Journal;
use crate::model::container::mounts::check_volume_name;
use crate::model::error::Context;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::observe::event::{Event, EventAction};
use crate::model::observe::volume::{VERSION, Volume};
use crate::model::{Error, Kind, Result};
use crate::runtime::host;
use crate::sys::lock::{self, Share};
use crate::sys::tree::remove_tree_at;
use crate::sys::{self, store_dir};

/// The file in a volume's directory that marks the volume as never filled.
pub const EMPTY_MARK: &CStr = c"fresh";

/// The volumes below one root.
#[derive(Clone, Debug)]
pub struct Volumes {
    pub(super) path: PathBuf,
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
        store_dir::make(&self.path)?;
        self.path.parent().map_or(Ok(()), host::owner::check)?;
        let path = self.path.join(".lock");
        let file = sys::record_file::open_or_create_lock(&path);
        file.context(|| format!("open `{}`", path.display()))
    }

    /// Creates a volume, unless one of this name exists. Returns whether it was created.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a bad name.
    pub fn create(&self, volume: &Volume) -> Result<bool> {
        check_volume_name(&volume.name)?;
        if self.find(&volume.name)?.is_some() {
            // A mount of what stands in its place would fail, or mount something else.
            let content = store_dir::check(&self.mountpoint(&volume.name));
            return content.map_err(|error| is_damaged(&volume.name, error)).map(|()| false);
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

    /// Syncs these volumes, and which exist: what was created or removed survives a power failure.
    ///
    /// # Errors
    /// When the disk is broken.
    pub fn sync(&self, names: &[String]) -> Result<()> {
        for name in names {
            sys::fs::sync_dir(&self.path.join(name))?;
        }
        sys::fs::sync_dir(&self.path)
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
            write_synced(&staged.join("volume.json"), &json)
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
        let read = || format!("read `{}`", path.display());
        let bytes = match sys::record_file::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !self.exists(name) => {
                return Ok(None);
            }
            // The volume exists, with a damaged record.
            result => result.context(read).map_err(|error| match error.errno() {
                Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM) => error,
                _ => error.with_kind(Kind::Corrupt),
            }),
        };
        let corrupt = |why: String| {
            Error::new(Kind::Corrupt, format!("`{}` is damaged: {why}", path.display()))
        };
        let parsed = bytes.and_then(|bytes| {
            serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))
        });
        let volume: Volume = parsed.map_err(|error| is_damaged(name, error))?;
        match volume.version == VERSION && volume.name == name {
            true => Ok(Some(volume)),
            false => {
                let why = corrupt("it belongs to another volume or version".to_owned());
                Err(is_damaged(name, why))
            }
        }
    }

    /// Returns whether a volume of this name exists, damaged or not.
    pub fn exists(&self, name: &str) -> bool {
        self.path.join(name).symlink_metadata().is_ok()
    }

    /// Returns all volumes by name; for each damaged record its error.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn list(&self) -> Result<Vec<(String, Result<Volume>)>> {
        let mut list = Vec::new();
        for name in store_dir::names(&self.path)?.into_iter().flatten() {
            let Ok(name) = name.into_string() else { continue };
            if let Some(found) = self.find(&name).transpose() {
                list.push((name, found));
            }
        }
        list.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(list)
    }

    /// Takes a volume away: no process finds it from here on, and the caller deletes its content
    /// without the lock. The caller holds the lock on all volumes, and knows that no container uses
    /// this one.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn take_away(&self, _held: &VolumesLock, name: &str) -> Result<RemovedVolume> {
        check_volume_name(name)?;
        let (path, removed) =
            (self.path.join(name), self.path.join(format!(".gone-{}", random_name()?)));
        fs::rename(&path, &removed).context(|| format!("remove `{}`", path.display()))?;
        self.event(EventAction::Destroy, name);
        let unlocked = RemovedVolume { path: removed.clone(), _lock: None };
        Ok(RemovedVolume::claim(removed).unwrap_or(unlocked))
    }

    /// Returns what killed processes left of volumes. The caller deletes it without the lock, and
    /// holds the lock on all volumes now: no process creates one.
    pub fn abandoned(&self, _held: &VolumesLock) -> Vec<RemovedVolume> {
        // What could not be deleted is for `system check --repair`.
        let is_aside = |path: &PathBuf| path.extension().is_some_and(|ending| ending == ASIDE);
        let halves = self.halves().into_iter().filter(|path| !is_aside(path));
        halves.filter_map(RemovedVolume::claim).collect()
    }

    /// Describes what killed processes left of volumes, and what could not be deleted. With
    /// `repair`, removes it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn half_done(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        if self.halves().is_empty() {
            return Ok(Vec::new());
        }
        // Without the lock another process is creating or removing them.
        let Some(_held) = self.try_lock_exclusive()? else { return Ok(Vec::new()) };
        let halves = self.halves().into_iter().filter_map(RemovedVolume::claim);
        let found = halves.map(|half| {
            let name = half.path.file_name().unwrap_or_default().display().to_string();
            let removed = options.repair.then(|| half.delete());
            (format!("a half volume: {name}"), Resolution::of_removal(removed))
        });
        Ok(found.collect())
    }

    /// Returns the directories of volumes that are being created or removed.
    fn halves(&self) -> Vec<PathBuf> {
        let names = store_dir::names(&self.path).ok().flatten().unwrap_or_default();
        let is_half = |name: &OsString| {
            let half = [&b".gone-"[..], b".new-"];
            half.iter().any(|half| name.as_encoded_bytes().starts_with(half))
        };
        names.into_iter().filter(is_half).map(|name| self.path.join(name)).collect()
    }
}

/// A volume that was taken away, or is half created, and whose files remain.
#[derive(Debug)]
pub struct RemovedVolume {
    path: PathBuf,
    /// Locked while this process deletes the files, so that no other process takes them for those
    /// of a killed one.
    _lock: Option<File>,
}

impl RemovedVolume {
    /// Claims what no process is deleting.
    fn claim(path: PathBuf) -> Option<Self> {
        // What stands in the place of a directory is deleted too.
        let lock = sys::fs::open_dir(&path).ok().map(File::from);
        let is_free = lock.as_ref().is_none_or(|lock| lock.try_lock().is_ok());
        is_free.then_some(RemovedVolume { path, _lock: lock })
    }

    /// Returns the directory of the content.
    pub fn content(&self) -> PathBuf {
        self.path.join("_data")
    }

    /// Deletes the files. Those that cannot be deleted are set aside for `system check --repair`,
    /// so that no other command tries again.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn delete(self) -> Result<()> {
        let removed = remove_tree(&self.path);
        if removed.is_err() {
            set_aside(&self.path);
        }
        removed
    }
}

fn is_damaged(name: &str, error: Error) -> Error {
    error.context(format!("the volume `{name}` is damaged")).hint(format!(
        "repair it: lifebox system check --repair; or remove it: lifebox volume rm -f {name}"
    ))
}

/// Writes a new file to the disk.
pub(super) fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn random_name() -> Result<String> {
    Ok(format!("{:016x}", u64::from_le_bytes(host::random()?)))
}
