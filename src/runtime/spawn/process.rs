//! Clones a process, and waits until it runs its program.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::io::Errno;

use super::explain::{explain, explain_clone};
use super::tracer::TraceReader;
use crate::model::error::Context;
use crate::model::script::trace::ProcessRole;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::init::{Init, SharedVolume, terminal};
use crate::runtime::plan::Plan;
use crate::runtime::protocol::{Report, Size};
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::process::pipe;
use crate::sys::{self, userns};

/// How long a process that could not run its program may take to exit.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// A process to spawn.
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

/// The namespaces that it joins of other containers.
#[derive(Default)]
pub(in crate::runtime) struct JoinedNamespaces {
    /// The namespaces, in the order of the plan's steps.
    pub(in crate::runtime) namespaces: Vec<OwnedFd>,
    /// The PID namespace that it is cloned into.
    pub(in crate::runtime) pid: Option<OwnedFd>,
    /// The mount namespace of the container whose IPC is joined.
    pub(in crate::runtime) shared_memory: Option<OwnedFd>,
    /// The opened file systems of volumes, in the order of the plan's steps.
    pub(in crate::runtime) devices: Vec<OwnedFd>,
    /// The volumes that are a tmpfs, in the order of the plan's steps.
    pub(in crate::runtime) volumes: Vec<SharedVolume>,
}

/// A process that runs its program.
pub(in crate::runtime) struct SpawnedProcess {
    pub(in crate::runtime) child: sys::process::Child,
    /// Its output and error output; a terminal has only the first.
    pub(in crate::runtime) outputs: [Option<OwnedFd>; 2],
    /// The engine's end of its terminal.
    pub(in crate::runtime) terminal: Option<OwnedFd>,
}

/// The streams of a process, and the engine's ends of them.
struct Streams {
    outputs: [Option<OwnedFd>; 2],
    streams: [Option<OwnedFd>; 3],
    /// Where the engine receives the process's terminal.
    console: Option<UnixStream>,
    /// Where the process sends it.
    terminal: Option<OwnedFd>,
}

impl Streams {
    /// Creates pipes, or for a terminal a pair of sockets.
    fn new(stdin: Option<OwnedFd>, tty: bool) -> Result<Self> {
        let mut new = Self {
            outputs: [None, None],
            streams: [stdin, None, None],
            console: None,
            terminal: None,
        };
        if tty {
            let (ours, theirs) = UnixStream::pair().context(|| "socketpair".to_owned())?;
            (new.console, new.terminal) = (Some(ours), Some(OwnedFd::from(theirs)));
        } else {
            for (output, stream) in new.outputs.iter_mut().zip(&mut new.streams[1..]) {
                let (read, write) = pipe()?;
                (*output, *stream) = (Some(read), Some(write));
            }
        }
        Ok(new)
    }
}

/// Clones a process, and returns when it has executed its program, or the reason why it has not.
pub(in crate::runtime) fn spawn(request: SpawnRequest<'_>) -> Result<SpawnedProcess> {
    let SpawnRequest { plan, arguments, environment, tty, stdin, size, target, joined, cgroup } =
        request;
    let JoinedNamespaces { namespaces, pid, shared_memory, devices, volumes } = joined;
    let (reports, report) = pipe()?;
    let (traced, tracer) = TraceReader::start()?;
    let Streams { mut outputs, streams, console, terminal } = Streams::new(stdin, tty)?;
    let mut init = Init {
        plan,
        streams,
        terminal,
        size,
        target,
        cgroups: cgroup.open_tasks()?,
        namespaces,
        shared_memory,
        devices,
        volumes,
        report,
        traced,
        descriptors: Vec::new(),
        programs: programs(&arguments, &environment)?,
        arguments: c_strings(&arguments)?,
        environment: c_environment(environment)?,
    };
    init.count_descriptors();
    let unified = cgroup.open_unified()?;
    let own_namespace = pid.as_ref().map(enter_pid_namespace).transpose()?;
    let namespaces = init.plan.namespaces;
    let unified = unified.as_ref().map(std::os::fd::AsFd::as_fd);
    let clone = || sys::process::clone_into(namespaces, unified, || init.run());
    let child = trace::traced(ProcessRole::Monitor, || Operation::Clone(namespaces), clone);
    // An ordinary user cannot go back, and joins again before each child.
    if !userns::in_user_namespace() {
        own_namespace.as_ref().map(set_pid_namespace).transpose()?;
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
        // It exits now, unless a process has stopped it.
        let _ = sys::process::send_signal(&child.pidfd, libc::SIGKILL);
        let _ = sys::process::reap_within(&child.pidfd, END_TIMEOUT);
        return Err(explain(&plan, report, &arguments));
    }
    let terminal = console.map(terminal::receive).transpose()?.flatten();
    if let Some(terminal) = &terminal {
        outputs[0] = unblocked(terminal)?;
    }
    Ok(SpawnedProcess { child, outputs, terminal })
}

/// Returns a second descriptor of a terminal whose reads do not block.
fn unblocked(terminal: &OwnedFd) -> Result<Option<OwnedFd>> {
    let failed = |errno: Errno| Error::from_errno("ioctl(FIONBIO)", errno.raw_os_error());
    rustix::io::ioctl_fionbio(terminal, true).map_err(failed)?;
    Ok(terminal.try_clone().ok())
}

/// Makes later children be cloned into this PID namespace. Returns the previous one.
fn enter_pid_namespace(namespace: &OwnedFd) -> Result<OwnedFd> {
    trace::traced(
        ProcessRole::Monitor,
        || Operation::JoinPidNamespace,
        || set_pid_namespace(namespace),
    )
}

fn set_pid_namespace(namespace: &OwnedFd) -> Result<OwnedFd> {
    let path = "/proc/self/ns/pid_for_children";
    let own_namespace = File::open(path).context(|| format!("open `{path}`"))?;
    sys::process::enter_namespace(namespace)
        .map_err(|errno| Error::from_errno("setns(pid)", errno.raw_os_error()))?;
    Ok(own_namespace.into())
}

fn c_strings(texts: &[String]) -> Result<Vec<CString>> {
    let convert = |text: &String| {
        CString::new(text.as_str())
            .map_err(|_| Error::new(Kind::Invalid, "an argument contains a NUL byte"))
    };
    texts.iter().map(convert).collect()
}

/// Returns the environment; an empty `HOME` is left out, for then it is the user's, as in Docker.
fn c_environment(mut environment: Vec<String>) -> Result<Vec<CString>> {
    environment.retain(|entry| entry != "HOME=");
    c_strings(&environment)
}

/// Returns the paths of the program to try: as written if it contains a `/`, otherwise in each
/// directory of the container's PATH.
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

/// Reads init's report; `None` at the end of the pipe: exec succeeded.
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
