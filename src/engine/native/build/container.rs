//! The containers of builds, which are removed with their builder: its resource reaper does so. If
//! that was killed too, the next build does: each container has a file in `builds/` that contains
//! its name and is locked as long as the builder lives.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::engine::backend::{CancelToken, Containers as _};
use crate::engine::native::handle::Native;
use crate::model::container::options::RemoveOptions;
use crate::model::error::Context;
use crate::model::value::name::ContainerName;
use crate::model::{Kind, Result};
use crate::runtime::host::record_file;
use crate::runtime::random;

/// The name of a build container to create, and the lock that proves that its builder lives. The
/// kernel releases the lock however the builder exits.
#[derive(Debug)]
pub(super) struct BuildContainer {
    name: ContainerName,
    path: PathBuf,
    _lock: File,
}

impl BuildContainer {
    /// Returns a name that no other build has.
    pub(super) fn new(root: &Path) -> Result<Self> {
        let builds = builds(root);
        let mut directory = DirBuilder::new();
        let created = directory.recursive(true).mode(0o700).create(&builds);
        created.context(|| format!("create `{}`", builds.display()))?;
        loop {
            let name = format!("build-{:016x}", u64::from_le_bytes(random()?));
            let path = builds.join(&name);
            let mut options = OpenOptions::new();
            let lock = options
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&path)
                .context(|| format!("create `{}`", path.display()))?;
            lock.lock().context(|| format!("lock `{}`", path.display()))?;
            // A concurrent sweep may have taken the file for a leftover and removed it.
            if lock.metadata().is_ok_and(|facts| facts.nlink() > 0) {
                return Ok(BuildContainer { name: name.parse()?, path, _lock: lock });
            }
        }
    }

    pub(super) fn name(&self) -> &ContainerName {
        &self.name
    }
}

impl Drop for BuildContainer {
    fn drop(&mut self) {
        // A file that stays is removed by the next sweep.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Native {
    /// Removes the containers of builders that have exited.
    pub(in crate::engine::native) fn remove_lost_builds(&self) -> Result<()> {
        let force = RemoveOptions { force: true, ..RemoveOptions::default() };
        let builds = builds(&self.settings.root);
        let read = || format!("read `{}`", builds.display());
        let entries = match std::fs::read_dir(&builds) {
            // There was no build yet.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            entries => entries.context(read)?,
        };
        for entry in entries {
            let entry = entry.context(read)?;
            let path = entry.path();
            let file = match record_file::open(&path, OpenOptions::new().read(true)) {
                // Another sweep has removed it.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                file => file.context(|| format!("open `{}`", path.display())),
            };
            let file = match file {
                // Of no build: for `system check --repair`.
                Err(error) if error.kind() == Kind::Corrupt => continue,
                file => file?,
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => continue,
            }
            let name = entry.file_name();
            match name.to_str().map(|name| self.runtime.find(name)) {
                Some(Ok(id)) => match self.rm(&id, &force, &CancelToken::new()?) {
                    Err(error) if error.kind() != Kind::NotFound => {
                        return Err(
                            error.context(format!("cannot remove the build container `{id}`"))
                        );
                    }
                    _ => {}
                },
                Some(Err(error)) if error.kind() != Kind::NotFound => continue,
                _ => {}
            }
            // Another sweep may have removed it.
            let _ = std::fs::remove_file(&path);
        }
        Ok(())
    }
}

fn builds(root: &Path) -> PathBuf {
    root.join("builds")
}
