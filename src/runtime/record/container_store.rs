//! All containers of a root: made, found, named, removed.
//!
//! `containers/<id>` is a container. `staging/<id>` is one being made, `removing/<id>` one being
//! removed: what a killed process left there is swept by the next `create`. `names/<name>` is a
//! symbolic link to the container's directory; that it can be made only once is the lock on the
//! name.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::directory::{Directory, Lock};
use super::journal::Journal;
use super::volumes::Volumes;
use crate::model::container::ContainerSpec;
use crate::model::error::Context;
use crate::model::observe::check_report::CheckOptions;
use crate::model::observe::event::{Action, Event};
use crate::model::script::trace::ProcessRole;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;

/// The containers below one root.
#[derive(Clone, Debug)]
pub struct ContainerStore {
    root: PathBuf,
}

impl ContainerStore {
    /// The containers below `root`, which need not exist yet.
    pub fn at(root: &Path) -> Self {
        ContainerStore { root: root.to_owned() }
    }

    /// The directory of a container, whether it exists or not.
    pub fn directory(&self, id: &ContainerId) -> Directory {
        Directory::new(self.root.join("containers").join(id.as_str()))
    }

    /// The volumes below the same root.
    pub fn volumes(&self) -> Volumes {
        Volumes::at(&self.root)
    }

    /// Where events of the same root are written.
    pub fn journal(&self) -> Journal {
        Journal::at(&self.root)
    }

    fn place(&self, kind: &str) -> PathBuf {
        self.root.join(kind)
    }

