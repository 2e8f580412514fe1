//! The caches of `RUN --mount=type=cache`: directories that outlive a build, by the digest of their
//! id. A command locks its caches; a cache without a lock can be removed.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::engine::backend::CancelToken;
use crate::engine::native::handle::Native;
use crate::image::{remove_any_at, tree_size};
use crate::model::error::Context;
use crate::model::image::Removed;
use crate::model::image::usage::PruneOptions;
use crate::model::value::digest::Digest;
use crate::model::{Kind, Result};
use crate::runtime::host::lock::{Share, acquire};
use crate::runtime::host::store_dir;

/// A cache that no command uses, locked.
#[derive(Debug)]
pub(in crate::engine::native) struct UnusedCache {
    id: Digest,
    path: PathBuf,
    /// The bytes of its files.
    pub(in crate::engine::native) size: u64,
    changed: Option<Timestamp>,
    _lock: File,
}

impl UnusedCache {
    /// Removes the cache, or with `dry_run` only says what would be removed.
    pub(in crate::engine::native) fn remove(self, dry_run: bool) -> Result<Option<Removed>> {
        if !dry_run {
            let what = || format!("remove the cache `{}`", self.path.display());
            remove_any_at(&self.path).context(what)?;
        }
        Ok(Some(Removed::Deleted(self.id)))
    }
}

fn caches(root: &Path) -> PathBuf {
    root.join("build-cache")
}

impl Native {
    /// Returns the caches that a prune removes.
    pub(in crate::engine::native) fn unused_caches(
        &self,
        options: &PruneOptions,
    ) -> Result<Vec<UnusedCache>> {
        let root = caches(&self.settings.root);
        let names = store_dir::names(&root).ok().flatten().unwrap_or_default();
        let mut found = Vec::new();
        for name in names {
            let path = root.join(&name);
            let id = name.to_str().and_then(|name| format!("sha256:{name}").parse().ok());
            let (Some(id), Ok(lock)) = (id, File::open(&path)) else { continue };
            // A command uses it.
            if lock.try_lock().is_err() {
                continue;
            }
            let changed = lock.metadata().and_then(|facts| facts.modified()).ok();
            let changed = changed.and_then(|time| Timestamp::try_from(time).ok());
            if options.filter.matches_labels_and_time(&Default::default(), changed) {
                let size = tree_size(&path);
                found.push(UnusedCache { id, path, size, changed, _lock: lock });
            }
        }
        // The newest are kept.
        found.sort_by_key(|cache| std::cmp::Reverse(cache.changed));
        let mut left = options.keep;
        found.retain(|cache| match left.checked_sub(cache.size).filter(|_| options.keep > 0) {
            Some(rest) => {
                left = rest;
                false
            }
            None => true,
        });
        Ok(found)
    }

    /// Returns the place of a cache.
    pub(super) fn cache_path(&self, id: &str) -> PathBuf {
        let name = Digest::from_bytes(&Sha256::digest(id.as_bytes()).into());
        caches(&self.settings.root).join(name.hex())
    }

    /// Creates the directory of a cache where it is missing, and returns its lock.
    pub(super) fn build_cache(
        &self,
        path: &Path,
        (mode, (uid, gid)): (u32, (u32, u32)),
        locked: bool,
        cancel: &CancelToken,
    ) -> Result<File> {
        let what = || format!("create the cache `{}`", path.display());
        store_dir::make(&caches(&self.settings.root))?;
        loop {
            let new = std::fs::create_dir(path);
            let new = match new {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => false,
                result => result.map(|()| true).context(what)?,
            };
            let lock = File::open(path).context(what)?;
            if new {
                std::os::unix::fs::chown(path, Some(uid), Some(gid)).context(what)?;
                let mode = std::fs::Permissions::from_mode(mode);
                std::fs::set_permissions(path, mode).context(what)?;
            }
            let share = if locked { Share::Alone } else { Share::Shared };
            // The command of another build may take its time.
            while let Err(error) = acquire(&lock, share, "the cache of a build") {
                if error.kind() != Kind::Timeout {
                    return Err(error);
                }
                cancel.check()?;
            }
            // A prune may have removed it meanwhile.
            if lock.metadata().is_ok_and(|facts| facts.nlink() > 0) {
                return Ok(lock);
            }
        }
    }
}
