//! From a container's files to its running program.

pub(crate) mod explain;
pub(super) mod stdin_writer;

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;

use oci_spec::runtime::Spec;
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use crate::model::container::ContainerSpec;
use crate::model::container::mounts::{MountKind, MountSpec};
use crate::model::error::Context;
use crate::model::script::trace::ProcessRole;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{Cgroup, Hierarchies};
use crate::runtime::host;
use crate::runtime::host::devices;
use crate::runtime::init::Init;
use crate::runtime::init::pid1;
use crate::runtime::init::terminal;
use crate::runtime::init::traced::TraceReader;
use crate::runtime::log::Writer;
use crate::runtime::monitor::Run;
use crate::runtime::monitor::join;
use crate::runtime::monitor::join::OpenedNamespaces;
use crate::runtime::oci;
use crate::runtime::plan::{self, Host, Plan};
use crate::runtime::protocol::{Report, Size};
use crate::runtime::record::directory::Directory;
use crate::runtime::rootless;
use crate::runtime::spawn::explain::{explain, explain_clone};
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::{self, userns};

/// Starts the container and returns when its program runs, or why it does not. Nothing is left
/// behind then but the cgroup, which the caller removes.
pub(crate) fn launch(
    directory: &Directory,
    hierarchies: &Hierarchies,
    cgroup: &Cgroup,
    spec: &ContainerSpec,
    size: Option<Size>,
) -> Result<Run> {
    let config = config_of(directory, spec)?;
    let resources = config.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let needed = resources.map(Cgroup::controllers).unwrap_or_default();
    let (hierarchies, cgroup) =
        (&hierarchies.restricted_to(&needed), &cgroup.restricted_to(&needed));
    let (open_stdin, tty) = (spec.config.open_stdin && !spec.config.tty, spec.config.tty);
    let plan = plan::plan(&config, &host_for(spec, hierarchies))?;
    make_sources(spec)?;
    if spec.host.namespaces.init {
        pid1::install(oci::INIT.as_ref())?;
    }
    let OpenedNamespaces { namespaces, pid, shared_memory } = join::open(&config)?;
    trace::traced(ProcessRole::Monitor, || Operation::MakeCgroup, || cgroup.create())?;
    if let Some(resources) = resources {
        trace::traced(ProcessRole::Monitor, || Operation::SetLimits, || cgroup.apply(resources))?;
    }
    let open_log = || Writer::open("log.jsonl".as_ref(), spec.host.supervision.log);
    let log = trace::traced(ProcessRole::Monitor, || Operation::OpenLog, open_log)?;
    let (stdin, keeper) = if open_stdin { self::open_stdin()? } else { (None, None) };
    let process = config.process().as_ref();
    let arguments = process.and_then(|process| process.args().clone()).unwrap_or_default();
    let environment = process.and_then(|process| process.env().clone()).unwrap_or_default();
    let namespaces = namespaces.into_iter().map(|(_, namespace)| namespace).collect();
    let joined = JoinedNamespaces { namespaces, pid, shared_memory };
    let target = None;
    let wanted =
        SpawnRequest { plan, arguments, environment, tty, stdin, size, target, joined, cgroup };
    let SpawnedProcess { child, outputs, terminal } = spawn(wanted)?;
    let input =
        StdinWriter::new(terminal.as_ref().map(OwnedFd::try_clone).transpose().unwrap_or(None));
    let mounts = Some(child.pid).filter(|_| cgroup.has_no_hierarchy());
    let mounts = mounts.and_then(rootless::processes::mounts_of);
    Ok(Run { child, outputs, log, stdin: keeper, input, terminal, mounts })
}

/// `config.json`, with what `update` has changed since.
fn config_of(directory: &Directory, spec: &ContainerSpec) -> Result<Spec> {
    let mut config: serde_json::Value = directory.read("config.json")?;
    oci::resources::limit(&spec.host.resources, &mut config);
    serde_json::from_value(config)
        .map_err(|error| Error::new(Kind::Corrupt, format!("`config.json` is damaged: {error}")))
}

/// What the plan needs to know of this host for a container.
fn host_for(spec: &ContainerSpec, hierarchies: &Hierarchies) -> Host {
    Host {
        open_stdin: spec.config.open_stdin && !spec.config.tty,
        devices: spec.host.security.privileged.then(devices::host_devices),
        ..visible_cgroups(hierarchies)
    }
}

