//! The containers of builds, which are removed with their builder: its resource reaper does so. If
//! that was killed too, the next build does, or a check: each container has a file in `builds/` of
//! its name, which is locked as long as the builder lives.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::engine::backend::{CancelToken, Containers as _};
use crate::engine::native::handle::Native;
use crate::model::container::options::RemoveOptions;
use crate::model::error::Context;
use crate::model::value::name::ContainerName;
use crate::model::{Kind, Result};
use crate::runtime::host::lock::{Share, acquire};
use crate::runtime::host::{record_file, store_dir};
use crate::runtime::random;

/// A file in `builds/`, locked as long as its builder lives: the kernel releases the lock however
/// the builder exits.
#[derive(Debug)]
pub(super) struct BuildFile {
    /// Its name, which no other build has.
    name: ContainerName,
    path: PathBuf,
    file: File,
}

impl BuildFile {
    /// Creates an empty file.
    pub(super) fn new(root: &Path) -> Result<Self> {
        let builds = builds(root);
        store_dir::make(&builds)?;
        loop {
            let name = format!("build-{:016x}", u64::from_le_bytes(random()?));
            let path = builds.join(&name);
            let mut options = OpenOptions::new();
            let file = options
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&path)
                .context(|| format!("create `{}`", path.display()))?;
            acquire(&file, Share::Alone, "the files of builds")?;
            // A concurrent sweep may have taken the file for a leftover and removed it.
            if file.metadata().is_ok_and(|facts| facts.nlink() > 0) {
                return Ok(BuildFile { name: name.parse()?, path, file });
            }
        }
    }

    /// Returns the name: that of the build container to create.
    pub(super) fn name(&self) -> &ContainerName {
        &self.name
    }

    /// Appends to the file.
    pub(super) fn write(&self, text: &str) -> Result<()> {
        let written = (&self.file).write_all(text.as_bytes());
        written.context(|| format!("write `{}`", self.path.display()))
    }
}

impl Drop for BuildFile {
    fn drop(&mut self) {
        // A file that stays is removed by the next sweep.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Native {
    /// Removes the containers of builders that have exited.
    pub(in crate::engine::native) fn remove_lost_builds(&self) -> Result<()> {
        let force = RemoveOptions { force: true, volumes: true };
        for (path, _lock) in self.lost_builds() {
            let name = path.file_name().and_then(|name| name.to_str());
            match name.map(|name| self.runtime.find(name)) {
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

    /// Returns the files of builders that have exited, locked.
    pub(in crate::engine::native) fn lost_builds(&self) -> Vec<(PathBuf, File)> {
        self.build_files().filter(|(_, file)| file.try_lock().is_ok()).collect()
    }

    /// Returns the name and the content of the file of each builder that lives.
    pub(super) fn builds_under_way(&self) -> Vec<(String, String)> {
        let live = self
            .build_files()
            .filter(|(_, file)| matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        live.map(|(path, mut file)| {
            let mut text = String::new();
            let _ = file.read_to_string(&mut text);
            (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
        })
        .collect()
    }

    fn build_files(&self) -> impl Iterator<Item = (PathBuf, File)> {
        let builds = builds(&self.settings.root);
        // There was no build yet, or something else stands in its place.
        let names = store_dir::names(&builds).ok().flatten().unwrap_or_default();
        let paths = names.into_iter().map(move |name| builds.join(name));
        paths.filter_map(|path| {
            let file = record_file::open(&path, OpenOptions::new().read(true));
            // Removed meanwhile, or of no build.
            file.ok().map(|file| (path, file))
        })
    }
}

fn builds(root: &Path) -> PathBuf {
    root.join("builds")
}
