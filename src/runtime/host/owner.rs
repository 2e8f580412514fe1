//! The owner of a store: only that user may open it, and no other user may reach into it.
//!
//! Root and ordinary users mark hidden files differently, their monitors are in different
//! namespaces, and what one creates the other cannot remove. So no verb opens the store of another
//! user, a reader no more than a writer.
//!
//! The engine reaches its files by their paths, for as long as a container runs. A user who can
//! replace a directory on the way replaces the store. So each directory and each symbolic link on
//! the way belongs to the caller or to root, and no other user may rename what is in it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

use super::user;
use crate::model::{Error, Kind, Result};
use crate::sys::userns;

/// The directories of a store: no other store may be in one of them.
const DIRECTORIES: [&str; 7] =
    ["images", "containers", "volumes", "names", "staging", "removing", "builds"];

/// Directories in which the engine removes what it does not know.
const SWEPT: [&str; 8] = [
    "staging",
    "removing",
    "names",
    "builds",
    "containers",
    "volumes",
    "images/staging",
    "images/layers",
];

/// Files of a store that are obeyed, executed or written.
const FILES: [&str; 4] = ["events.jsonl", "use.lock", "namespace", "init"];

/// How many links the kernel follows (path_resolution(7)).
const MAX_LINKS: usize = 40;
/// Who owns what belongs to a user that this user namespace does not have (user_namespaces(7)).
const UNMAPPED: u32 = 65534;

/// Refuses a store that another user owns or could replace. To be called when a store is opened,
/// and once more when its root may have been created: in `/tmp` another user may be faster.
///
/// # Errors
/// [`Kind::Denied`], naming the directory and its owner.
pub fn check(root: &Path) -> Result<()> {
    // Free of system calls for the second time, if the root was there for the first.
    static CHECKED: OnceLock<PathBuf> = OnceLock::new();
    if CHECKED.get().is_some_and(|checked| checked == root) {
        return Ok(());
    }
    if Caller::now().check(root)? {
        let _ = CHECKED.set(root.to_owned());
    }
    Ok(())
}

/// Who opens a store.
#[derive(Clone, Copy, Debug)]
struct Caller {
    user: u32,
    group: u32,
    /// The user who became root by `sudo`, and has root's power anyway.
    sudo: Option<u32>,
}

impl Caller {
    fn now() -> Self {
        let user = rustix::process::geteuid().as_raw();
        let group = rustix::process::getegid().as_raw();
        let sudo = std::env::var("SUDO_UID").ok().filter(|_| user == 0);
        Caller { user, group, sudo: sudo.and_then(|uid| uid.parse().ok()) }
    }

    /// As [`check`]. Returns whether the root exists.
    fn check(self, root: &Path) -> Result<bool> {
        let Some((path, found)) = self.walk(root, root)? else { return Ok(false) };
        if !found.is_dir() {
            return Ok(true);
        }
        self.check_own(root, &path, &found)?;
        // What a killed command left there is removed: it must not be the user's own.
        if !is_store(&path)
            && let Some(name) = SWEPT.iter().find(|name| has_entries(&path.join(name)))
        {
            return Err(no_store(root, name));
        }
        for name in DIRECTORIES.iter().chain(&FILES) {
            let path = path.join(name);
            let Ok(found) = path.symlink_metadata() else { continue };
            let (path, found) = match found.is_symlink() {
                true => match self.walk(root, &path)? {
                    Some(led) => led,
                    None => continue,
                },
                false => (path, found),
            };
            self.check_own(root, &path, &found)?;
        }
        Ok(true)
    }

    /// Follows a path as the kernel does, and judges all on the way. Returns what it leads to;
    /// `None` if that is missing.
    fn walk(self, root: &Path, path: &Path) -> Result<Option<(PathBuf, Metadata)>> {
        let failed = |path: &Path, error: &IoError| {
            let what = format!("open the store `{}`: stat `{}`", root.display(), path.display());
            Error::from_io(what, error)
        };
        let absolute = std::path::absolute(path).map_err(|error| failed(path, &error))?;
        let mut todo = names(&absolute);
        let mut at = PathBuf::from("/");
        let mut chain = vec![at.symlink_metadata().map_err(|error| failed(&at, &error))?];
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            let Some(here) = chain.last() else { break };
            if name == ".." {
                if chain.len() > 1 {
                    chain.pop();
                    at.pop();
                }
                continue;
            }
            self.check_on_the_way(root, &at, here)?;
            if DIRECTORIES.iter().any(|known| name == *known) && path == root && is_store(&at) {
                return Err(inside(root, &at));
            }
            let next = at.join(&name);
            let found = match next.symlink_metadata() {
                Ok(found) => found,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    return Err(match here.uid() == self.user {
                        true => failed(&next, &error)
                            .hint(format!("let its owner enter it: chmod u+rwx {}", at.display())),
                        false => closed(root, &at, here.uid()),
                    });
                }
                Err(error) => return Err(failed(&next, &error)),
            };
            if !found.is_symlink() {
                at = next;
                chain.push(found);
                continue;
            }
            if !self.trusts(found.uid()) {
                return Err(behind_link(root, &next, found.uid()));
            }
            links += 1;
            if links > MAX_LINKS {
                return Err(failed(&next, &IoError::from_raw_os_error(libc::ELOOP)));
            }
            let target = fs::read_link(&next).map_err(|error| failed(&next, &error))?;
            if target.is_absolute() {
                at = PathBuf::from("/");
                chain.truncate(1);
            }
            let mut first = names(&target);
            first.append(&mut todo);
            todo = first;
        }
        Ok(chain.pop().map(|found| (at, found)))
    }

    /// Judges a directory on the way.
    fn check_on_the_way(self, root: &Path, path: &Path, found: &Metadata) -> Result<()> {
        if !self.trusts(found.uid()) {
            return Err(in_directory_of(root, path, found.uid()));
        }
        // With the sticky bit, what is in it can be renamed by its own owner alone.
        if found.mode() & 0o1000 == 0 && self.others_write(path, found) {
            return Err(writable(root, path));
        }
        Ok(())
    }

    /// Judges the root, and what a store has directly below it.
    fn check_own(self, root: &Path, path: &Path, found: &Metadata) -> Result<()> {
        if found.uid() != self.user {
            return Err(of_other(root, path, found.uid()));
        }
        if found.is_dir() && self.others_write(path, found) {
            return Err(writable(root, path));
        }
        Ok(())
    }

    /// Returns whether a user may own what is on the way.
    fn trusts(self, owner: u32) -> bool {
        [0, self.user].contains(&owner)
            || Some(owner) == self.sudo
            || owner == UNMAPPED && userns::identity_now().in_user_namespace()
    }

    /// Returns whether a user who is not trusted may write a directory.
    fn others_write(self, path: &Path, found: &Metadata) -> bool {
        // The group's bits are also the mask of an access control list (acl(5)).
        let group = found.mode() & 0o020 != 0;
        let is_shared = || found.gid() != 0 && self.is_shared(found.gid());
        found.mode() & 0o002 != 0 || group && (is_shared() || has_acl(path))
    }

    /// Returns whether a group has a member who is not trusted. Many systems give each user a group
    /// of its own, and let the group write.
    fn is_shared(self, group: u32) -> bool {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let (passwd, groups) = (read("/etc/passwd"), read("/etc/group"));
        match user::members(group, &passwd, &groups) {
            Some(members) => !members.into_iter().all(|member| self.trusts(member)),
            None => group != self.group,
        }
    }
}

