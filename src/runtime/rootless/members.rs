//! The processes in the user namespace of a store, which later processes join.
//!
//! A process has no rights in a sibling of its own namespace, so all clients and monitors of a
//! store must be in one: `exec`, `cp` and shared namespaces need it. The namespace exists as long
//! as any of them. The file `namespace` in the store lists them, by process id and start; its lock
//! lets one client at a time find the namespace or create it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::process::{Pid, PidfdFlags};

use crate::model::error::Context;
use crate::model::{Kind, Result};
use crate::runtime::host;
use crate::sys::lock::{self, Share};
use crate::sys::{process, record_file, tree};

const FILE: &str = "namespace";

/// The processes in the user namespace of a store. While this value lives, no other process changes
/// the list.
#[derive(Debug)]
pub(super) struct Members {
    file: File,
    /// Process id and start of each living process.
    living: Vec<(i32, u64)>,
}

impl Members {
    /// Opens the list of the store at `root`, which is created if it is missing.
    ///
    /// # Errors
    /// When the store can't be written; [`Kind::Timeout`](crate::model::Kind::Timeout) if another
    /// process keeps the lock.
    pub(super) fn open(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let created = DirBuilder::new().mode(0o700).recursive(true).create(root);
        created.context(|| format!("create `{}`", root.display()))?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let what = || format!("open `{}`", path.display());
        let file = match record_file::open(&path, options).context(what) {
            // No list, so no process is lost with it; without one no command would work.
            Err(error) if error.kind() == Kind::Corrupt => {
                tree::remove_any_at(&path)?;
                record_file::open(&path, options).context(what)
            }
            file => file,
        };
        let mut file = file?;
        lock::acquire(&file, Share::Alone, "the processes of the user namespace")?;
        let mut text = String::new();
        // Without text there are no members.
        match file.read_to_string(&mut text) {
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => text.clear(),
            read => drop(read.context(|| format!("read `{}`", path.display()))?),
        }
        let mut living = parse(&text, &host::boot_id());
        living.retain(|(pid, start)| *start != 0 && host::start_time(*pid) == *start);
        Ok(Members { file, living })
    }

    /// Joins the namespace; this process must have one thread. Returns false if there is no process
    /// whose namespace could be joined.
    pub(super) fn join(&self) -> bool {
        self.living.iter().any(|(pid, start)| {
            let Some(number) = Pid::from_raw(*pid) else { return false };
            let Ok(member) = rustix::process::pidfd_open(number, PidfdFlags::empty()) else {
                return false;
            };
            // The descriptor refers to the member, not to a process that reuses the id.
            host::start_time(*pid) == *start && process::join(&member, libc::CLONE_NEWUSER).is_ok()
        })
    }

    /// Adds a process in the namespace to the list.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn add(mut self, pid: i32) -> Result<()> {
        self.living.push((pid, host::start_time(pid)));
        let lines = self.living.iter().map(|(pid, start)| format!("{pid} {start}\n"));
        let text = format!("{}\n{}", host::boot_id(), lines.collect::<String>());
        let file = &mut self.file;
        file.rewind()
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.set_len(text.len() as u64))
            .context(|| format!("write `{FILE}`"))
    }
}

/// Parses the file; nothing if it is of another boot.
fn parse(text: &str, boot: &str) -> Vec<(i32, u64)> {
    let mut lines = text.lines();
    if lines.next() != Some(boot) {
        return Vec::new();
    }
    let member = |line: &str| {
        let (pid, start) = line.split_once(' ')?;
        Some((pid.parse().ok()?, start.parse().ok()?))
    };
    lines.filter_map(member).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_another_boot_are_none() {
        let text = "this-boot\n7 100\nnonsense\n8 200\n";
        assert_eq!(parse(text, "this-boot"), [(7, 100), (8, 200)]);
        assert!(parse(text, "the-next").is_empty());
    }

    #[test]
    fn who_has_ended_or_has_another_ones_number_is_no_member() {
        let place = tempfile::tempdir().unwrap();
        let own = rustix::process::getpid().as_raw_nonzero().get();
        Members::open(place.path()).unwrap().add(own).unwrap();
        let start = host::start_time(own);
        assert_eq!(Members::open(place.path()).unwrap().living, [(own, start)]);
        let text = format!("{}\n{own} {}\n{} 1\n", host::boot_id(), start + 1, i32::MAX);
        std::fs::write(place.path().join(FILE), text).unwrap();
        assert!(Members::open(place.path()).unwrap().living.is_empty());
    }
}
