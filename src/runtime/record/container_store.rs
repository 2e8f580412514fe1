//! All containers of a root: creates, finds, names and removes them.
//!
//! `containers/<id>` is a container. `staging/<id>` is one being created, `removing/<id>` one being
//! removed: what a killed process left there is collected by the next `create`. `names/<name>` is a
//! symbolic link to the container's directory; since it can be created only once, it is the lock on
//! the name.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::directory::{Directory, Lock};
use super::journal::Journal;
use super::volumes::{Volumes, VolumesLock};
use crate::model::container::ContainerSpec;
use crate::model::error::Context;
use crate::model::observe::event::{Event, EventAction};
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::lock::{self, Share};
use crate::sys::tree::remove_tree_at;

/// The containers below one root.
#[derive(Clone, Debug)]
pub struct ContainerStore {
    root: PathBuf,
}

impl ContainerStore {
    /// Returns the containers below `root`, which need not exist yet.
    pub fn at(root: &Path) -> Self {
        ContainerStore { root: root.to_owned() }
    }

    /// Returns the directory of a container, whether it exists or not.
    pub fn directory(&self, id: &ContainerId) -> Directory {
        Directory::new(self.root.join("containers").join(id.as_str()))
    }

    /// Returns the volumes below the same root.
    pub fn volumes(&self) -> Volumes {
        Volumes::at(&self.root)
    }

    /// Returns the journal of the same root.
    pub fn journal(&self) -> Journal {
        Journal::at(&self.root)
    }

    pub(super) fn place(&self, kind: &str) -> PathBuf {
        self.root.join(kind)
    }

