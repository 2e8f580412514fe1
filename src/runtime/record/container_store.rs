//! All containers of a root: creates, finds, names and removes them.
//!
//! `containers/<id>` is a container. `staging/<id>` is one being created, `removing/<id>` one being
//! removed: what a killed process left there is collected by the next `create`. `names/<name>` is a
//! symbolic link to the container's directory; since it can be created only once, it is the lock on
//! the name.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::aside::{remove_tree, set_aside};
use super::directory::{Directory, Lock};
use super::journal::Journal;
use super::volumes::{RemovedVolume, Volumes, VolumesLock};
use crate::model::container::ContainerSpec;
use crate::model::error::Context;
use crate::model::observe::event::{Event, EventAction};
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::owner;
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::lock::{self, Share};
use crate::sys::{self, store_dir};

/// The containers below one root.
#[derive(Clone, Debug)]
pub struct ContainerStore {
    root: PathBuf,
    /// The volumes of containers, as far as they were read: a container's never change. Without
    /// them, the removal of many containers would read each record for each of them.
    volumes_of: Arc<Mutex<HashMap<ContainerId, Vec<String>>>>,
}

impl ContainerStore {
    /// Returns the containers below `root`, which need not exist yet.
    pub fn at(root: &Path) -> Self {
        ContainerStore { root: root.to_owned(), volumes_of: Arc::default() }
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
            store_dir::make(&path).map_err(with_way)?;
        }
        owner::check(&self.root)
    }

    /// Creates a container: `fill` writes its files into a new directory, which is then published
    /// under its id with its name, or not at all. What `hold` returns is kept for that moment.
    ///
    /// # Errors
    /// [`Kind::Exists`] if the name is in use; the error of `fill` or `hold`.
    pub fn create<G>(
        &self,
        spec: &ContainerSpec,
        name: &ContainerName,
        fill: impl FnOnce(&Directory) -> Result<()>,
        hold: impl FnOnce() -> Result<G>,
    ) -> Result<()> {
        self.prepare()?;
        self.collect_garbage();
        let staged = Directory::new(self.place("staging").join(spec.id.as_str()));
        let result = self.create_staged(spec, name, &staged, (fill, hold));
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

    fn create_staged<G>(
        &self,
        spec: &ContainerSpec,
        name: &ContainerName,
        staged: &Directory,
        (fill, hold): (impl FnOnce(&Directory) -> Result<()>, impl FnOnce() -> Result<G>),
    ) -> Result<()> {
        let (path, id) = (staged.path(), &spec.id);
        // Locked until the container is published, so that no collection takes it for a leftover
        // and no process starts it before its event is written.
        let _making = self.create_locked(staged)?;
        trace::traced(ProcessRole::Client, || Operation::WriteFiles, || fill(staged))?;
        let _held = hold()?;
        let take_name = || self.claim_name(name, id);
        trace::traced(ProcessRole::Client, || Operation::ClaimName(name.to_string()), take_name)?;
        let target = self.directory(id);
        fs::rename(path, target.path()).map_err(|error| {
            let _ = self.free_name(name, id);
            Error::from_io(format!("create `{}`", target.path().display()), &error)
        })?;
        // A container that is removed at its exit need not survive a crash of the host.
        if !spec.host_config.auto_remove {
            self.sync().inspect_err(|_| drop(self.unpublish(name, id, path)))?;
        }
        self.journal().write(Event::of_container(spec, name, EventAction::Create, &[]));
        Ok(())
    }

    /// Takes back a container that was published and could not be synced.
    fn unpublish(&self, name: &ContainerName, id: &ContainerId, staged: &Path) -> Result<()> {
        let published = self.directory(id);
        fs::rename(published.path(), staged).context(|| "take back".to_owned())?;
        self.free_name(name, id)
    }

    /// Syncs which containers exist, and their names: what was published, renamed or removed
    /// survives a power failure.
    ///
    /// # Errors
    /// When the disk is broken.
    pub(crate) fn sync(&self) -> Result<()> {
        ["containers", "names"].iter().try_for_each(|kind| sys::fs::sync_dir(&self.place(kind)))
    }

    /// Creates an empty directory and locks it.
    fn create_locked(&self, staged: &Directory) -> Result<Option<Lock>> {
        // Until it is locked it looks like a leftover: no collection may run meanwhile.
        let gate = self.create_lock()?;
        lock::acquire(&gate, Share::Shared, "new containers")?;
        let path = staged.path();
        let created = fs::DirBuilder::new().mode(0o700).create(path);
        created.map_err(|error| cannot_write(path, error))?;
        let lock = staged.file("lock");
        fs::File::create_new(&lock).context(|| format!("create `{}`", lock.display()))?;
        staged.try_lock()
    }

    /// Opens the lock that processes share while they create containers, and that a collection
    /// holds alone.
    pub(super) fn create_lock(&self) -> Result<fs::File> {
        store_dir::open(&self.place("staging")).map(fs::File::from)
    }

    /// Finds the container that `query` names: an id, a name, or the unique beginning of an id.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Invalid`] if several ids begin with `query`.
    pub fn find(&self, query: &str) -> Result<ContainerId> {
        let whole = query.parse::<ContainerId>().ok();
        if let Some(id) = whole.filter(|id| self.directory(id).exists()) {
            return Ok(id);
        }
        let name = query.parse::<ContainerName>().ok();
        let named = name.map(|name| self.owner(&name)).transpose()?.flatten();
        if let Some(id) = named.filter(|id| self.directory(id).exists()) {
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
            (None, _) => {
                // Without the names, a container has none.
                let names = self.place("names");
                store_dir::check(&names)?;
                let names = store_dir::names(&names).ok().flatten().unwrap_or_default();
                let names = names.iter().filter_map(|name| name.to_str());
                Err(ContainerId::none_called(query, names))
            }
        }
    }

    /// Returns the ids of all containers, in no order.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn ids(&self) -> Result<Vec<ContainerId>> {
        let names = store_dir::names(&self.place("containers")).map_err(with_way)?;
        let names = names.into_iter().flatten();
        Ok(names.filter_map(|name| name.to_str()?.parse().ok()).collect())
    }

    /// Removes a container's files and name, and the anonymous volumes of one that was created with
    /// `--rm`. The caller holds its lock, and its processes have exited.
    ///
    /// # Errors
    /// When something cannot be removed; `system check --repair` tries again.
    pub fn remove(&self, id: &ContainerId, name: Option<&ContainerName>) -> Result<()> {
        self.take_away(id, name)?.delete()
    }

    /// Takes a container away: no process finds it any more, its name is free, and so are the
    /// anonymous volumes of one that was created with `--rm`. Its files remain, and go with what is
    /// returned.
    ///
    /// # Errors
    /// When the container cannot be taken away; what fails after that is the error of
    /// [`RemovedContainer::delete`].
    pub fn take_away(
        &self,
        id: &ContainerId,
        name: Option<&ContainerName>,
    ) -> Result<RemovedContainer> {
        let path = self.directory(id).path().to_owned();
        let spec = self.directory(id).known_spec()?;
        // What a link leads to is not the place for what goes: one look more, before much work.
        store_dir::make(&self.place("removing"))?;
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
        let freed = name.map_or(Ok(()), |name| self.free_name(name, id));
        let was_temporary = spec.is_some_and(|spec| spec.host_config.auto_remove);
        let synced = if was_temporary { Ok(()) } else { self.sync() };
        Ok(RemovedContainer { path: removing, before: freed.and(emptied).and(synced) })
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
        let unused = self.take_unused(&held, names)?;
        // Without the lock: deleting may take long.
        drop(held);
        unused.into_iter().map(RemovedVolume::delete).fold(Ok(()), Result::and)
    }

    /// Takes the volumes among `names` away that no container uses any more.
    pub(super) fn take_unused(
        &self,
        held: &VolumesLock,
        names: &[String],
    ) -> Result<Vec<RemovedVolume>> {
        let volumes = self.volumes();
        let mut unused: BTreeSet<&String> = names.iter().collect();
        let mut known = self.volumes_of.lock().unwrap_or_else(PoisonError::into_inner);
        let ids: HashSet<ContainerId> = self.ids()?.into_iter().collect();
        // Those of removed containers are free.
        known.retain(|id, _| ids.contains(id));
        for id in ids {
            if let Entry::Vacant(vacant) = known.entry(id) {
                let spec = match self.directory(vacant.key()).read_spec() {
                    Ok(spec) => spec,
                    // It was removed meanwhile.
                    Err(error) if error.kind() == Kind::NotFound => continue,
                    // Which volumes it has is not known: none is removed.
                    Err(error) if error.errno().is_none() => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                };
                let volumes = spec.host_config.mounts.volumes();
                vacant.insert(volumes.map(str::to_owned).collect());
            }
        }
        for name in known.values().flatten() {
            unused.remove(name);
        }
        unused.retain(|name| volumes.exists(name));
        unused.into_iter().map(|name| volumes.take_away(held, name)).collect()
    }
}

