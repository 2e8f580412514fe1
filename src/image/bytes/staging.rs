//! Directories for content that is not part of the store yet.
//!
//! Each import works in a directory of its own, which is removed when the import ends. An
//! import that is killed leaves it behind; the next import removes directories without a lock.

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use crate::image::tar::error::corrupt;
use crate::model::Result;
use crate::sys::{fs, store_dir, tree};

/// A directory below `staging/`, locked until drop and then removed.
#[derive(Debug)]
pub(crate) struct Staging {
    path: PathBuf,
    directory: OwnedFd,
}

impl Staging {
    /// Creates a new directory in `parent`. The caller holds the store's lock: between creation and
    /// locking, another process would take the directory for abandoned.
    pub(crate) fn create(parent: &Path) -> Result<Staging> {
        let holder = store_dir::open(parent)?;
        for number in 0u64.. {
            let name = format!("{}-{number}", std::process::id());
            match fs::make_dir(&holder, name.as_bytes()) {
                Ok(()) => {
                    let directory = fs::open_dir_beneath(&holder, name.as_bytes())?;
                    // Locked by a process that does not hold the store's lock: the next number.
                    if fs::try_lock(&directory)? {
                        return Ok(Staging { path: parent.join(name), directory });
                    }
                }
                Err(error) if error.errno() == Some(libc::EEXIST) => {}
                Err(error) => return Err(error),
            }
        }
        Err(corrupt("no free name for a staging directory"))
    }

    /// Returns the directory.
    pub(crate) fn directory(&self) -> &OwnedFd {
        &self.directory
    }

    /// Returns the path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a directory in the staging directory.
    pub(crate) fn make_dir(&self, name: &str) -> Result<OwnedFd> {
        fs::make_dir(&self.directory, name.as_bytes())?;
        fs::open_dir_beneath(&self.directory, name.as_bytes())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next import removes what cannot be removed now.
        let _ = tree::remove_tree_at(&self.path);
    }
}

/// Takes over the directories of dead imports in `parent`. The caller holds the store's lock. The
/// directories are removed on drop, which may take long and needs no lock of the store.
pub(crate) fn abandoned(parent: &Path) -> Result<Vec<Staging>> {
    let holder = store_dir::open(parent)?;
    let mut found = Vec::new();
    for name in fs::names(&holder)? {
        let Ok(directory) = fs::open_dir_beneath(&holder, &name) else {
            continue;
        };
        if fs::try_lock(&directory)? {
            use std::os::unix::ffi::OsStrExt;
            let path = parent.join(std::ffi::OsStr::from_bytes(&name));
            found.push(Staging { path, directory });
        }
    }
    Ok(found)
}

/// Returns the names of the directories of dead imports in `parent`. The caller holds the store's
/// lock.
pub(crate) fn abandoned_names(parent: &Path) -> Result<Vec<Vec<u8>>> {
    let holder = store_dir::open(parent)?;
    let mut names = fs::names(&holder)?;
    // A lock that is taken here is released with the descriptor.
    names.retain(|name| {
        let directory = fs::open_dir_beneath(&holder, name);
        directory.is_ok_and(|directory| fs::try_lock(&directory).unwrap_or(false))
    });
    Ok(names)
}
