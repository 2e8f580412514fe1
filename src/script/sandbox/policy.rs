//! `--untrusted`: what a script may reach of this machine. Files of its own folder, images, and
//! the containers and volumes that it made itself; nothing that would make a container of it, or
//! of somebody else, a way around.
//!
//! Paths are checked as they are now, links followed. Nobody changes them between the check and
//! the use: the calls that take paths go one after the other, and no container of such a script
//! sees the folder.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rhai::{Array, Map};

use crate::model::container::mounts::{MountKind, Mounts};
use crate::model::container::namespaces::NamespaceMode;
use crate::model::container::options::CreateOptions;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::script::values;

/// What is around a script that is not trusted.
#[derive(Debug)]
pub struct SandboxPolicy {
    /// Its folder, absolute and without links.
    folder: PathBuf,
    turn: Mutex<()>,
    /// What the script has made. An id is given once, so it stays when the container goes.
    containers: Mutex<BTreeSet<ContainerId>>,
    volumes: Mutex<BTreeSet<String>>,
}

/// A path that may be used now.
#[derive(Debug)]
pub struct AllowedPath<'a> {
    path: PathBuf,
    /// The fence, for as long as it is this call's turn.
    guard: Option<(&'a SandboxPolicy, MutexGuard<'a, ()>)>,
}

impl std::ops::Deref for AllowedPath<'_> {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AllowedPath<'_> {
    /// A path of a script that may use all.
    pub fn unrestricted(path: &str) -> Self {
        AllowedPath { path: path.into(), guard: None }
    }

    /// Another path that the same call uses: a directory of the script may hold links that lead
    /// out, made by a container of it.
    ///
    /// # Errors
    /// [`Kind::Denied`] for one that leads out.
    pub fn also(&self, path: &Path) -> Result<PathBuf> {
        self.guard.as_ref().map_or_else(|| Ok(path.into()), |(fence, _)| fence.resolve_inside(path))
    }
}

impl SandboxPolicy {
    /// A fence around a folder.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn new(folder: &Path) -> Result<Self> {
        let what = || format!("cannot fence a script in `{}`", folder.display());
        let folder = folder.canonicalize().map_err(|error| Error::from_io(what(), &error))?;
        let (containers, volumes) = (Mutex::default(), Mutex::default());
        Ok(SandboxPolicy { folder, turn: Mutex::new(()), containers, volumes })
    }

    /// The script has made a container.
    pub fn note_created(&self, id: ContainerId) {
        lock(&self.containers).insert(id);
    }

    /// Whether the script has made this container.
    pub fn has_created(&self, id: &ContainerId) -> bool {
        lock(&self.containers).contains(id)
    }

    /// The script has made a volume.
    pub fn note_created_volume(&self, name: &str) {
        lock(&self.volumes).insert(name.to_owned());
    }

    /// Whether the script has made the volume of this name.
    pub fn has_created_volume(&self, name: &str) -> bool {
        lock(&self.volumes).contains(name)
    }

    /// For what somebody else has made.
    pub fn denied_foreign(what: &str) -> Error {
        let message = format!("the script is not trusted: it has not made {what}");
        Error::new(Kind::Denied, message).hint(
            "it may look at what others made, and act on its own; run it without --untrusted if \
             you know what it does",
        )
    }

    /// A path inside of the folder, which is there or can be made.
    ///
    /// # Errors
    /// [`Kind::Denied`] for one that leads out.
    pub fn path(&self, path: &str) -> Result<AllowedPath<'_>> {
        let turn = lock(&self.turn);
        Ok(AllowedPath { path: self.resolve_inside(Path::new(path))?, guard: Some((self, turn)) })
    }

    /// Where a path leads that stays inside, without the links that led there.
    fn resolve_inside(&self, path: &Path) -> Result<PathBuf> {
        resolve_links(path).filter(|real| real.starts_with(&self.folder)).ok_or_else(|| {
            denied(&format!("`{}` is not in the folder of the script", path.display()))
        })
    }

    /// Whether a container may be made so.
    ///
    /// # Errors
    /// [`Kind::Denied`] for what would let it out.
    pub fn check(&self, options: &CreateOptions) -> Result<()> {
        let security = &options.security;
        let sharing = &options.namespaces;
        let refused = [
            ("privileged", security.privileged),
            ("cap_add", !security.cap_add.is_empty()),
            ("devices", !security.devices.is_empty()),
            ("security", security.options.iter().any(|option| option != "no-new-privileges")),
            ("network: \"host\"", sharing.network == NamespaceMode::Host),
            ("ipc: \"host\"", sharing.ipc == NamespaceMode::Host),
            ("pid: \"host\"", sharing.pid == NamespaceMode::Host),
            ("uts: \"host\"", sharing.uts == NamespaceMode::Host),
            ("sysctls", !sharing.sysctls.is_empty()),
            ("volumes of this machine", has_binds(&options.mounts)),
            ("oom_score_adj", options.resources.oom_score_adj.is_some()),
        ];
        match refused.iter().find(|(_, is_there)| *is_there) {
            Some((what, _)) => Err(denied(&format!("a container with {what} can get out"))),
            None => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn denied(why: &str) -> Error {
    Error::new(Kind::Denied, format!("the script is not trusted: {why}"))
        .hint("run it without --untrusted if you know what it does")
}

/// For what is refused whole.
///
/// # Errors
/// Always [`Kind::Denied`].
pub fn refuse(what: &str) -> Result<()> {
    Err(denied(what))
}

/// Refuses options whose `env` takes variables over from whoever runs the script.
///
/// # Errors
/// [`Kind::Denied`].
pub fn deny_host_env(options: &Map) -> Result<()> {
    let env = options.get("env").map(|env| env.clone().flatten());
    let list = env.and_then(|env| env.try_cast::<Array>()).unwrap_or_default();
    let taken = list.iter().filter_map(values::text).find(|entry| !entry.contains('='));
    taken.map_or(Ok(()), |name| deny_host_variable(&name))
}

/// Refuses a variable of whoever runs the script: some are secrets.
///
/// # Errors
/// Always [`Kind::Denied`].
pub fn deny_host_variable(name: &str) -> Result<()> {
    Err(denied(&format!("`{name}` is of the environment that it was started in")))
}

/// Also those of other containers, which may have some.
fn has_binds(mounts: &Mounts) -> bool {
    !mounts.from.is_empty() || mounts.list.iter().any(|mount| mount.kind == MountKind::Bind)
}

/// Where a path leads: all links followed, for a file that is still to be made those of its
/// directory.
fn resolve_links(path: &Path) -> Option<PathBuf> {
    match path.canonicalize() {
        Ok(real) => Some(real),
        // A dangling link would be followed by whoever makes the file.
        Err(_) if path.symlink_metadata().is_ok() => None,
        Err(_) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(parent.join(path.file_name()?))
        }
    }
}
