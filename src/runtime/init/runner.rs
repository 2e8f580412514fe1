//! Walks the plan, one arm a step.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use super::device;
use super::marks;
use super::null;
use super::privileges;
use super::proc_self;
use super::root_mount;
use super::rooted_path;
use super::rooted_path::{PlaceKind, create_directories};
use super::terminal;
use super::traced;
use super::traced::TraceWriter;
use super::volume_copy_up;
use super::volume_mount::{self, SharedVolume};
use crate::runtime::plan::{DeviceNode, FileStep, MountStep, Plan, Step};
use crate::runtime::protocol::{Report, Size};
use crate::sys::mount::{self, Attributes};
use crate::sys::{net, process, seccomp};

/// All that init needs, prepared before the clone.
#[derive(Debug)]
pub struct Init {
    /// The steps.
    pub plan: Plan,
    /// The standard input, output and error; the container's `/dev/null` where absent, or its
    /// terminal.
    pub streams: [Option<OwnedFd>; 3],
    /// Takes the monitor's end of the terminal.
    pub terminal: Option<OwnedFd>,
    /// The size of the terminal.
    pub size: Option<Size>,
    /// The process whose namespaces are joined.
    pub target: Option<OwnedFd>,
    /// `tasks` of the v1 hierarchies.
    pub cgroups: Vec<OwnedFd>,
    /// The namespaces of other containers, in the order of their steps.
    pub namespaces: Vec<OwnedFd>,
    /// The mount namespace of the container whose IPC is joined.
    pub shared_memory: Option<OwnedFd>,
    /// The opened file systems of volumes, in the order of their steps.
    pub devices: Vec<OwnedFd>,
    /// The volumes that are a tmpfs, in the order of their steps.
    pub volumes: Vec<SharedVolume>,
    /// The end of the pipe that takes the report.
    pub report: OwnedFd,
    /// The pipe for step reports, while tracing is on.
    pub traced: Option<TraceWriter>,
    /// The numbers of all these descriptors, in order.
    pub descriptors: Vec<RawFd>,
    /// The paths of the program to try, in the order of PATH.
    pub programs: Vec<CString>,
    /// Its arguments, from argument 0 on.
    pub arguments: Vec<CString>,
    /// Its environment.
    pub environment: Vec<CString>,
}

impl Init {
    /// Collects its descriptors, so that the process can close all others without a search.
    pub fn count_descriptors(&mut self) {
        let several = self.cgroups.iter().chain(&self.namespaces).chain(&self.devices);
        let several = several.chain(self.volumes.iter().flat_map(SharedVolume::descriptors));
        let single = self.streams.iter().chain([&self.terminal, &self.target]);
        let single = single.chain([&self.shared_memory]).flatten().chain([&self.report]);
        let single = single.chain(self.traced.iter().flat_map(TraceWriter::descriptors));
        self.descriptors = process::raw_fds(several.chain(single).map(AsFd::as_fd));
    }

    /// Walks the plan. Never returns: the last step executes the program, and a failed step is
    /// reported.
    pub fn run(&self) {
        let mut walk = PlanRunner {
            init: self,
            root: None,
            sources: Vec::new(),
            empty: None,
            terminal: None,
            home: CString::default(),
        };
        for (number, step) in self.plan.steps.iter().enumerate() {
            let performed = traced::step(self.traced.as_ref(), number, step, || walk.perform(step));
            if let Err(errno) = performed {
                let step = u32::try_from(number).unwrap_or(u32::MAX);
                let report = Report { step, errno: errno.raw_os_error() };
                let _ = retry_on_intr(|| rustix::io::write(&self.report, &report.to_bytes()));
                // No destructors run: the last steps have closed descriptors that values still own.
                process::exit_now(127);
            }
        }
    }
}

/// The state of the walk: what the steps so far have created.
struct PlanRunner<'a> {
    init: &'a Init,
    /// The new root.
    root: Option<OwnedFd>,
    /// The opened sources of bind mounts.
    sources: Vec<OwnedFd>,
    /// The empty file system that masks directories.
    empty: Option<OwnedFd>,
    /// The program's end of its terminal.
    terminal: Option<OwnedFd>,
    /// `HOME=...` of the user, if the environment has none.
    home: CString,
}

