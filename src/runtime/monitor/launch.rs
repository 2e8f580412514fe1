//! From a container's files to its running program.

use std::fs::{File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use super::held::HeldNamespaces;
use super::join::{self, OpenedNamespaces};
use super::shared_volumes::SharedVolumes;
use super::state::Run;
use crate::model::Result;
use crate::model::container::logging::LogDriver;
use crate::model::container::storage::Driver;
use crate::model::container::{ContainerSpec, State};
use crate::model::error::Context;
use crate::model::script::trace::ProcessRole;
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::init::{open_volume, pid1};
use crate::runtime::log::Writer;
use crate::runtime::plan::{Plan, Step};
use crate::runtime::protocol::Size;
use crate::runtime::record::directory::Directory;
use crate::runtime::spawn::explain::explain_volume;
use crate::runtime::spawn::prepare::{config_of, create_sources, host_for, look_up_hosts};
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::runtime::spawn::{self, JoinedNamespaces, SpawnRequest, SpawnedProcess};
use crate::runtime::trace::operation::Operation;
use crate::runtime::{oci, plan, rootless, trace};
use crate::sys::{self, store_dir};

/// How long a process that must not run may take to exit.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts the container, whose record is `before`, and returns when its program runs, or the reason
/// why it does not. After a
/// failure only the cgroup is left, which the caller removes.
pub(super) fn launch(
    directory: &Directory,
    hierarchies: &Hierarchies,
    cgroup: &Cgroup,
    (spec, before): (&ContainerSpec, &State),
    size: Option<Size>,
) -> Result<Run> {
    let config = config_of(directory, spec)?;
    let resources = config.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let needed = resources.map(Cgroup::controllers).unwrap_or_default();
    let (hierarchies, cgroup) =
        (&hierarchies.restricted_to(&needed), &cgroup.restricted_to(&needed));
    let (open_stdin, tty) = (spec.config.open_stdin && !spec.config.tty, spec.config.tty);
    let host = host_for(spec, before.started_at.is_some(), hierarchies, cgroup);
    let mut plan = plan::plan(&config, &host)?;
    look_up_hosts(&mut plan.steps)?;
    create_sources(spec)?;
    // The kernel follows a link that stands in the place of a directory.
    let own: &[&str] = match spec.host_config.storage {
        Driver::Overlay => &["upper", "work", "rootfs"],
        Driver::Vfs => &["rootfs"],
    };
    own.iter().try_for_each(|name| store_dir::check(Path::new(name)))?;
    for volume in spec.host_config.mounts.volumes() {
        store_dir::check(&Path::new("../../volumes").join(volume).join("_data"))?;
    }
    if spec.host_config.namespaces.init {
        pid1::install(oci::INIT.as_ref())?;
    }
    let OpenedNamespaces { namespaces, pid, shared_memory } = join::open(&config)?;
    trace::traced(ProcessRole::Monitor, || Operation::MakeCgroup, || cgroup.create())?;
    if let Some(resources) = resources {
        trace::traced(ProcessRole::Monitor, || Operation::SetLimits, || cgroup.apply(resources))?;
    }
    let log = open_log(spec)?;
    let (stdin, writer) = if open_stdin { self::open_stdin()? } else { (None, None) };
    let process = config.process().as_ref();
    let arguments = process.and_then(|process| process.args().clone()).unwrap_or_default();
    let environment = process.and_then(|process| process.env().clone()).unwrap_or_default();
    let namespaces = namespaces.into_iter().map(|(_, namespace)| namespace).collect();
    let devices = open_devices(&plan)?;
    let (shared, volumes) = SharedVolumes::open(spec)?;
    let joined = JoinedNamespaces { namespaces, pid, shared_memory, devices, volumes };
    let target = None;
    let request =
        SpawnRequest { plan, arguments, environment, tty, stdin, size, target, joined, cgroup };
    let SpawnedProcess { child, outputs, terminal } = spawn::spawn(request)?;
    if let Err(error) = shared.record(child.pid) {
        let _ = sys::process::send_signal(&child.pidfd, libc::SIGKILL);
        let _ = sys::process::reap_within(&child.pidfd, END_TIMEOUT);
        return Err(error);
    }
    let input =
        StdinWriter::new(terminal.as_ref().map(OwnedFd::try_clone).transpose().unwrap_or(None));
    let mounts = Some(child.pid).filter(|_| cgroup.has_no_hierarchy());
    let mounts = mounts.and_then(rootless::processes::mounts_of);
    let held = HeldNamespaces::of(spec, child.pid);
    Ok(Run { child, outputs, log, stdin: writer, input, terminal, mounts, held })
}

/// Opens the file systems of volumes.
fn open_devices(plan: &Plan) -> Result<Vec<OwnedFd>> {
    let devices = plan.steps.iter().filter_map(|step| match step {
        Step::MountVolume(volume) if volume.opened.is_some() => Some(volume),
        _ => None,
    });
    let open = |volume| open_volume(volume).map_err(|errno| explain_volume(volume, errno));
    devices.map(open).collect()
}

/// Opens the log, unless none is kept.
fn open_log(spec: &ContainerSpec) -> Result<Option<Writer>> {
    let supervision = &spec.host_config.supervision;
    if supervision.log_driver == LogDriver::None {
        return Ok(None);
    }
    let open = || Writer::open("log.jsonl".as_ref(), supervision.log);
    let mut log = trace::traced(ProcessRole::Monitor, || Operation::OpenLog, open)?;
    if !spec.host_config.auto_remove {
        log.keep_room();
    }
    Ok(Some(log))
}

/// Opens the container's end of the fifo `stdin`, and a writing end that keeps the fifo open until
/// a client closes standard input.
fn open_stdin() -> Result<(Option<OwnedFd>, Option<File>)> {
    let open =
        |options: &mut OpenOptions| options.open("stdin").context(|| "open `stdin`".to_owned());
    // A fifo opens for reading only once it has a writer, and the other way round (fifo(7)).
    let _both = open(OpenOptions::new().read(true).write(true))?;
    let reader = open(OpenOptions::new().read(true))?;
    let writer = open(OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK))?;
    Ok((Some(reader.into()), Some(writer)))
}
