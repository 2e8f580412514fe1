//! The directory of one container: its files and its lock.
//!
//! `config.json` (OCI), `spec.json`: written once. `state.json`: replaced as a whole. `log.jsonl`.
//! `upper/`, `work/`, `rootfs/`: the writable layer and the mount point of the root; or `rootfs/`
//! alone, a copy of all layers. `hosts`, `hostname`, `resolv.conf`: mounted in `/etc`. `stdin`: a
//! fifo, if input is kept open. `cgroup`, `cgroup-parent`: the parent cgroup, where that depends on
//! the caller, and the value of `--cgroup-parent`. `kept`, if the container outlives its script.
//! `monitor.sock`, `lock`. `exec.ID`: of an exec that runs.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state_file;
use crate::model::container::{ContainerSpec, State, VERSION};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::{self, record_file};

/// A container's directory. Holding one proves nothing: another process may remove it.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

/// The lock of a container. While a process holds it, no other changes the container's files.
/// A monitor holds it for as long as its container lives.
#[derive(Debug)]
pub struct Lock {
    /// Its open file; a process that inherits it keeps the lock (flock(2)).
    pub file: File,
}

impl Directory {
    /// Returns the directory at `path`.
    pub fn new(path: PathBuf) -> Self {
        Directory { path }
    }

    /// Returns its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether it exists, or something else stands in its place.
    pub fn exists(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }

    /// Returns the path of `file` in it.
    pub fn file(&self, file: &str) -> PathBuf {
        self.path.join(file)
    }

    /// Takes the lock, if no process holds it.
    ///
    /// # Errors
    /// When the container was removed.
    pub fn try_lock(&self) -> Result<Option<Lock>> {
        let path = self.file("lock");
        let file = record_file::open_lock(&path);
        let file = file.context(|| format!("open `{}`", path.display()))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Lock { file })),
                Err(fs::TryLockError::WouldBlock) => return Ok(None),
                Err(fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(fs::TryLockError::Error(error)) => {
                    return Err(Error::from_io(format!("lock `{}`", path.display()), &error));
                }
            }
        }
    }

    /// Reads the container's spec.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if the file is damaged or of another version.
    pub fn read_spec(&self) -> Result<ContainerSpec> {
        let spec: ContainerSpec = self.read("spec.json")?;
        if spec.version == VERSION {
            Ok(spec)
        } else {
            Err(self.other_version("spec.json", spec.version))
        }
    }

    /// Reads the container's spec as far as there is one: `None` if it is missing or damaged. Who
    /// removes by it must not take a host without memory for a container without volumes.
    ///
    /// # Errors
    /// When the host cannot read it now.
    pub fn known_spec(&self) -> Result<Option<ContainerSpec>> {
        match self.read_spec() {
            Err(error) if matches!(error.kind(), Kind::Corrupt | Kind::NotFound) => Ok(None),
            Err(error) if error.errno().is_none() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Reads the container's last written state.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if the file is damaged or of another version.
    pub fn read_state(&self) -> Result<State> {
        // On a full disk the old file is written again: a slow reader may meet two records in one.
        let state: State = self.read("state.json").or_else(|error| match error.kind() {
            Kind::Corrupt => self.read("state.json"),
            _ => Err(error),
        })?;
        if state.version == VERSION {
            Ok(state)
        } else {
            Err(self.other_version("state.json", state.version))
        }
    }

    fn other_version(&self, file: &str, version: u32) -> Error {
        let path = self.file(file);
        Error::new(
            Kind::Corrupt,
            format!("`{}` has version {version}, not {VERSION}", path.display()),
        )
        .hint("use the version of lifebox that wrote it")
    }

    /// Reads a JSON file.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Corrupt`] if it is damaged.
    pub fn read<T: DeserializeOwned>(&self, file: &str) -> Result<T> {
        let path = self.file(file);
        let bytes = record_file::read(&path).context(|| format!("read `{}`", path.display()));
        let bytes = bytes.map_err(|error| match error.errno() {
            // The disk, or the rights of the file: the record is lost as one with a bad content.
            Some(libc::EIO | libc::EACCES) => error.with_kind(Kind::Corrupt),
            _ => error,
        })?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::new(Kind::Corrupt, format!("`{}` is damaged: {error}", path.display()))
        })
    }

    /// Replaces `state.json`, on a full disk too if [room](Self::keep_room) is kept.
    ///
    /// # Errors
    /// When the disk is full or read-only; then the old state stays.
    pub fn write_state(&self, state: &State) -> Result<()> {
        let json = serde_json::to_vec(state).unwrap_or_default();
        state_file::replace(&self.path, &json)
            .context(|| format!("write `{}`", self.file("state.json").display()))
    }

    /// Keeps room for the container's state, so that a full disk does not falsify it.
    ///
    /// # Errors
    /// When the disk is full or read-only.
    pub fn keep_room(&self) -> Result<()> {
        state_file::keep_room(&self.path)
            .context(|| format!("keep room for the state of `{}`", self.path.display()))
    }

    /// Writes a new JSON file.
    ///
    /// # Errors
    /// When the disk is full or read-only.
    pub fn write_new(&self, file: &str, value: &impl Serialize) -> Result<()> {
        let path = self.file(file);
        let json = serde_json::to_vec(value).unwrap_or_default();
        write_file(&path, &json).context(|| format!("write `{}`", path.display()))
    }

    /// Syncs these files, so that a power failure leaves no empty ones.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub fn sync(&self, files: &[&str]) -> Result<()> {
        for file in files {
            let path = self.file(file);
            let file = record_file::open(&path, OpenOptions::new().read(true));
            let synced = file.and_then(|file| file.sync_all());
            synced.context(|| format!("sync `{}`", path.display()))?;
        }
        sys::fs::sync_dir(&self.path)
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    record_file::open(path, options)?.write_all(bytes)
}