impl PlanRunner<'_> {
    #[expect(clippy::too_many_lines, reason = "one arm a step")]
    fn perform(&mut self, step: &Step) -> Result<(), Errno> {
        match step {
            Step::CloseInherited => process::close_all_but(&self.init.descriptors),
            Step::DieWithMonitor => self.die_with_monitor(),
            Step::SetOomScore(score) => proc_self::set_oom_score(score),
            Step::JoinCgroups => self.join_cgroups(),
            Step::NewCgroupNamespace => process::unshare_cgroup(),
            Step::ClearDumpable => process::set_dumpable(false),
            Step::NewKeyring => new_keyring(),
            Step::NewSession => rustix::process::setsid().map(drop),
            Step::BringLoopbackUp => net::loopback_up(),
            Step::MakeMountsSlave => mount::make_all_slaves(),
            Step::MountRoot(overlay) => self.begin_root(root_mount::mount(overlay)),
            Step::BindRoot { path, attributes } => {
                self.begin_root(root_mount::bind(path, *attributes))
            }
            Step::Mount(mount) => self.mount(mount),
            Step::BindFile(file) => self.bind_file(file),
            Step::BindDevice(device) => device::bind_device(self.root()?, device),
            Step::MakeDevice(device) => self.make_device(device),
            Step::MakeMarks => {
                marks::make(self.root()?);
                Ok(())
            }
            Step::MakeLink { path, target } => {
                rustix::fs::symlinkat(target.as_c_str(), self.root()?, path.as_c_str())
            }
            Step::PivotRoot => mount::pivot(self.root()?),
            Step::JoinNamespaces(which) => self.join_namespaces(*which),
            Step::CloseHostFds => self.close_host_fds(),
            Step::OpenNullInput => null::open_input(),
            Step::OpenTerminal { console } => self.open_terminal(*console),
            Step::WriteSysctl { path, value, optional } => match self.write_sysctl(path, value) {
                Err(Errno::NOENT) if *optional => Ok(()),
                result => result,
            },
            Step::SetHostname(name) => rustix::system::sethostname(name.to_bytes()),
            Step::MakeReadonly(path) => self.make_readonly(path),
            Step::RemountReadonly(path) => self.remount_readonly(path),
            Step::Mask(path) => self.mask(path),
            Step::SetLimit { resource, soft, hard } => {
                process::limit(*resource, Some(*soft), Some(*hard))
            }
            Step::ResetSignals => {
                process::reset_signals();
                Ok(())
            }
            Step::ResetPersonality => process::reset_personality(),
            Step::ResetSchedule => process::reset_schedule(),
            Step::SetUmask(mask) => {
                rustix::process::umask(Mode::from_bits_truncate(*mask));
                Ok(())
            }
            Step::SetCwd { path, make } => {
                rooted_path::enter(path, make.then_some(PlaceKind::Directory))
            }
            Step::RemountRootReadonly => {
                mount::add_attributes(self.root()?, Attributes::MOUNT_ATTR_RDONLY)
            }
            Step::SetApparmorProfile(command) => proc_self::set_apparmor_profile(command),
            Step::SetSelinuxLabel(label) => proc_self::write(c"/proc/self/attr/exec", label),
            Step::SetNoNewPrivs => rustix::thread::set_no_new_privs(true),
            Step::LoadSeccomp(filter) => seccomp::set(&filter.program, filter.flags),
            Step::SetCredentials(step) => {
                self.home = privileges::set_credentials(
                    &self.init.environment,
                    &self.init.streams,
                    self.terminal.as_ref(),
                    step,
                )?;
                Ok(())
            }
            Step::CloseDescriptors => self.close_descriptors(),
            Step::Execute => self.execute(),
            Step::JoinNamespace { fd_index, .. } => {
                let namespace = self.init.namespaces.get(*fd_index).ok_or(Errno::BADF)?;
                process::enter_namespace(namespace)
            }
            Step::OpenDevShm => {
                let mount_namespace = self.init.shared_memory.as_ref().ok_or(Errno::BADF)?;
                self.sources.push(rooted_path::shared_memory(mount_namespace.as_fd())?);
                Ok(())
            }
            Step::SetDomainname(name) => rustix::system::setdomainname(name.to_bytes()),
            Step::MountVolume(volume) => {
                volume_mount::mount(volume, &self.init.devices, &self.init.volumes)
            }
            Step::MountImage(root) => root_mount::mount_image(root),
            Step::OpenBindSource(source) => {
                self.sources.push(root_mount::open_source(source)?);
                Ok(())
            }
            Step::CopyUpVolume(copy) => volume_copy_up::copy_up(copy, self.root()?),
            Step::AttachBind { fd_index, target, .. } => {
                let source = self.sources.get(*fd_index).ok_or(Errno::BADF)?;
                root_mount::attach_bind(self.root()?, source, target)
            }
            Step::MountTmpfs(tmpfs) => root_mount::mount_tmpfs(self.root()?, tmpfs),
        }
    }

    fn root(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.root.as_ref().map(AsFd::as_fd).ok_or(Errno::BADF)
    }

    /// Sets the death signal. The monitor may have died before: then the report pipe has no reader.
    fn die_with_monitor(&self) -> Result<(), Errno> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        process::die_with_parent()?;
        let mut pipe = [PollFd::new(&self.init.report, PollFlags::empty())];
        retry_on_intr(|| poll(&mut pipe, Some(&Timespec::default())))?;
        if pipe[0].revents().contains(PollFlags::ERR) { Err(Errno::SRCH) } else { Ok(()) }
    }

    /// Closes the host's descriptors: from here on paths are the container's, and some lead through
    /// `/proc/self/fd` (CVE-2024-21626).
    fn close_host_fds(&self) -> Result<(), Errno> {
        let init = self.init;
        let [traced, gate] = TraceWriter::both(init.traced.as_ref());
        let kept = [
            traced,
            gate,
            init.streams[0].as_ref(),
            init.streams[1].as_ref(),
            init.streams[2].as_ref(),
            init.terminal.as_ref(),
            self.root.as_ref(),
            Some(&init.report),
        ];
        close_all_but(kept)
    }

    fn join_cgroups(&self) -> Result<(), Errno> {
        for tasks in &self.init.cgroups {
            retry_on_intr(|| rustix::io::write(tasks, b"0"))?;
        }
        Ok(())
    }

    fn join_namespaces(&self, which: i32) -> Result<(), Errno> {
        process::join(self.init.target.as_ref().ok_or(Errno::BADF)?, which)
    }

    fn open_terminal(&mut self, console: bool) -> Result<(), Errno> {
        let to = self.init.terminal.as_ref().ok_or(Errno::BADF)?;
        self.terminal = Some(terminal::open(console, self.init.size, to.as_fd())?);
        Ok(())
    }

    fn begin_root(&mut self, mounted: Result<OwnedFd, Errno>) -> Result<(), Errno> {
        // The modes of files created from here on are exact.
        rustix::process::umask(Mode::empty());
        self.root = Some(mounted?);
        Ok(())
    }

    fn mount(&self, step: &MountStep) -> Result<(), Errno> {
        let mounted = match filesystem(step) {
            Err(Errno::NODEV) if step.optional => return Ok(()),
            Err(Errno::PERM) => match &step.fallback_bind {
                Some(path) => match bind_fallback(path, step) {
                    Err(Errno::NOENT) if step.optional => return Ok(()),
                    result => result?,
                },
                None => return Err(Errno::PERM),
            },
            result => result?,
        };
        let target = create_directories(self.root()?, &step.target)?;
        mount::attach(mounted, target)
    }

    /// Bind-mounts a file or a directory. Links of the image in `target` are followed inside the
    /// root only.
    fn bind_file(&self, file: &FileStep) -> Result<(), Errno> {
        let root = self.root()?;
        let source = mount::clone_tree(CWD, &file.source)?;
        mount::add_attributes(&source, file.attributes)?;
        let kind = if file.directory { PlaceKind::Directory } else { PlaceKind::File };
        mount::attach(source, rooted_path::open_or_create(root, &file.target, kind)?)
    }

    fn make_device(&self, device: &DeviceNode) -> Result<(), Errno> {
        let directory = create_directories(self.root()?, &device.directory)?;
        let (major, minor) = device.number;
        let number = rustix::fs::makedev(major, minor);
        let (mode, name) = (Mode::from_bits_truncate(device.mode), device.name.as_c_str());
        rustix::fs::mknodat(&directory, name, device.kind, mode, number)?;
        // The name must still refer to the created node: other processes may write to the
        // directory.
        let node = mount::open_beneath(&directory, name, OFlags::PATH)?;
        let status = rustix::fs::fstat(&node)?;
        if FileType::from_raw_mode(status.st_mode) != device.kind || status.st_rdev != number {
            return Err(Errno::NODEV);
        }
        let (user, group) = device.owner;
        let owner = (rustix::fs::Uid::from_raw(user), rustix::fs::Gid::from_raw(group));
        rustix::fs::chownat(&node, c"", Some(owner.0), Some(owner.1), AtFlags::EMPTY_PATH)
    }

    /// Writes a kernel parameter through the new root's `/proc`, which no process of the container
    /// has seen yet.
    fn write_sysctl(&self, path: &CStr, value: &CStr) -> Result<(), Errno> {
        let file = mount::open_beneath(self.root()?, path, OFlags::WRONLY)?;
        // The file must be one of procfs, and not a substitute (CVE-2025-52881).
        if rustix::fs::fstatfs(&file)?.f_type != rustix::fs::PROC_SUPER_MAGIC {
            return Err(Errno::XDEV);
        }
        retry_on_intr(|| rustix::io::write(&file, value.to_bytes())).map(drop)
    }

    fn make_readonly(&self, path: &CStr) -> Result<(), Errno> {
        let place = match mount::open_beneath(self.root()?, path, OFlags::PATH) {
            Err(Errno::NOENT) => return Ok(()),
            result => result?,
        };
        let copy = mount::clone_of(&place)?;
        mount::add_attributes(&copy, Attributes::MOUNT_ATTR_RDONLY)?;
        mount::attach(copy, place)
    }

    fn remount_readonly(&self, path: &CStr) -> Result<(), Errno> {
        let mounted = mount::open_beneath(self.root()?, path, OFlags::PATH)?;
        mount::add_attributes(mounted, Attributes::MOUNT_ATTR_RDONLY)
    }

    fn mask(&mut self, path: &CStr) -> Result<(), Errno> {
        let place = match mount::open_beneath(self.root()?, path, OFlags::PATH) {
            Err(Errno::NOENT) => return Ok(()),
            result => result?,
        };
        let status = rustix::fs::fstat(&place)?;
        if FileType::from_raw_mode(status.st_mode) != FileType::Directory {
            return mount::attach(mount::clone_of(self.null()?)?, place);
        }
        // One empty file system serves all masked directories.
        let empty = match &self.empty {
            Some(empty) => mount::clone_of(empty)?,
            None => mount::filesystem(
                c"tmpfs",
                c"tmpfs",
                &[],
                Attributes::MOUNT_ATTR_RDONLY
                    | Attributes::MOUNT_ATTR_NOSUID
                    | Attributes::MOUNT_ATTR_NODEV
                    | Attributes::MOUNT_ATTR_NOEXEC,
            )?,
        };
        mount::attach(&empty, place)?;
        self.empty.get_or_insert(empty);
        Ok(())
    }

    /// Opens the container's own `/dev/null`.
    fn null(&self) -> Result<OwnedFd, Errno> {
        null::open(self.root()?, OFlags::PATH)
    }

    fn close_descriptors(&self) -> Result<(), Errno> {
        for (number, stream) in (0..).zip(&self.init.streams) {
            if let Some(stream) = stream.as_ref().or(self.terminal.as_ref()) {
                process::dup_to(stream, number)?;
            }
        }
        // The report pipe is closed by exec; all others are closed now, so that no path through
        // /proc/self/fd leads back to the host (CVE-2024-21626).
        let [traced, gate] = TraceWriter::both(self.init.traced.as_ref());
        close_all_but([Some(&self.init.report), traced, gate])
    }

    fn execute(&self) -> Result<(), Errno> {
        let arguments = process::CStrings::new(self.init.arguments.iter().map(CString::as_c_str));
        let mut environment =
            process::CStrings::new(self.init.environment.iter().map(CString::as_c_str));
        if !self.home.is_empty() {
            environment.push(&self.home);
        }
        let mut reason = Errno::NOENT;
        for program in &self.init.programs {
            match process::execute(program, &arguments, &environment) {
                Errno::NOENT | Errno::NOTDIR => {}
                Errno::ACCESS => reason = Errno::ACCESS,
                errno => return Err(errno),
            }
        }
        Err(reason)
    }
}

