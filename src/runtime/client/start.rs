//! Making a container and starting it: from nothing to a monitor at work.

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{etc_files, exec};
use crate::model::container::State;
use crate::model::container::options::StopOptions;
use crate::model::container::security::{Seccomp, Security};
use crate::model::container::status;
use crate::model::container::status::{Action, Transition};
use crate::model::container::storage::Driver;
use crate::model::error::Context;
use crate::model::script::trace::ProcessRole;
use crate::model::value::capability;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::host::devices;
use crate::runtime::protocol::connection::Connection;
use crate::runtime::protocol::{Request, StartOptions};
use crate::runtime::record::directory::{Directory, Lock};
use crate::runtime::trace::operation::Operation;
use crate::runtime::{Claim, NewContainer, Runtime, monitor, oci, rootless, seccomp, trace};
use crate::sys::{self, userns};

impl Runtime {
    /// Makes a container. No process, no memory, no mount: only files. Where its root is a copy
    /// of the layers, `copy` fills that directory.
    ///
    /// # Errors
    /// [`Kind::Exists`] where the name is taken; nothing is left then.
    pub fn create(&self, new: &NewContainer<'_>, copy: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
        check_capabilities(&new.spec.host.security)?;
        self.check_limits(&new.spec.host.resources)?;
        self.containers.create(new.spec, new.name, |directory| fill(directory, new, copy))
    }

    /// Runs a container's program; nothing to do where it runs. Returns when it really runs.
    ///
    /// # Errors
    /// [`Kind::Refused`] where it is paused, or why the program does not run.
    pub fn start(&self, id: &ContainerId) -> Result<()> {
        self.start_connected(id, StartOptions::default()).map(drop)
    }

    /// Stops a container and starts it.
    ///
    /// # Errors
    /// As [`Runtime::stop`] and [`Runtime::start`].
    pub fn restart(
        &self,
        id: &ContainerId,
        options: &StopOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.stop(id, options, true, cancel)?;
        self.start_connected(id, StartOptions { restarting: true, ..StartOptions::default() })
            .map(drop)
    }

    /// Starts a container and keeps the connection; `None` where it runs already.
    pub(crate) fn start_connected(
        &self,
        id: &ContainerId,
        begin: StartOptions,
    ) -> Result<Option<Connection>> {
        loop {
            match self.claim(id)? {
                Claim::Stopped(lock, state) => {
                    status::check(state.name.as_str(), state.status, Action::Start)?;
                    check_owner(&lock, state.name.as_str())?;
                    let spawn = || self.spawn_monitor(id, lock);
                    let begin = StartOptions { stepwise: trace::is_watched(), ..begin };
                    let mut connection =
                        trace::traced(ProcessRole::Client, || Operation::StartMonitor, spawn)?;
                    let started =
                        connection.ask(&Request::Start(begin), None, None).map_err(|error| {
                            let text = format!("cannot start `{}`", state.name);
                            error
                                .context(text)
                                .container(state.name.as_str(), Some(state.status.as_str()))
                        })?;
                    return match started {
                        Some(_) => Ok(Some(connection)),
                        None => Err(Error::new(
                            Kind::Died,
                            format!("the monitor of `{}` died", state.name),
                        )
                        .hint("see `inspect`, and the kernel's messages for out of memory")),
                    };
                }
                Claim::Running(connection) => {
                    let state = self.containers.directory(id).read_state()?;
                    if state.status.is_live() {
                        let next = status::check(state.name.as_str(), state.status, Action::Start)?;
                        debug_assert_eq!(next, Transition::Stays);
                        return Ok(None);
                    }
                    // It is being started by another front, or has just ended: look again.
                    drop(connection);
                    std::thread::yield_now();
                }
            }
        }
    }

    /// Starts a monitor as a fresh exec of this binary. It gets a connection as standard input and
    /// the lock as standard output, so that no other descriptor has to be inherited, whatever
    /// other threads of this process do.
    fn spawn_monitor(&self, id: &ContainerId, lock: Lock) -> Result<Connection> {
        if userns::in_user_namespace() {
            let path = self.containers.directory(id).file(crate::runtime::CGROUP_PARENT);
            fs::write(&path, &self.cgroup_parent)
                .context(|| format!("write `{}`", path.display()))?;
        }
        let lock = Stdio::from(OwnedFd::from(lock.file));
        self.spawn(monitor::NAME, id, &self.cgroup_parent, lock)
    }

    /// Starts the helper of an exec, as a monitor is started.
    pub(crate) fn spawn_helper(&self, id: &ContainerId) -> Result<Connection> {
        self.spawn(exec::NAME, id, &self.parent_of(id), Stdio::null())
    }

    fn spawn(
        &self,
        name: &str,
        id: &ContainerId,
        cgroup_parent: &str,
        stdout: Stdio,
    ) -> Result<Connection> {
        self.reap_monitors();
        let (ours, theirs) = UnixStream::pair().context(|| "socketpair".to_owned())?;
        // The monitor becomes init, and a hostile image may make init run its own program anew.
        let sealed = sys::process::sealed_program();
        let program = match &sealed {
            Some(file) => format!("/proc/self/fd/{}", file.as_raw_fd()),
            None => "/proc/self/exe".to_owned(),
        };
        let mut command = Command::new(program);
        command
            .arg0(name)
            .arg(&self.root)
            .arg(id.as_str())
            .arg(cgroup_parent)
            .env_clear()
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(stdout)
            .stderr(Stdio::null());
        let child = command.spawn().context(|| format!("start `{name}`"))?;
        if userns::in_user_namespace() {
            rootless::register_member(&self.root, child.id())?;
        }
        if let Ok(mut monitors) = self.monitors.lock() {
            monitors.push(child);
        }
        Ok(Connection::new(ours))
    }

