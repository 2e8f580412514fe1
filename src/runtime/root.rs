//! The root of a container as a descriptor: of one that runs, with all that is mounted there; of
//! one that rests, its layers and its own changes stacked as they will be.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};

use oci_spec::runtime::Spec;

use super::directory::Lock;
use super::{Claim, Runtime, host, plan};
use crate::model::id::ContainerId;
use crate::model::status::{self, Action};
use crate::model::{Error, Kind, Result};
use crate::sys::mount::{self, Attributes};
use crate::sys::{self, userns};

/// A container's root.
#[derive(Debug)]
pub struct Root {
    /// Its directory.
    pub directory: OwnedFd,
    /// Nobody starts it meanwhile: two overlays over one directory would spoil it.
    _lock: Option<Lock>,
}

impl Runtime {
    /// The root of a container, to read and to write.
    ///
    /// # Errors
    /// When its record is damaged, or the kernel can't stack what rests.
    pub fn root(&self, id: &ContainerId) -> Result<Root> {
        loop {
            match self.claim(id)? {
                Claim::Idle(lock, state) => {
                    status::check(state.name.as_str(), state.status, Action::Rename)?;
                    return Ok(Root { directory: self.mounted(id)?, _lock: Some(lock) });
                }
                Claim::Live(_) => {
                    let state = self.catalogue.directory(id).read_state()?;
                    if !state.status.is_live() {
                        // It is being started, or has just ended: look again.
                        std::thread::yield_now();
                        continue;
                    }
                    let path = format!("/proc/{}/root", state.pid);
                    let directory = sys::fs::open_dir(path.as_ref());
                    // Opened before it was looked at: the number is still the container's.
                    if host::start_time(state.pid) == state.pid_start {
                        return Ok(Root { directory: directory?, _lock: None });
                    }
                }
            }
        }
    }

    /// The root of a container that rests, mounted nowhere and gone with its descriptor.
    fn mounted(&self, id: &ContainerId) -> Result<OwnedFd> {
        let directory = self.catalogue.directory(id);
        let config: Spec = directory.read("config.json")?;
        let place = sys::fs::open_dir(directory.path())?;
        if plan::is_stacked(&config) {
            return stack(&config, &place);
        }
        let root = sys::fs::open_dir(&directory.file("rootfs"))?;
        let view = || {
            let view = mount::clone_of(&root)?;
            mount::add_attributes(&view, LIFELESS)?;
            Ok(view)
        };
        mount::apart(view)
            .map_err(|errno| Error::from_errno("mount the root", errno.raw_os_error()))
    }
}

/// Nothing in a container's files has power over the host.
const LIFELESS: Attributes = Attributes::MOUNT_ATTR_NODEV.union(Attributes::MOUNT_ATTR_NOSUID);

/// The overlay of a container whose directory is `place`.
fn stack(config: &Spec, place: &OwnedFd) -> Result<OwnedFd> {
    if !host::one_by_one() {
        let message = "the files of a container that does not run can't be reached here";
        return Err(Error::new(Kind::Unsupported, message)
            .hint("that needs Linux 6.8; start the container first"));
    }
    let identity = userns::identity().clone();
    let host = plan::Host { one_by_one: true, identity, ..Default::default() };
    let mut root = plan::root(config, &host)?;
    // By number, for a setting has at most 255 bytes (fsconfig(2)).
    let absolute = |path: &mut CString| {
        let path_there = path.to_string_lossy();
        let text = format!("/proc/self/fd/{}/{path_there}", place.as_raw_fd());
        *path = CString::new(text).unwrap_or_default();
    };
    root.lower.iter_mut().for_each(absolute);
    for setting in &mut root.settings {
        if matches!(setting.key.to_bytes(), b"upperdir" | b"workdir") {
            setting.value.iter_mut().for_each(absolute);
        }
    }
    mount::apart(|| mount::overlay(&root.lower, &root.settings, LIFELESS))
        .map_err(|errno| Error::from_errno("stack the layers", errno.raw_os_error()))
}