/// Returns whether a directory has an access control list.
fn has_acl(path: &Path) -> bool {
    rustix::fs::getxattr_query(path, "system.posix_acl_access").is_ok_and(|size| size > 0)
}

/// Returns the components of a path.
fn names(path: &Path) -> VecDeque<OsString> {
    let name = |component| match component {
        Component::Normal(name) => Some(name),
        Component::ParentDir => Some(OsStr::new("..")),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).map(OsStr::to_owned).collect()
}

/// Returns whether a directory is a store: it has what no other directory has.
fn is_store(path: &Path) -> bool {
    let has = |name: &str| path.join(name).symlink_metadata().is_ok();
    has("images/oci-layout") || has("volumes/.lock") || has("names") && has("removing")
}

fn has_entries(directory: &Path) -> bool {
    let found = directory.symlink_metadata().is_ok_and(|found| found.is_dir());
    found && fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
}

fn no_store(root: &Path, name: &str) -> Error {
    let (root, kind) = (root.display(), Kind::Invalid);
    Error::new(kind, format!("`{root}` is not a store, and its `{name}` is not empty"))
        .hint("choose an empty directory or one that is missing: lifebox --root DIR ...")
}

fn of_other(root: &Path, path: &Path, owner: u32) -> Error {
    let of = if path == root { "" } else { &format!(" of the store `{}`", root.display()) };
    let thing = if path == root { "the store " } else { "" };
    denied(format!("{thing}`{}`{of} belongs to {}", path.display(), named(owner)), owner)
}

fn in_directory_of(root: &Path, path: &Path, owner: u32) -> Error {
    let (store, path) = (root.display(), path.display());
    denied(format!("the store `{store}` is in `{path}`, which belongs to {}", named(owner)), owner)
}

fn closed(root: &Path, path: &Path, owner: u32) -> Error {
    let error = in_directory_of(root, path, owner);
    let message = format!("{} and is closed to other users", error.message());
    denied(message, owner)
}

fn behind_link(root: &Path, link: &Path, owner: u32) -> Error {
    let (store, link) = (root.display(), link.display());
    let what =
        format!("the store `{store}` is behind the symbolic link `{link}`, which belongs to");
    denied(format!("{what} {}", named(owner)), owner)
}

fn writable(root: &Path, path: &Path) -> Error {
    let (store, path) = (root.display(), path.display());
    let message = format!("other users may write `{path}`, and with it the store `{store}`");
    Error::new(Kind::Denied, message).hint(format!(
        "let only its owner write it: chmod go-w {path}; or choose another store with --root or \
         LIFEBOX_ROOT"
    ))
}

fn inside(root: &Path, store: &Path) -> Error {
    let message = format!("`{}` is inside the store `{}`", root.display(), store.display());
    Error::new(Kind::Denied, message)
        .hint("choose a directory outside of it with --root or LIFEBOX_ROOT")
}

fn denied(message: String, owner: u32) -> Error {
    let who = match owner {
        0 => String::new(),
        _ => format!(" -u {}", name_of(owner).unwrap_or_else(|| format!("'#{owner}'"))),
    };
    Error::new(Kind::Denied, message).hint(format!(
        "run lifebox as that user: sudo{who} lifebox ...; or choose another store with --root or \
         LIFEBOX_ROOT"
    ))
}

/// Returns a user's number, and the name where there is one.
fn named(owner: u32) -> String {
    let name = name_of(owner).map(|name| format!(" (`{name}`)")).unwrap_or_default();
    format!("user {owner}{name}")
}

fn name_of(owner: u32) -> Option<String> {
    user::name_of(owner, &fs::read_to_string("/etc/passwd").unwrap_or_default())
}

#[cfg(test)]
#[path = "tests/owner.rs"]
mod tests;
