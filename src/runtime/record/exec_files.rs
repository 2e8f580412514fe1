//! Which execs of a container run: for each an empty file in the container's directory, locked as
//! long as its helper lives. The kernel releases the lock however the helper exits.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use super::directory::Directory;
use crate::sys::{record_file, store_dir};

/// The beginning of the file's name; the exec's id is the rest.
const PREFIX: &str = "exec.";

/// The file of an exec that runs. It is removed with this value.
#[derive(Debug)]
pub struct ExecFile {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl ExecFile {
    /// Creates the file of the exec `id`, and removes those of helpers that were killed. `None` if
    /// the disk is full or read-only: the exec runs without being listed.
    pub fn create(directory: &Directory, id: &str) -> Option<Self> {
        for (path, file) in files(directory) {
            if file.try_lock().is_ok() {
                let _ = std::fs::remove_file(path);
            }
        }
        let path = directory.file(&format!("{PREFIX}{id}"));
        loop {
            let mut options = OpenOptions::new();
            let options = options.create(true).truncate(false).write(true).mode(0o600);
            let file = record_file::open(&path, options).ok()?;
            file.lock().ok()?;
            // Another helper may have taken it for a leftover and removed it.
            if file.metadata().ok()?.nlink() > 0 {
                return Some(ExecFile { path, _file: file });
            }
        }
    }
}

impl Drop for ExecFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Returns the ids of a container's execs that run, sorted.
pub fn running(directory: &Directory) -> Vec<String> {
    let is_held = |file: &File| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
    let held = files(directory).filter(|(_, file)| is_held(file));
    let name = |path: PathBuf| Some(path.file_name()?.to_str()?.strip_prefix(PREFIX)?.to_owned());
    let mut ids: Vec<String> = held.filter_map(|(path, _)| name(path)).collect();
    ids.sort();
    ids
}

/// Returns all such files of a container, open.
fn files(directory: &Directory) -> impl Iterator<Item = (PathBuf, File)> {
    let names = store_dir::names(directory.path()).ok().flatten().unwrap_or_default();
    let of_exec = names.into_iter().filter(|name| name.to_string_lossy().starts_with(PREFIX));
    let paths = of_exec.map(|name| directory.path().join(name));
    // Removed meanwhile, or no file of an exec.
    paths.filter_map(|path| {
        let file = record_file::open_lock(&path).ok()?;
        Some((path, file))
    })
}
