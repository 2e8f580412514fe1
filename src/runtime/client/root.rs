//! The root of a container as a descriptor: of a running one, with all its mounts; of a stopped
//! one, an overlay of its layers and changes with its volumes and binds, as at the next start.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use oci_spec::runtime::Spec;
use rustix::io::Errno;

use super::runtime::{Claim, LOCK_TIMEOUT, Runtime};
use crate::model::container::State;
use crate::model::container::status;
use crate::model::value::id::ContainerId;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};
use crate::runtime::init::root_mount;
use crate::runtime::record::directory::Lock;
use crate::runtime::spawn::prepare;
use crate::runtime::{host, plan};
use crate::sys::mount::{self, Attributes};
use crate::sys::{self, userns};

/// A container's root.
#[derive(Debug)]
pub struct Root {
    /// The root directory.
    pub directory: OwnedFd,
    /// Keeps the container from being started: two overlays over one directory would damage it.
    _lock: Option<Lock>,
}

impl Runtime {
    /// Opens the root of a container, to read and to write.
    ///
    /// # Errors
    /// When its record is damaged, it is between two runs for too long, or the kernel cannot mount
    /// the overlay of a stopped container.
    pub fn root(&self, id: &ContainerId) -> Result<Root> {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        let mut pause = Duration::from_micros(200);
        loop {
            match self.claim(id)? {
                Claim::Stopped(lock, state) => {
                    status::check_record(state.name.as_str(), state.status)?;
                    let has_started = state.started_at.is_some();
                    return Ok(Root {
                        directory: self.mounted(id, has_started)?,
                        _lock: Some(lock),
                    });
                }
                Claim::Running(_) => {
                    let state = self.containers.directory(id).read_state();
                    let state = state.map_err(|error| self.not_found_or(id, error))?;
                    if let Some(directory) = from_process(&state)? {
                        return Ok(Root { directory, _lock: None });
                    }
                    // It is being started, or has just exited: check again.
                    if Instant::now() >= deadline {
                        return Err(unreachable(&state));
                    }
                }
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// Mounts the root of a stopped container, with its volumes and binds, without a mount point.
    /// It is unmounted with its descriptor.
    fn mounted(&self, id: &ContainerId, has_started: bool) -> Result<OwnedFd> {
        let directory = self.containers.directory(id);
        let config: Spec = directory.read("config.json")?;
        let identity = userns::identity().clone();
        let has_lowerdir_append = host::has_lowerdir_append();
        let inputs = plan::PlanInputs { has_lowerdir_append, identity, ..Default::default() };
        let mut mounts = plan::user_mounts(&config, &inputs)?;
        prepare::look_up_hosts(&mut mounts.prepare)?;
        if !mounts.list.is_empty() {
            prepare::create_sources(&directory.read_spec()?)?;
        }
        let place = directory.path();
        let (what, stack) = match plan::is_stacked(&config) {
            true => ("mount an overlay of the layers", Some(overlay_root(&config, &inputs)?)),
            false => ("mount the root", None),
        };
        let create = || match &stack {
            Some(stack) => overlay(stack, place),
            None => root_mount::view(c"rootfs", HARMLESS_ATTRIBUTES),
        };
        let mut failed = None;
        let mounted = mount::in_new_mount_namespace(place, || match mounts.list.is_empty() {
            true => create(),
            false => root_mount::with_user_mounts(&mounts, has_started, &mut failed, create),
        });
        mounted.map_err(|errno| {
            let what = match failed {
                Some(target) => format!("mount /{}", visible::short(&target.to_string_lossy())),
                None => what.to_owned(),
            };
            Error::from_errno(what, errno.raw_os_error())
        })
    }
}

/// Opens the root of the first process; `None` if there is no such process, any more or yet.
fn from_process(state: &State) -> Result<Option<OwnedFd>> {
    if !state.status.is_live() || state.pid == 0 {
        return Ok(None);
    }
    let directory = sys::fs::open_dir(format!("/proc/{}/root", state.pid).as_ref());
    // Opened before the check: the process id was not reused.
    if host::start_time(state.pid) != state.pid_start {
        return Ok(None);
    }
    match directory {
        // A process that has exited keeps its id until the monitor reaps it, but has no root.
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        Err(error) => {
            let name = state.name.as_str();
            let error = error.context(format!("cannot reach the files of `{name}`"));
            Err(error.container(name, Some(state.status.as_str())))
        }
        opened => opened.map(Some),
    }
}

/// Returns the error for a container that neither runs nor is stopped for too long.
fn unreachable(state: &State) -> Error {
    let (name, status) = (state.name.as_str(), state.status.as_str());
    let message = format!("cannot reach the files of `{name}`: it is {status}");
    Error::new(Kind::Timeout, message)
        .hint(format!("stop it first: lifebox stop {name}"))
        .container(name, Some(status))
}

/// No file of a container gains rights on the host.
const HARMLESS_ATTRIBUTES: Attributes =
    Attributes::MOUNT_ATTR_NODEV.union(Attributes::MOUNT_ATTR_NOSUID);

fn is_read_only(place: &Path) -> bool {
    use rustix::fs::StatVfsMountFlags;
    rustix::fs::statvfs(place).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::RDONLY))
}

/// Returns the overlay of a container.
fn overlay_root(config: &Spec, inputs: &plan::PlanInputs) -> Result<plan::Root> {
    if !inputs.has_lowerdir_append {
        let message = "cannot reach the files of a stopped container: this kernel is too old";
        return Err(Error::new(Kind::Unsupported, message)
            .hint("start the container first, or use Linux 6.8"));
    }
    plan::root(config, inputs)
}

/// Mounts the overlay of a container whose directory is `place`, detached.
fn overlay(root: &plan::Root, place: &Path) -> std::result::Result<OwnedFd, Errno> {
    let changes = |key: &CStr| root.settings.iter().find(|setting| setting.key.as_c_str() == key);
    match mount::overlay(&root.lower, &root.settings, HARMLESS_ATTRIBUTES) {
        // On a read-only file system the changes are one more layer.
        Err(errno @ (Errno::INVAL | Errno::ROFS)) => {
            let upper = changes(c"upperdir").and_then(|upper| upper.value.clone());
            let upper = upper.filter(|_| is_read_only(place)).ok_or(errno)?;
            let lower: Vec<_> = root.lower.iter().cloned().chain([upper]).collect();
            let is_of_changes = |key: &CStr| key == c"upperdir" || key == c"workdir";
            let mut settings = root.settings.clone();
            settings.retain(|setting| !is_of_changes(&setting.key));
            let read_only = HARMLESS_ATTRIBUTES | Attributes::MOUNT_ATTR_RDONLY;
            mount::overlay(&lower, &settings, read_only)
        }
        mounted => mounted,
    }
}
