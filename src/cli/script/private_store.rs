//! A store of its own for a lesson or for a script with `--isolated`, locked for this process.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use crate::engine::{self, CancelToken, Settings};
use crate::model::container::options::RemoveOptions;
use crate::model::error::Context as _;
use crate::model::image::usage::PruneOptions;
use crate::model::observe::volume::PruneVolumesOptions;
use crate::model::{Error, Kind, Result};

/// The maximum number of processes that use stores of one name in one root.
const MOST: u32 = 100;

/// A store below the root, locked for this process.
#[derive(Debug)]
pub struct PrivateStore {
    /// The settings that name this store.
    pub settings: Settings,
    _lock: File,
}

impl PrivateStore {
    /// Locks the first free store of this name in the root of `settings`.
    ///
    /// # Errors
    /// When no store can be created or locked.
    pub fn take(settings: &Settings, name: &str) -> Result<Self> {
        let what = || format!("create a store `{name}` in `{}`", settings.root.display());
        engine::check_owner(settings)?;
        std::fs::create_dir_all(&settings.root).context(what)?;
        engine::check_owner(settings)?;
        for number in 1..=MOST {
            let name = if number == 1 { name.to_owned() } else { format!("{name}-{number}") };
            let root = settings.root.join(&name);
            let lock = open_lock(&root.with_extension("lock")).context(what)?;
            match lock.try_lock() {
                Ok(()) => {
                    let settings = Settings { root, ..settings.clone() };
                    return Ok(PrivateStore { settings, _lock: lock });
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(Error::from_io(what(), &error)),
            }
        }
        Err(Error::new(Kind::Refused, format!("{MOST} processes already use stores `{name}` here"))
            .hint(format!("use another root: lifebox --root DIR {name}")))
    }

    /// Removes the store with everything in it, also what a killed process left.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn remove(&self) -> Result<()> {
        if !self.settings.root.exists() {
            return Ok(());
        }
        let (backend, cancel) = (engine::open(&self.settings)?, CancelToken::new()?);
        let with_volumes = RemoveOptions { force: true, volumes: true };
        for container in backend.ps()? {
            backend.rm(&container.spec.id, &with_volumes, &cancel)?;
        }
        backend.volume_prune(&PruneVolumesOptions { all: true, ..Default::default() })?;
        backend.prune_images(&PruneOptions { all: true, ..Default::default() })?;
        engine::remove_root(&self.settings)
    }
}

/// Opens the file of a lock. What stands in its place is not waited for.
fn open_lock(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let opened = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path);
    opened.context(|| format!("open `{}`", path.display())).map_err(|error| match error.errno() {
        Some(libc::ENXIO | libc::ELOOP | libc::EISDIR) => {
            error.hint("repair it: lifebox system check --repair")
        }
        _ => error,
    })
}