/// The plan by which a container would be started now, and whether it has limits to write.
pub(in crate::runtime) fn planned(
    directory: &Directory,
    hierarchies: &Hierarchies,
    spec: &ContainerSpec,
) -> Result<(Plan, bool)> {
    let config = config_of(directory, spec)?;
    let resources = config.linux().as_ref().and_then(|linux| linux.resources().as_ref());
    let needed = resources.map(Cgroup::controllers).unwrap_or_default();
    let host = host_for(spec, &hierarchies.restricted_to(&needed));
    Ok((plan::plan(&config, &host)?, resources.is_some()))
}

/// A process to be made.
pub(in crate::runtime) struct SpawnRequest<'a> {
    pub(in crate::runtime) plan: Plan,
    pub(in crate::runtime) arguments: Vec<String>,
    pub(in crate::runtime) environment: Vec<String>,
    pub(in crate::runtime) tty: bool,
    pub(in crate::runtime) stdin: Option<OwnedFd>,
    pub(in crate::runtime) size: Option<Size>,
    /// The process whose namespaces it joins.
    pub(in crate::runtime) target: Option<OwnedFd>,
    pub(in crate::runtime) joined: JoinedNamespaces,
    pub(in crate::runtime) cgroup: &'a Cgroup,
}

/// What it shares with other containers.
#[derive(Default)]
pub(in crate::runtime) struct JoinedNamespaces {
    /// Their namespaces, in the order of the plan's steps.
    namespaces: Vec<OwnedFd>,
    /// The process namespace that it is made in.
    pid: Option<OwnedFd>,
    /// The mount namespace of the container whose IPC is joined.
    shared_memory: Option<OwnedFd>,
}

/// A process that runs its program.
pub(in crate::runtime) struct SpawnedProcess {
    pub(in crate::runtime) child: sys::process::Child,
    /// What it writes; a terminal has only the first.
    pub(in crate::runtime) outputs: [Option<OwnedFd>; 2],
    /// Our end of its terminal.
    pub(in crate::runtime) terminal: Option<OwnedFd>,
}

/// Clones a process, and returns when it has executed its program, or why it has not.
pub(in crate::runtime) fn spawn(wanted: SpawnRequest<'_>) -> Result<SpawnedProcess> {
    let SpawnRequest { plan, arguments, environment, tty, stdin, size, target, joined, cgroup } =
        wanted;
    let JoinedNamespaces { namespaces, pid, shared_memory } = joined;
    let (reports, report) = pipe()?;
    let (traced, tracer) = TraceReader::begin()?;
    let (mut outputs, mut streams, mut console) = ([None, None], [stdin, None, None], None);
    let mut terminal = None;
    if tty {
        let failed = |error: std::io::Error| Error::from_io("socketpair", &error);
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        (console, terminal) = (Some(ours), Some(OwnedFd::from(theirs)));
    } else {
        for (output, stream) in outputs.iter_mut().zip(&mut streams[1..]) {
            let (read, write) = pipe()?;
            (*output, *stream) = (Some(read), Some(write));
        }
    }
    let mut init = Init {
        plan,
        streams,
        terminal,
        size,
        target,
        cgroups: cgroup.open_tasks()?,
        namespaces,
        shared_memory,
        report,
        traced,
        descriptors: Vec::new(),
        programs: programs(&arguments, &environment)?,
        arguments: c_strings(&arguments)?,
        environment: c_strings(&environment)?,
    };
    init.count_descriptors();
    let unified = cgroup.open_unified()?;
    let unified = unified.as_ref().map(std::os::fd::AsFd::as_fd);
    let own = pid.as_ref().map(enter_pid_namespace).transpose()?;
    let namespaces = init.plan.namespaces;
    let clone = || sys::process::clone_into(namespaces, unified, || init.run());
    let child = trace::traced(ProcessRole::Monitor, || Operation::Clone(namespaces), clone);
    // The way back is closed to an ordinary user, who goes forth anew before each child.
    if !userns::in_user_namespace() {
        own.as_ref().map(set_pid_namespace).transpose()?;
    }
    let child = child.map_err(explain_clone)?;
    let Init { plan, report, streams, terminal, traced, .. } = init;
    drop((report, streams, terminal, traced));
    let executed = || {
        tracer.into_iter().for_each(|tracer| tracer.follow(&plan));
        read_report(&reports)
    };
    if let Some(report) = trace::traced(ProcessRole::Monitor, || Operation::WaitForExec, executed)?
    {
        let _ = sys::process::reap(&child.pidfd);
        return Err(explain(&plan, report, &arguments));
    }
    let terminal = console.map(terminal::receive).transpose()?.flatten();
    if let Some(terminal) = &terminal {
        let failed = |errno: Errno| Error::from_errno("ioctl(FIONBIO)", errno.raw_os_error());
        rustix::io::ioctl_fionbio(terminal, true).map_err(failed)?;
        outputs[0] = terminal.try_clone().ok();
    }
    Ok(SpawnedProcess { child, outputs, terminal })
}

