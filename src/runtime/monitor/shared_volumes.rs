//! Volumes that are a tmpfs: all containers of one show the same files while one of them runs, and
//! with the last the files go.
//!
//! No process keeps such a tmpfs but the containers. `shared` in the volume's directory says which
//! tmpfs it is and which containers have it: 16 bytes, device and inode, then the containers in
//! JSON. It is locked from before the mount until the container is in it, so that two containers
//! that start at a time get one tmpfs.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::container::ContainerSpec;
use crate::model::container::mounts::MountKind;
use crate::model::container::mounts::driver_options::is_memory;
use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};
use crate::runtime::host;
use crate::runtime::init::SharedVolume;
use crate::sys::lock::{self, Share};
use crate::sys::record_file;

/// The bytes before the containers.
const HEAD: usize = 16;

/// A container that has the tmpfs.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    boot: String,
    pid: i32,
    pid_start: u64,
    /// Where it is mounted inside.
    target: String,
}

/// The locked volumes of a container that is being started.
pub(super) struct SharedVolumes(Vec<LockedVolume>);

struct LockedVolume {
    record: File,
    name: String,
    target: String,
    holders: Vec<Holder>,
}

impl SharedVolumes {
    /// Locks the volumes that are a tmpfs, and opens the containers that have them. Volumes are
    /// beside the directory of containers.
    pub(super) fn open(spec: &ContainerSpec) -> Result<(Self, Vec<SharedVolume>)> {
        let mounts = spec.host_config.mounts.list.iter().rev();
        let memory =
            mounts.filter(|mount| mount.kind == MountKind::Volume && is_memory(&mount.device));
        // In the order of their names, as all containers lock them. Each once, by its first target.
        let memory: BTreeMap<_, _> = memory.map(|mount| (&mount.source, mount)).collect();
        let (mut locked, mut shared) = (Vec::new(), Vec::new());
        for (name, mount) in memory {
            if !mount.subpath.is_empty() {
                let message = format!(
                    "error while mounting volume '{name}': a part of a tmpfs cannot be mounted"
                );
                return Err(Error::new(Kind::Unsupported, message)
                    .hint("leave out volume-subpath: a new tmpfs is empty"));
            }
            let path = Path::new("../../volumes").join(name).join("shared");
            let mut options = OpenOptions::new();
            let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
            let mut record = record_file::open(&path, options)
                .context(|| format!("open `{}`", path.display()))?;
            lock::acquire(&record, Share::Alone, "the volume")?;
            let mut bytes = Vec::new();
            record.read_to_end(&mut bytes).context(|| format!("read `{}`", path.display()))?;
            let (head, rest) = bytes.split_at(HEAD.min(bytes.len()));
            let number = |at: usize| {
                head.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes)
            };
            let identity = number(0).zip(number(8)).unwrap_or_default();
            let all: Vec<Holder> = serde_json::from_slice(rest).unwrap_or_default();
            let (mut holders, mut opened) = (Vec::new(), Vec::new());
            for holder in all {
                if let Some(namespace) = holder.namespace() {
                    opened.push((namespace, c_string(&holder.target)?));
                    holders.push(holder);
                }
            }
            let copy = record.try_clone().context(|| "dup".to_owned())?;
            shared.push(SharedVolume { record: copy.into(), identity, holders: opened });
            let (name, target) = (name.clone(), mount.target.clone());
            locked.push(LockedVolume { record, name, target, holders });
        }
        Ok((SharedVolumes(locked), shared))
    }

    /// Records that the process `pid` has the volumes, and unlocks them.
    pub(super) fn record(self, pid: i32) -> Result<()> {
        for mut volume in self.0 {
            let pid_start = host::start_time(pid);
            let boot = host::boot_id().to_owned();
            volume.holders.push(Holder { boot, pid, pid_start, target: volume.target });
            let bytes = serde_json::to_vec(&volume.holders).unwrap_or_default();
            volume
                .record
                .set_len(HEAD as u64)
                .and_then(|()| volume.record.write_all_at(&bytes, HEAD as u64))
                .context(|| format!("record the tmpfs of the volume `{}`", volume.name))?;
        }
        Ok(())
    }
}

impl Holder {
    /// Returns its mount namespace; `None` if it has ended.
    fn namespace(&self) -> Option<OwnedFd> {
        let opened = File::open(format!("/proc/{}/ns/mnt", self.pid)).ok()?;
        // Opened before the check: the process id was not reused.
        let same = self.boot == host::boot_id() && host::start_time(self.pid) == self.pid_start;
        same.then(|| opened.into())
    }
}

fn c_string(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Kind::Corrupt, "the target of a tmpfs has a NUL"))
}