    /// Takes note of monitors that have ended, so that none stays a zombie while this process
    /// lives.
    fn reap_monitors(&self) {
        if let Ok(mut monitors) = self.monitors.lock() {
            monitors.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        }
    }
}

/// What was asked for by name must be ours to give.
fn check_capabilities(security: &Security) -> Result<()> {
    let ours = sys::identity::bounding();
    for name in &security.cap_add {
        let number = capability::NAMES.iter().position(|known| known == name);
        if number.is_some_and(|number| ours & (1 << number) == 0) {
            let message =
                format!("cannot add capability `{name}`: lifebox does not have it itself");
            return Err(Error::new(Kind::Denied, message).hint(
                "start lifebox with it, or leave it out; see `grep CapBnd /proc/self/status`",
            ));
        }
    }
    Ok(())
}

/// A container's files can only be stacked as the user who made them.
fn check_owner(lock: &Lock, name: &str) -> Result<()> {
    let owner = lock.file.metadata().context(|| "fstat(lock)".to_owned())?.uid();
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Error::new(Kind::Denied, format!("`{name}` belongs to user {owner}"))
        .hint("run lifebox as that user"))
}

/// Writes the files of a new container.
fn fill(
    directory: &Directory,
    new: &NewContainer<'_>,
    copy: &dyn Fn(&Path) -> Result<()>,
) -> Result<()> {
    make_root(directory, new, copy)?;
    fill_files(directory, new)
}

/// Makes what the root is mounted from, or what it is.
fn make_root(
    directory: &Directory,
    new: &NewContainer<'_>,
    copy: &dyn Fn(&Path) -> Result<()>,
) -> Result<()> {
    let make = |name: &str, mode: u32| {
        let path = directory.file(name);
        fs::DirBuilder::new()
            .mode(mode)
            .create(&path)
            .context(|| format!("make `{}`", path.display()))
    };
    make("rootfs", 0o755)?;
    if new.spec.host.storage == Driver::Overlay {
        make("upper", 0o755)?;
        make("work", 0o700)?;
        return copy_root_attributes(directory, "upper", new.root);
    }
    let root = directory.file("rootfs");
    copy(&root)?;
    copy_root_attributes(directory, "rootfs", new.root)?;
    if new.spec.host.auto_remove {
        return Ok(());
    }
    // The layers were synced when they came, their copy is new.
    sys::fs::sync_filesystem(sys::fs::open_dir(&root)?)
}

/// Writes the small files. `config.json` is younger than all of a copied root, which is how its
/// changes are told.
fn fill_files(directory: &Directory, new: &NewContainer<'_>) -> Result<()> {
    let write = |name: &str, text: &str| {
        let path = directory.file(name);
        fs::write(&path, text).context(|| format!("write `{}`", path.display()))
    };
    write("hostname", &format!("{}\n", new.spec.config.hostname))?;
    write("hosts", &etc_files::hosts(new.spec))?;
    write("resolv.conf", &etc_files::resolver(new.spec))?;
    if new.spec.config.open_stdin {
        let path = directory.file("stdin");
        let mode = rustix::fs::Mode::from_bits_truncate(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).map_err(
            |errno| Error::from_errno(format!("mkfifo `{}`", path.display()), errno.raw_os_error()),
        )?;
    }
    let mut config = oci::config(new.spec, new.environment, new.lower, &throttle_directories())?;
    if let Seccomp::Profile(_) = new.spec.host.security.seccomp {
        // What a start would stumble over is told now.
        let profile = config["linux"]["seccomp"].clone();
        let profile = serde_json::from_value(profile)
            .map_err(|error| Error::new(Kind::Invalid, format!("bad seccomp profile: {error}")))?;
        seccomp::compile(&profile)?;
    }
    devices::add(&new.spec.host.security.devices, &mut config)?;
    directory.write_new("config.json", &config)?;
    directory.write_new("spec.json", new.spec)?;
    directory.write_new("state.json", &State::created(new.name.clone()))?;
    // What goes when it ends need not outlive the machine.
    if new.spec.host.auto_remove {
        return Ok(());
    }
    directory.sync(&["config.json", "spec.json", "state.json"])
}

/// The mode and owner of `name` are those of `/` inside, so it takes them from the layer that
/// says what `/` is like.
fn copy_root_attributes(directory: &Directory, name: &str, root: Option<&str>) -> Result<()> {
    let Some(top) = root else { return Ok(()) };
    let (top, place) = (directory.file(top), directory.file(name));
    let copy = || {
        let like = fs::metadata(&top)?;
        std::os::unix::fs::chown(&place, Some(like.uid()), Some(like.gid()))?;
        fs::set_permissions(&place, like.permissions())
    };
    copy().context(|| format!("make `{}` like `{}`", place.display(), top.display()))
}

/// Counters of thermal events, which tell a container of its neighbours' load; on hosts that
/// have them (moby, `oci/defaults.go`).
fn throttle_directories() -> Vec<String> {
    let of = |cpu: usize| format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle");
    (0..4096).map(of).take_while(|path| Path::new(path).exists()).collect()
}
