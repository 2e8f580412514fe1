//! The names of containers: `names/<name>` is a symbolic link to the container's directory.
//!
//! Creating the link claims the name. The container's record has the name too, and the two part
//! when a process is killed in a rename: the record counts.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::container_store::{ContainerStore, cannot_write};
use super::directory::Directory;
use crate::model::error::Context;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Result};
use crate::sys::lock::{self, Share};
use crate::sys::tree::remove_any_at;
use crate::sys::{record_file, store_dir};

/// The lock on all names: while it is held, no other process renames a container.
#[derive(Debug)]
pub struct NamesLock {
    _file: fs::File,
}

impl ContainerStore {
    /// Claims `name` for `id`.
    ///
    /// # Errors
    /// [`Kind::Exists`] if another container has it.
    pub fn claim_name(&self, name: &ContainerName, id: &ContainerId) -> Result<()> {
        if self.link_name(name, id)? {
            return Ok(());
        }
        // A name in use is checked again under a lock: it may be left over from a process that was
        // killed between two steps.
        self.claim_name_locked(&self.lock_names()?, name, id)
    }

    /// As [`claim_name`](Self::claim_name). Succeeds for a name that the container has already, and
    /// takes one that a killed rename left.
    ///
    /// # Errors
    /// As [`claim_name`](Self::claim_name).
    pub fn claim_name_locked(
        &self,
        _held: &NamesLock,
        name: &ContainerName,
        id: &ContainerId,
    ) -> Result<()> {
        match self.owner(name)? {
            Some(owner) if owner == *id => return Ok(()),
            Some(owner) if self.is_recorded(name, &owner) => return Err(name.taken_by(&owner)),
            _ => {}
        }
        // A link without a container, or something that is not a name.
        remove_any_at(&self.place("names").join(name.as_str()))?;
        match self.link_name(name, id)? {
            true => Ok(()),
            false => Err(name.taken_by(self.owner(name)?.as_ref().unwrap_or(id))),
        }
    }