    /// Creates the directories below the root, with access for their owner only: layers keep
    /// set-uid bits, and a path into the store would lead to them (CVE-2021-41103).
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn prepare(&self) -> Result<()> {
        for kind in ["containers", "staging", "removing", "names"] {
            let path = self.place(kind);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let created = fs::DirBuilder::new().mode(0o700).recursive(true).create(&path);
                    created.map_err(|error| cannot_write(&path, &error))?;
                }
                result => result.map_err(|error| cannot_write(&path, &error))?,
            }
        }
        Ok(())
    }

    /// Creates a container: `fill` writes its files into a new directory, which is then published
    /// under its id with its name, or not at all.
    ///
    /// # Errors
    /// [`Kind::Exists`] if the name is in use; the error of `fill`.
    pub fn create(
        &self,
        spec: &ContainerSpec,
        name: &ContainerName,
        fill: impl FnOnce(&Directory) -> Result<()>,
    ) -> Result<()> {
        self.prepare()?;
        self.collect_garbage();
        let staged = Directory::new(self.place("staging").join(spec.id.as_str()));
        let result = self.create_staged(spec, name, &staged, fill);
        if result.is_err() {
            let _ = remove_tree(staged.path());
        }
        result
    }

    /// Calls `attempt` with an empty directory below the root, and removes the directory.
    ///
    /// # Errors
    /// When the root cannot be written; the error of `attempt`.
    pub fn with_scratch_dir<T>(
        &self,
        name: &str,
        attempt: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<T> {
        self.prepare()?;
        let place = Directory::new(self.place("staging").join(name));
        let _trying = self.create_locked(&place)?;
        let result = attempt(place.path());
        remove_tree(place.path())?;
        result
    }

    fn create_staged(
        &self,
        spec: &ContainerSpec,
        name: &ContainerName,
        staged: &Directory,
        fill: impl FnOnce(&Directory) -> Result<()>,
    ) -> Result<()> {
        let (path, id) = (staged.path(), &spec.id);
        // Locked until the container is published, so that no collection takes it for a leftover
        // and no process starts it before its event is written.
        let _making = self.create_locked(staged)?;
        trace::traced(ProcessRole::Client, || Operation::WriteFiles, || fill(staged))?;
        let take_name = || self.claim_name(name, id);
        trace::traced(ProcessRole::Client, || Operation::ClaimName(name.to_string()), take_name)?;
        let target = self.directory(id);
        fs::rename(path, target.path()).map_err(|error| {
            let _ = self.free_name(name, id);
            Error::from_io(format!("create `{}`", target.path().display()), &error)
        })?;
        self.journal().write(Event::of_container(spec, name, EventAction::Create, &[]));
        Ok(())
    }

    /// Creates an empty directory and locks it.
    fn create_locked(&self, staged: &Directory) -> Result<Option<Lock>> {
        // Until it is locked it looks like a leftover: no collection may run meanwhile.
        let gate = self.create_lock()?;
        lock::acquire(&gate, Share::Shared, "new containers")?;
        let path = staged.path();
        let created = fs::DirBuilder::new().mode(0o700).create(path);
        created.map_err(|error| cannot_write(path, &error))?;
        let lock = staged.file("lock");
        fs::File::create_new(&lock).context(|| format!("create `{}`", lock.display()))?;
        staged.try_lock()
    }

    /// Opens the lock that processes share while they create containers, and that a collection
    /// holds alone.
    pub(super) fn create_lock(&self) -> Result<fs::File> {
        let path = self.place("staging");
        fs::File::open(&path).context(|| format!("open `{}`", path.display()))
    }

    /// Finds the container that `query` names: an id, a name, or the unique beginning of an id.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Invalid`] if several ids begin with `query`.
    pub fn find(&self, query: &str) -> Result<ContainerId> {
        let whole = query.parse::<ContainerId>().ok();
        if let Some(id) = whole.filter(|id| self.directory(id).path().exists()) {
            return Ok(id);
        }
        let named = query.parse::<ContainerName>().ok().and_then(|name| self.owner(&name));
        if let Some(id) = named.filter(|id| self.directory(id).path().exists()) {
            return Ok(id);
        }
        let matches = |id: &ContainerId| !query.is_empty() && id.as_str().starts_with(query);
        let mut matching = self.ids()?.into_iter().filter(matches);
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(id),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Invalid,
                format!("multiple IDs found with provided prefix: {query}"),
            )
            .hint("write more digits of the id")),
            (None, _) => Err(ContainerId::none_called(query)),
        }
    }

    /// Returns the ids of all containers, in no order.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn ids(&self) -> Result<Vec<ContainerId>> {
        let path = self.place("containers");
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            result => result.map_err(|error| no_access("read", &path, &error))?,
        };
        Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
    }

    /// Removes a container's files and name, and the anonymous volumes of one that was created with
    /// `--rm`. The caller holds its lock, and its processes have exited.
    ///
    /// # Errors
    /// When something cannot be removed; `system check --repair` tries again.
    pub fn remove(&self, id: &ContainerId, name: Option<&ContainerName>) -> Result<()> {
        let path = self.directory(id).path().to_owned();
        let spec = self.directory(id).read_spec().ok();
        let removing = self.place("removing").join(id.as_str());
        // From here on no process finds the container.
        fs::rename(&path, &removing).context(|| format!("remove `{}`", path.display()))?;
        // Reported before another container can claim the name.
        let event = match (&spec, name) {
            (Some(spec), Some(name)) => Event::of_container(spec, name, EventAction::Destroy, &[]),
            _ => Event::of_unknown(id, name, EventAction::Destroy),
        };
        self.journal().write(event);
        // Before the files: what finds the rest of a removal reads there which volumes it had.
        let volumes = spec.as_ref().map(anonymous_of).unwrap_or_default();
        let emptied = self.remove_unused_volumes(&volumes);
        let removed = trace::traced(
            ProcessRole::Client,
            || Operation::RemoveFiles,
            || remove_tree(&removing),
        );
        // The container is removed for every other process, also if files of it are left.
        let freed = name.map_or(Ok(()), |name| self.free_name(name, id));
        if removed.is_err() {
            set_aside(&removing);
        }
        removed.and(freed).and(emptied)
    }

    /// Removes the volumes among `names` that no container uses any more.
    ///
    /// # Errors
    /// When something can't be read or removed.
    pub fn remove_unused_volumes(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let held = self.volumes().lock_exclusive()?;
        self.remove_unused(&held, names)
    }

    pub(super) fn remove_unused(&self, held: &VolumesLock, names: &[String]) -> Result<()> {
        let volumes = self.volumes();
        let mut used = BTreeSet::new();
        for id in self.ids()? {
            if let Ok(spec) = self.directory(&id).read_spec() {
                used.extend(spec.host_config.mounts.volumes().map(str::to_owned));
            }
        }
        for name in names.iter().filter(|name| !used.contains(*name)) {
            if volumes.exists(name) {
                volumes.remove(held, name)?;
            }
        }
        Ok(())
    }
}

/// Returns the volumes that are removed with a container that was created with `--rm`.
pub(super) fn anonymous_of(spec: &ContainerSpec) -> Vec<String> {
    if spec.host_config.auto_remove { spec.host_config.mounts.anonymous() } else { Vec::new() }
}

/// The ending of a directory that could not be removed: only `system check --repair` tries again,
/// not every command.
pub(super) const ASIDE: &str = "kept";

/// Removes a root that has no container any more, with everything in it.
///
/// # Errors
/// The first obstacle, such as an immutable file.
pub fn remove_root(path: &Path) -> Result<()> {
    remove_tree_at(path).context(|| format!("remove `{}`", path.display()))
}

/// Removes a tree.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    remove_tree_at(path).map_err(|error| {
        let hint =
            "remove what holds it (`chattr -i`, `umount`), then: lifebox system check --repair";
        error.context(format!("remove `{}`", path.display())).hint(hint)
    })
}

/// Marks a directory that could not be removed.
pub(super) fn set_aside(path: &Path) {
    // Without the mark, a later command only tries again.
    let _ = fs::rename(path, path.with_extension(ASIDE));
}

pub(super) fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    no_access("create", path, error)
}

fn no_access(action: &str, path: &Path, error: &std::io::Error) -> Error {
    let failed = Error::from_io(format!("{action} `{}`", path.display()), error);
    if failed.kind() == Kind::Denied {
        return failed.hint("run as root, or choose another directory with --root or LIFEBOX_ROOT");
    }
    failed
}
