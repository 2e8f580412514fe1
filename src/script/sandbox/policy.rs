//! `--untrusted`: what a script may reach of the host: files in its own folder, images, and the
//! containers and volumes that it created itself. No option that leads out of such a container is
//! allowed.
//!
//! Paths are checked as they are now, links followed. Nothing changes them between the check and
//! the use: calls that take paths run one after the other, and no container of such a script sees
//! the folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rhai::{Array, Map};

use crate::model::container::options::CreateOptions;
use crate::model::creation::options::create_options;
use crate::model::image::own::OwnImages;
use crate::model::observe::volume::Volume;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// The permissions of a script that is not trusted.
#[derive(Debug)]
pub struct SandboxPolicy {
    /// Its folder, absolute and without links.
    folder: PathBuf,
    turn: Mutex<()>,
    /// What the script has created. Ids are unique, so they stay when a container is removed.
    containers: Mutex<BTreeSet<String>>,
    /// By name, with the time of creation: another volume may get the name.
    volumes: Mutex<BTreeSet<(String, Timestamp)>>,
    images: Arc<OwnImages>,
}

/// A path that is allowed for the length of a call.
#[derive(Debug)]
pub struct AllowedPath<'a> {
    path: PathBuf,
    /// The policy, while the call holds its lock.
    guard: Option<(&'a SandboxPolicy, MutexGuard<'a, ()>)>,
}

impl std::ops::Deref for AllowedPath<'_> {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AllowedPath<'_> {
    /// Returns a path without any check, for a script that is trusted.
    pub fn unrestricted(path: &str) -> Self {
        AllowedPath { path: path.into(), guard: None }
    }

    /// Checks another path that the same call uses: a directory of the script may hold links that
    /// lead out of it, which one of its containers created.
    ///
    /// # Errors
    /// [`Kind::Denied`] for one that leads out.
    pub fn also(&self, path: &Path) -> Result<PathBuf> {
        self.guard.as_ref().map_or_else(|| Ok(path.into()), |(fence, _)| fence.resolve_inside(path))
    }
}

impl SandboxPolicy {
    /// Returns the policy for a script in `folder`.
    ///
    /// # Errors
    /// When the folder does not exist.
    pub fn new(folder: &Path) -> Result<Self> {
        let what = || format!("open the script's folder `{}`", folder.display());
        let folder = folder.canonicalize().map_err(|error| Error::from_io(what(), &error))?;
        let (containers, volumes) = (Mutex::default(), Mutex::default());
        let images = Arc::default();
        Ok(SandboxPolicy { folder, turn: Mutex::new(()), containers, volumes, images })
    }

    /// Records that the script has created a container.
    pub fn note_created(&self, id: ContainerId) {
        lock(&self.containers).insert(id.as_str().to_owned());
    }

    /// Whether the script has created this container.
    pub fn has_created(&self, id: &str) -> bool {
        lock(&self.containers).contains(id)
    }

    /// Records that the script has created a volume.
    pub fn note_created_volume(&self, volume: &Volume) {
        lock(&self.volumes).insert((volume.name.clone(), volume.created));
    }

    /// Whether the script has created this volume.
    pub fn has_created_volume(&self, volume: &Volume) -> bool {
        lock(&self.volumes).contains(&(volume.name.clone(), volume.created))
    }

    /// Returns the volumes that the script has created, by name and time of creation.
    pub fn created_volumes(&self) -> BTreeSet<(String, Timestamp)> {
        lock(&self.volumes).clone()
    }

    /// Returns the record of the script's images and tags, which the engine keeps.
    pub fn images(&self) -> Arc<OwnImages> {
        Arc::clone(&self.images)
    }

    /// Returns a path inside the folder that exists or can be created.
    ///
    /// # Errors
    /// [`Kind::Denied`] for one that leads out.
    pub fn path(&self, path: &str) -> Result<AllowedPath<'_>> {
        let turn = lock(&self.turn);
        Ok(AllowedPath { path: self.resolve_inside(Path::new(path))?, guard: Some((self, turn)) })
    }

    /// Resolves the links of a path that stays inside the folder.
    fn resolve_inside(&self, path: &Path) -> Result<PathBuf> {
        resolve_links(path).filter(|real| real.starts_with(&self.folder)).ok_or_else(|| {
            denied(&format!("`{}`, which is not in the script's folder,", path.display()))
        })
    }

    /// Checks the options of a new container.
    ///
    /// # Errors
    /// [`Kind::Denied`] for an option that leads out of the container.
    pub fn check(&self, options: &CreateOptions) -> Result<()> {
        let denied_option = create_options().find(|row| row.is_denied(options));
        let Some(option) = denied_option.and_then(|row| row.key) else { return Ok(()) };
        Err(denied(&format!("option `{option}`")))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the error for something that `--untrusted` forbids.
fn denied(what: &str) -> Error {
    Error::new(Kind::Denied, format!("{what} is not allowed with --untrusted"))
        .hint("run the script without --untrusted if you trust it")
}

/// Refuses what `--untrusted` forbids.
///
/// # Errors
/// Always [`Kind::Denied`].
pub fn refuse(what: &str) -> Result<()> {
    Err(denied(what))
}

/// Refuses options whose `env` takes variables from the caller.
///
/// # Errors
/// [`Kind::Denied`].
pub fn deny_host_env(options: &Map) -> Result<()> {
    let env = options.get("env").map(|env| env.clone().flatten());
    let list = env.map(|env| env.clone().try_cast::<Array>().unwrap_or_else(|| vec![env]));
    let list = list.unwrap_or_default();
    let taken = list.iter().filter_map(values::text).find(|entry| !entry.contains('='));
    taken.map_or(Ok(()), |name| deny_host_variable(&name))
}

/// Refuses a variable of the caller: it may be a secret.
///
/// # Errors
/// Always [`Kind::Denied`].
pub fn deny_host_variable(name: &str) -> Result<()> {
    Err(denied(&format!("variable `{name}` of the caller")))
}

/// Resolves all links of a path; of a file that does not exist, those of its directory.
fn resolve_links(path: &Path) -> Option<PathBuf> {
    match path.canonicalize() {
        Ok(real) => Some(real),
        // The creation of the file would follow a dangling link.
        Err(_) if path.symlink_metadata().is_ok() => None,
        Err(_) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(parent.join(path.file_name()?))
        }
    }
}