/// Closes all descriptors but these and the standard three.
fn close_all_but<const N: usize>(kept: [Option<&OwnedFd>; N]) -> Result<(), Errno> {
    // -1 stands for none: it is not a descriptor, and is less than all of them.
    let mut kept = kept.map(|descriptor| descriptor.map_or(-1, AsRawFd::as_raw_fd));
    kept.sort_unstable();
    process::close_all_but(kept.split_at(kept.partition_point(|number| *number < 0)).1)
}

fn filesystem(step: &MountStep) -> Result<OwnedFd, Errno> {
    mount::filesystem(&step.fstype, &step.source, &step.settings, step.attributes)
}

/// Opens the host's mount that replaces a refused one, if this process is in the namespace that it
/// shows.
fn bind_fallback(path: &CStr, step: &MountStep) -> Result<OwnedFd, Errno> {
    if step.fstype.as_c_str() == c"proc" {
        let number = rustix::fs::readlink(c"/proc/self", Vec::new())?;
        let pid = rustix::process::getpid().as_raw_nonzero().to_string();
        if number.to_bytes() != pid.as_bytes() {
            return Err(Errno::PERM);
        }
    }
    let view = mount::View { whole: true, attributes: step.attributes, slave: false };
    mount::open_view(path, None, view)
}

/// Joins a new keyring. A kernel without keyrings, or a full quota, is not an error.
fn new_keyring() -> Result<(), Errno> {
    match process::join_new_keyring() {
        Err(Errno::NOSYS | Errno::DQUOT | Errno::PERM | Errno::ACCESS) => Ok(()),
        result => result,
    }
}