/// Has children made in this process namespace; the one that they were made in before.
fn enter_pid_namespace(namespace: &OwnedFd) -> Result<OwnedFd> {
    trace::traced(
        ProcessRole::Monitor,
        || Operation::JoinPidNamespace,
        || set_pid_namespace(namespace),
    )
}

fn set_pid_namespace(namespace: &OwnedFd) -> Result<OwnedFd> {
    let path = "/proc/self/ns/pid_for_children";
    let own = File::open(path).context(|| format!("open `{path}`"))?;
    sys::process::enter_namespace(namespace)
        .map_err(|errno| Error::from_errno("setns(pid)", errno.raw_os_error()))?;
    Ok(own.into())
}

/// Makes the directories that `-v` names and that are not there, as Docker does.
fn make_sources(spec: &ContainerSpec) -> Result<()> {
    for mount in &spec.host.mounts.list {
        let made_here = mount.kind == MountKind::Bind && matches!(mount.spec, MountSpec::Volume(_));
        if made_here && fs::symlink_metadata(&mount.source).is_err() {
            let made = fs::DirBuilder::new().mode(0o755).recursive(true).create(&mount.source);
            made.context(|| format!("make the mount source `{}`", mount.source))?;
        }
    }
    Ok(())
}

/// The hierarchies that are shown in `/sys/fs/cgroup`, each under the name it has here.
fn visible_cgroups(hierarchies: &Hierarchies) -> Host {
    let name = |mount: &std::path::Path| {
        mount.file_name().unwrap_or_default().to_string_lossy().into_owned()
    };
    let v1: Vec<_> =
        hierarchies.v1.iter().map(|v1| (name(&v1.mount), v1.controllers.clone())).collect();
    let below = if v1.is_empty() { "" } else { "unified" };
    Host {
        cgroup_v1: v1,
        cgroup_v2: hierarchies.unified.as_ref().map(|_| below.to_owned()),
        open_stdin: false,
        has_lowerdir_append: host::has_lowerdir_append(),
        identity: userns::identity().clone(),
        devices: None,
    }
}

pub(in crate::runtime) fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
        .map_err(|errno| Error::from_errno("pipe2", errno.raw_os_error()))
}

/// The container's end of the fifo `stdin`, and one of our own that keeps it open until whoever
/// feeds it says that nothing more comes.
fn open_stdin() -> Result<(Option<OwnedFd>, Option<File>)> {
    let open =
        |options: &mut OpenOptions| options.open("stdin").context(|| "open `stdin`".to_owned());
    // A fifo opens for reading only once it has a writer, and the other way round (fifo(7)).
    let _both = open(OpenOptions::new().read(true).write(true))?;
    let reader = open(OpenOptions::new().read(true))?;
    let keeper = open(OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK))?;
    Ok((Some(reader.into()), Some(keeper)))
}

fn c_strings(texts: &[String]) -> Result<Vec<CString>> {
    let convert = |text: &String| {
        CString::new(text.as_str())
            .map_err(|_| Error::new(Kind::Invalid, "an argument has a NUL byte"))
    };
    texts.iter().map(convert).collect()
}

/// Where the program may be: as it is written if it has a `/`, else in each directory of the
/// container's PATH.
fn programs(arguments: &[String], environment: &[String]) -> Result<Vec<CString>> {
    let program = arguments.first().map_or("", String::as_str);
    if program.contains('/') || program.is_empty() {
        return c_strings(&[program.to_owned()]);
    }
    let path = environment.iter().find_map(|entry| entry.strip_prefix("PATH=")).unwrap_or_default();
    // A relative entry would depend on the working directory, which is the image's to choose.
    let places = path.split(':').filter(|directory| directory.starts_with('/'));
    let places: Vec<_> = places.map(|directory| format!("{directory}/{program}")).collect();
    c_strings(&places)
}

/// What init reports; `None` at the end of the pipe: exec succeeded.
fn read_report(pipe: &OwnedFd) -> Result<Option<Report>> {
    let mut bytes = [0; Report::SIZE];
    loop {
        match rustix::io::read(pipe, &mut bytes) {
            Ok(0) => return Ok(None),
            Ok(count) => return Ok(Report::from_bytes(&bytes[..count])),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("read(report)", errno.raw_os_error())),
        }
    }
}