    /// Makes the directories below the root, for the owner's eyes only: layers keep set-uid bits,
    /// and a path into the store would be a way to them (CVE-2021-41103).
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn prepare(&self) -> Result<()> {
        for kind in ["containers", "staging", "removing", "names"] {
            let path = self.place(kind);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let made = fs::DirBuilder::new().mode(0o700).recursive(true).create(&path);
                    made.map_err(|error| cannot_write(&path, &error))?;
                }
                result => result.map_err(|error| cannot_write(&path, &error))?,
            }
        }
        Ok(())
    }

    /// Makes a container: `fill` writes its files into a new directory, which then appears under
    /// its id with its name, or not at all.
    ///
    /// # Errors
    /// [`Kind::Exists`] where the name is taken, or what `fill` says.
    pub fn create(
        &self,
        spec: &ContainerSpec,
        name: &ContainerName,
        fill: impl FnOnce(&Directory) -> Result<()>,
    ) -> Result<()> {
        self.prepare()?;
        self.collect_garbage();
        let staged = Directory::new(self.place("staging").join(spec.id.as_str()));
        let result = self.stage(spec, name, &staged, fill);
        if result.is_err() {
            let _ = fs::remove_dir_all(staged.path());
        }
        result
    }

    /// Tries something in an empty directory below the root, which is gone afterwards.
    ///
    /// # Errors
    /// When the root can't be written, or what `attempt` says.
    pub fn with_scratch_dir<T>(
        &self,
        name: &str,
        attempt: impl FnOnce(&Path) -> Result<T>,
    ) -> Result<T> {
        self.prepare()?;
        let place = Directory::new(self.place("staging").join(name));
        let _trying = self.begin(&place)?;
        let result = attempt(place.path());
        remove_tree(place.path())?;
        result
    }

    fn stage(
        &self,
        spec: &ContainerSpec,
        name: &ContainerName,
        staged: &Directory,
        fill: impl FnOnce(&Directory) -> Result<()>,
    ) -> Result<()> {
        let (path, id) = (staged.path(), &spec.id);
        // Held until the container is published, so that no sweep takes it for a leftover, and
        // told of, so that nobody starts it before.
        let _making = self.begin(staged)?;
        trace::traced(ProcessRole::Client, || Operation::WriteFiles, || fill(staged))?;
        let take_name = || self.claim_name(name, id);
        trace::traced(ProcessRole::Client, || Operation::ClaimName(name.to_string()), take_name)?;
        let target = self.directory(id);
        fs::rename(path, target.path()).map_err(|error| {
            let _ = self.free_name(name, id);
            Error::from_io(format!("make `{}`", target.path().display()), &error)
        })?;
        self.journal().write(Event::of_container(spec, name, Action::Create, &[]));
        Ok(())
    }

    /// Makes an empty directory and takes its lock.
    fn begin(&self, staged: &Directory) -> Result<Option<Lock>> {
        // Until it has its lock, it looks like a leftover: no sweep may pass by meanwhile.
        let gate = self.create_lock()?;
        gate.lock_shared().context(|| "lock `staging`".to_owned())?;
        let path = staged.path();
        let made = fs::DirBuilder::new().mode(0o700).create(path);
        made.map_err(|error| cannot_write(path, &error))?;
        let lock = staged.file("lock");
        fs::File::create_new(&lock).context(|| format!("make `{}`", lock.display()))?;
        staged.try_lock()
    }

    /// What is held by all who begin a container, or by the one who sweeps.
    fn create_lock(&self) -> Result<fs::File> {
        let path = self.place("staging");
        fs::File::open(&path).context(|| format!("open `{}`", path.display()))
    }

    /// Reserves `name` for `id`.
    ///
    /// # Errors
    /// [`Kind::Exists`] where another container has it.
    pub fn claim_name(&self, name: &ContainerName, id: &ContainerId) -> Result<()> {
        let link = self.place("names").join(name.as_str());
        let target = Path::new("../containers").join(id.as_str());
        match symlink(&target, &link) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            result => return result.map_err(|error| cannot_write(&link, &error)),
        }
        // Whoever finds a name taken looks again under a lock: it may be left over from a process
        // that was killed between two steps.
        let lock = fs::File::create(self.place("names").join(".lock"))
            .map_err(|error| cannot_write(&link, &error))?;
        lock.lock().context(|| "lock the names".to_owned())?;
        if let Some(owner) = self.owner(name) {
            return Err(name.taken_by(&owner));
        }
        let _ = fs::remove_file(&link);
        symlink(&target, &link).map_err(|_| name.taken_by(id))
    }

    /// The container that has `name`, or is being made with it.
    fn owner(&self, name: &ContainerName) -> Option<ContainerId> {
        let target = fs::read_link(self.place("names").join(name.as_str())).ok()?;
        let id: ContainerId = target.file_name()?.to_str()?.parse().ok()?;
        let staged = Directory::new(self.place("staging").join(id.as_str()));
        let being_made = staged.path().exists() && matches!(staged.try_lock(), Ok(None));
        let being_removed = self.place("removing").join(id.as_str()).exists();
        (self.directory(&id).path().exists() || being_made || being_removed).then_some(id)
    }

    /// Gives `name` back, if `id` has it.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn free_name(&self, name: &ContainerName, id: &ContainerId) -> Result<()> {
        let link = self.place("names").join(name.as_str());
        let ours = fs::read_link(&link).is_ok_and(|target| target.ends_with(id.as_str()));
        if ours {
            fs::remove_file(&link).map_err(|error| cannot_write(&link, &error))?;
        }
        Ok(())
    }

    /// The container that `query` names: a whole id, a name, or the unique beginning of an id.
    ///
    /// # Errors
    /// [`Kind::NotFound`], or [`Kind::Invalid`] where several ids begin so.
    pub fn find(&self, query: &str) -> Result<ContainerId> {
        let whole = query.parse::<ContainerId>().ok();
        if let Some(id) = whole.filter(|id| self.directory(id).path().exists()) {
            return Ok(id);
        }
        let named = query.parse::<ContainerName>().ok().and_then(|name| self.owner(&name));
        if let Some(id) = named.filter(|id| self.directory(id).path().exists()) {
            return Ok(id);
        }
        let begins = |id: &ContainerId| !query.is_empty() && id.as_str().starts_with(query);
        let mut matching = self.ids()?.into_iter().filter(begins);
        match (matching.next(), matching.next()) {
            (Some(id), None) => Ok(id),
            (Some(_), Some(_)) => Err(Error::new(
                Kind::Invalid,
                format!("multiple IDs found with provided prefix: {query}"),
            )
            .hint("give more digits of the id")),
            (None, _) => Err(ContainerId::none_called(query)),
        }
    }

    /// The ids of all containers, in no order.
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

    /// The name that points at `id`, for a container whose record can't be read.
    pub fn name_of(&self, id: &ContainerId) -> Option<ContainerName> {
        let entries = fs::read_dir(self.place("names")).ok()?;
        entries.flatten().find_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            let name = entry.file_name().to_str()?.parse().ok()?;
            target.ends_with(id.as_str()).then_some(name)
        })
    }

    /// Removes a container's files and name. The caller holds its lock, and its processes are gone.
    ///
    /// # Errors
    /// When something can't be removed; the next `create` tries again.
    pub fn remove(&self, id: &ContainerId, name: Option<&ContainerName>) -> Result<()> {
        let path = self.directory(id).path().to_owned();
        let spec = self.directory(id).read_spec().ok();
        let removing = self.place("removing").join(id.as_str());
        // From here on the container is gone for everybody else.
        fs::rename(&path, &removing).context(|| format!("remove `{}`", path.display()))?;
        // Told before another one can take its name.
        let event = match (&spec, name) {
            (Some(spec), Some(name)) => Event::of_container(spec, name, Action::Destroy, &[]),
            _ => Event::of_unknown(id, name, Action::Destroy),
        };
        self.journal().write(event);
        trace::traced(ProcessRole::Client, || Operation::RemoveFiles, || remove_tree(&removing))?;
        match name {
            Some(name) => self.free_name(name, id),
            None => Ok(()),
        }
    }

    /// Removes those volumes of `names` that no container uses any more.
    ///
    /// # Errors
    /// When something can't be read or removed.
    pub fn remove_unused_volumes(&self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let volumes = self.volumes();
        let held = volumes.lock_exclusive()?;
        let mut used = BTreeSet::new();
        for id in self.ids()? {
            if let Ok(spec) = self.directory(&id).read_spec() {
                used.extend(spec.host.mounts.volumes().map(str::to_owned));
            }
        }
        for name in names.iter().filter(|name| !used.contains(*name)) {
            if volumes.exists(name) {
                volumes.remove(&held, name)?;
            }
        }
        Ok(())
    }

    /// What killed processes left: names without a container, containers half-made or
    /// half-removed. With `repair`, removes them.
    ///
    /// # Errors
    /// When the root can't be read or written.
    pub fn orphans(&self, options: &CheckOptions) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.place("names")).into_iter().flatten().flatten() {
            let name = entry.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(name) = name.filter(|name| self.owner(name).is_none()) else { continue };
            let target = fs::read_link(entry.path()).ok();
            let id = target.and_then(|target| target.file_name()?.to_str()?.parse().ok());
            if let Some(id) = id {
                found.push(format!("the name `{name}` of a container that is not there"));
                if options.repair {
                    self.free_name(&name, &id)?;
                }
            }
        }
        for kind in ["staging", "removing"] {
            for entry in fs::read_dir(self.place(kind)).into_iter().flatten().flatten() {
                if !matches!(Directory::new(entry.path()).try_lock(), Ok(None)) {
                    let name = entry.file_name();
                    found.push(format!("a container in `{kind}`: {}", name.to_string_lossy()));
                }
            }
        }
        if options.repair {
            self.collect_garbage();
        }
        Ok(found)
    }

    /// Removes what killed processes left half-made or half-removed.
    fn collect_garbage(&self) {
        // Where others are beginning right now, the next one sweeps.
        let Ok(gate) = self.create_lock() else { return };
        if gate.try_lock().is_err() {
            return;
        }
        for kind in ["staging", "removing"] {
            for entry in fs::read_dir(self.place(kind)).into_iter().flatten().flatten() {
                let leftover = Directory::new(entry.path());
                // Free, or without a lock at all: nobody is at work there.
                if !matches!(leftover.try_lock(), Ok(None)) {
                    let _ = remove_tree(leftover.path());
                }
            }
        }
    }
}

/// Removes a tree. The kernel makes overlay's `work/work` without any permission, which only
/// root can enter.
fn remove_tree(path: &Path) -> Result<()> {
    let result = fs::remove_dir_all(path);
    let result = match result {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let work = path.join("work/work");
            let _ = fs::set_permissions(&work, fs::Permissions::from_mode(0o700));
            fs::remove_dir_all(path)
        }
        result => result,
    };
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.context(|| format!("remove `{}`", path.display())),
    }
}

fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    no_access("make", path, error)
}

fn no_access(action: &str, path: &Path, error: &std::io::Error) -> Error {
    let failed = Error::from_io(format!("{action} `{}`", path.display()), error);
    if failed.kind() == Kind::Denied {
        return failed
            .hint("run as root, or choose a directory of yours with --root or LIFEBOX_ROOT");
    }
    failed
}