/// A container that was taken away, and whose files remain. The lock in its directory keeps other
/// processes from taking them for those of a killed one.
#[derive(Debug)]
#[must_use = "the files remain"]
pub struct RemovedContainer {
    path: PathBuf,
    /// What came before the files.
    before: Result<()>,
}

impl RemovedContainer {
    /// Deletes the files.
    ///
    /// # Errors
    /// When something could not be removed; `system check --repair` tries again.
    pub fn delete(self) -> Result<()> {
        let removed = trace::traced(
            ProcessRole::Client,
            || Operation::RemoveFiles,
            || remove_tree(&self.path),
        );
        if removed.is_err() {
            set_aside(&self.path);
        }
        removed.and(self.before)
    }
}

/// Returns the volumes that are removed with a container that was created with `--rm`.
pub(super) fn anonymous_of(spec: &ContainerSpec) -> Vec<String> {
    if spec.host_config.auto_remove { spec.host_config.mounts.anonymous() } else { Vec::new() }
}

pub(super) fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let error = store_dir::explain(path, error);
    with_way(Error::from_io(format!("create `{}`", path.display()), &error))
}

fn with_way(failed: Error) -> Error {
    if failed.kind() == Kind::Denied {
        return failed.hint("run as root, or choose another directory with --root or LIFEBOX_ROOT");
    }
    failed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_another_user_creates_just_now_is_refused() {
        let place = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(place.path(), Some(0), None).is_err() {
            eprintln!("LEFT OUT: a directory of another user needs root");
            return;
        }
        let root = place.path().join("root");
        let store = ContainerStore::at(&root);
        crate::runtime::host::owner::check(&root).unwrap();
        fs::create_dir(&root).unwrap();
        std::os::unix::fs::chown(&root, Some(4_000_000_000), None).unwrap();
        assert_eq!(store.prepare().unwrap_err().kind(), Kind::Denied);
    }
}