    /// Locks the names, for a rename.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn lock_names(&self) -> Result<NamesLock> {
        let path = self.place("names").join(".lock");
        let file = record_file::open_or_create_lock(&path);
        let file = file.map_err(|error| cannot_write(&path, error))?;
        lock::acquire(&file, Share::Alone, "the names")?;
        Ok(NamesLock { _file: file })
    }

    /// Locks the names, to read them if not to change them: that needs no file to be written.
    ///
    /// # Errors
    /// When the root can't be read, or for a change written.
    pub(super) fn lock_names_for(&self, change: bool) -> Result<NamesLock> {
        if change {
            return self.lock_names();
        }
        let path = self.place("names");
        let file = match record_file::open_lock(&path.join(".lock")) {
            Ok(file) => file,
            Err(_) => store_dir::open(&path)?.into(),
        };
        lock::acquire(&file, Share::Shared, "the names")?;
        Ok(NamesLock { _file: file })
    }

    /// Makes the names agree with a container's record: `name` is linked, and no other name is.
    /// Describes what was wrong; with `repair` it is mended.
    ///
    /// # Errors
    /// When the root can't be written, or another container has the name.
    pub fn mend_names(
        &self,
        held: &NamesLock,
        id: &ContainerId,
        name: &ContainerName,
        repair: bool,
    ) -> Result<Vec<String>> {
        self.mend_these_names(held, (id, self.names_of(id)), name, repair)
    }

    /// As [`mend_names`](Self::mend_names), of a container whose links are known.
    pub(super) fn mend_these_names(
        &self,
        held: &NamesLock,
        (id, linked): (&ContainerId, Vec<ContainerName>),
        name: &ContainerName,
        repair: bool,
    ) -> Result<Vec<String>> {
        let mut found = Vec::new();
        if self.owner(name)?.as_ref() != Some(id) {
            found.push(format!("the missing name `{name}` of the container {}", id.short()));
            if repair {
                self.claim_name_locked(held, name, id)?;
            }
        }
        for other in linked.into_iter().filter(|other| other != name) {
            found.push(format!("the second name `{other}` of the container `{name}`"));
            if repair {
                self.free_name(&other, id)?;
            }
        }
        Ok(found)
    }

    /// Links `name` to `id`; returns false if it is linked already.
    fn link_name(&self, name: &ContainerName, id: &ContainerId) -> Result<bool> {
        let link = self.place("names").join(name.as_str());
        match symlink(Path::new("../containers").join(id.as_str()), &link) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(cannot_write(&link, error)),
        }
    }

    /// Whether a container's record has this name. One that cannot be read, or is not published
    /// yet, has the names that are linked to it.
    fn is_recorded(&self, name: &ContainerName, id: &ContainerId) -> bool {
        self.directory(id).read_state().map_or(true, |state| state.name == *name)
    }

    /// Returns the container that has `name`, or is being created with it.
    ///
    /// # Errors
    /// When that cannot be found out: then the name is not free.
    pub(super) fn owner(&self, name: &ContainerName) -> Result<Option<ContainerId>> {
        let Some(target) = self.target(name)? else { return Ok(None) };
        let id = target.file_name().and_then(|id| id.to_str()?.parse::<ContainerId>().ok());
        let Some(id) = id else { return Ok(None) };
        let exists =
            |path: &Path| path.try_exists().context(|| format!("stat `{}`", path.display()));
        let staged = Directory::new(self.place("staging").join(id.as_str()));
        // In the order in which a container goes through them, or it could pass this one by.
        let is_owned = exists(staged.path())? && matches!(staged.try_lock(), Ok(None))
            || exists(self.directory(&id).path())?
            || exists(&self.place("removing").join(id.as_str()))?;
        Ok(is_owned.then_some(id))
    }

    /// Reads the link of a name; `None` if there is none.
    fn target(&self, name: &ContainerName) -> Result<Option<PathBuf>> {
        let link = self.place("names").join(name.as_str());
        match fs::read_link(&link) {
            Ok(target) => Ok(Some(target)),
            // Nothing, or something that is not a link (readlink(2)).
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {
                Ok(None)
            }
            Err(error) => {
                let error = store_dir::explain(&link, error);
                Err(Error::from_io(format!("read `{}`", link.display()), &error))
            }
        }
    }

    /// Releases `name`, if `id` has it.
    ///
    /// # Errors
    /// When the root can't be written.
    pub fn free_name(&self, name: &ContainerName, id: &ContainerId) -> Result<()> {
        let link = self.place("names").join(name.as_str());
        let ours = self.target(name)?.is_some_and(|target| target.ends_with(id.as_str()));
        if ours {
            fs::remove_file(&link).map_err(|error| cannot_write(&link, error))?;
        }
        Ok(())
    }

    /// Returns the name that points at `id`, for a container whose record cannot be read.
    pub fn name_of(&self, id: &ContainerId) -> Option<ContainerName> {
        self.names_of(id).into_iter().next()
    }

    fn names_of(&self, id: &ContainerId) -> Vec<ContainerName> {
        self.links().filter(|(_, linked)| linked == id).map(|(name, _)| name).collect()
    }

    /// Returns the names of each container, with one look at all names.
    pub(super) fn names_by_id(&self) -> HashMap<ContainerId, Vec<ContainerName>> {
        let mut names: HashMap<ContainerId, Vec<ContainerName>> = HashMap::new();
        for (name, id) in self.links() {
            names.entry(id).or_default().push(name);
        }
        names
    }

    /// Returns the names, each with the container that it points at.
    fn links(&self) -> impl Iterator<Item = (ContainerName, ContainerId)> {
        let place = self.place("names");
        // What stands in its place is for a check, and has no names.
        let entries = store_dir::names(&place).ok().flatten().unwrap_or_default();
        entries.into_iter().filter_map(move |name| {
            let target = fs::read_link(place.join(&name)).ok()?;
            let id = target.file_name()?.to_str()?.parse().ok()?;
            Some((name.to_str()?.parse().ok()?, id))
        })
    }
}
