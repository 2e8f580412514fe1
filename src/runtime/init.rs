//! What runs between clone and exec.
//!
//! The process here is a copy of the monitor with one thread. It walks a finished [`Plan`], gives
//! up its rights and becomes the user's program. It decides nothing, prints nothing and returns
//! never: a failure is one [`Report`] on a pipe, and the end of that pipe means that exec
//! succeeded.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::place::{self, Wanted, make_directories};
use super::plan::{FileStep, MountStep, Plan, Root, Step};
use super::{fill, passwd};
use crate::sys::mount::{self, Attributes};
use crate::sys::{identity, net, process};

/// The largest `/etc/passwd` or `/etc/group` that is read, in bytes.
const MAX_ACCOUNTS: usize = 1 << 20;

/// What failed: the number of the step, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which step of the plan, from 0.
    pub step: u32,
    /// The error number.
    pub errno: i32,
}

impl Report {
    /// The size of a report on the pipe, in bytes.
    pub const SIZE: usize = 8;

    /// As it is written to the pipe.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.step.to_ne_bytes());
        bytes[4..].copy_from_slice(&self.errno.to_ne_bytes());
        bytes
    }

    /// As it is read from the pipe; `None` where it is cut short.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let step = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
        let errno = i32::from_ne_bytes(bytes.get(4..Self::SIZE)?.try_into().ok()?);
        Some(Report { step, errno })
    }
}

/// All that init needs, prepared before the clone.
#[derive(Debug)]
pub struct Init {
    /// The steps.
    pub plan: Plan,
    /// What becomes standard input; the container's `/dev/null` where absent.
    pub stdin: Option<OwnedFd>,
    /// What becomes standard output.
    pub stdout: OwnedFd,
    /// What becomes standard error.
    pub stderr: OwnedFd,
    /// `tasks` of the v1 hierarchies.
    pub cgroups: Vec<OwnedFd>,
    /// The namespaces of other containers, in the order of their steps.
    pub namespaces: Vec<OwnedFd>,
    /// The mount namespace of the container whose IPC is joined.
    pub shared_memory: Option<OwnedFd>,
    /// The end of the pipe that takes the report.
    pub report: OwnedFd,
    /// Where the program may be, in the order of PATH.
    pub programs: Vec<CString>,
    /// Its arguments, from argument 0 on.
    pub arguments: Vec<CString>,
    /// Its environment.
    pub environment: Vec<CString>,
}

impl Init {
    /// Walks the plan. Never returns from its last step, nor from one that failed, which is
    /// reported.
    pub fn run(&self) {
        let mut walk = Walk {
            init: self,
            root: None,
            sources: Vec::new(),
            empty: None,
            home: CString::default(),
        };
        for (number, step) in self.plan.steps.iter().enumerate() {
            if let Err(errno) = walk.perform(step) {
                let step = u32::try_from(number).unwrap_or(u32::MAX);
                let report = Report { step, errno: errno.raw_os_error() };
                let _ = rustix::io::write(&self.report, &report.to_bytes());
                // No destructors: the last steps close descriptors behind the backs of owners.
                process::exit_now(127);
            }
        }
    }
}

/// What the steps so far have made.
struct Walk<'a> {
    init: &'a Init,
    /// The new root.
    root: Option<OwnedFd>,
    /// What is to be seen of the host.
    sources: Vec<OwnedFd>,
    /// The empty file system that masks directories.
    empty: Option<OwnedFd>,
    /// `HOME=...` of the user, where the environment has none.
    home: CString,
}

impl Walk<'_> {
    fn perform(&mut self, step: &Step) -> Result<(), Errno> {
        match step {
            Step::DieWithMonitor => self.die_with_monitor(),
            Step::SetOomScore(score) => set_oom_score(score),
            Step::JoinCgroups => self.join_cgroups(),
            Step::NewCgroupNamespace => process::unshare_cgroup(),
            Step::HideFromOthers => process::set_dumpable(false),
            Step::NewKeyring => new_keyring(),
            Step::NewSession => rustix::process::setsid().map(drop),
            Step::BringLoopbackUp => net::loopback_up(),
            Step::StopPropagation => mount::make_all_slaves(),
            Step::MountRoot(root) => self.mount_root(root),
            Step::Mount(mount) => self.mount(mount),
            Step::BindFile(file) => self.bind_file(file),
            Step::MakeDevice { path, major, minor } => self.make_device(path, *major, *minor),
            Step::MakeLink { path, target } => {
                rustix::fs::symlinkat(target.as_c_str(), self.root()?, path.as_c_str())
            }
            Step::PivotRoot => mount::pivot(self.root()?),
            Step::OpenNullInput => open_null_input(),
            Step::WriteSysctl { path, value, optional } => match self.write_sysctl(path, value) {
                Err(Errno::NOENT) if *optional => Ok(()),
                result => result,
            },
            Step::SetHostname(name) => rustix::system::sethostname(name.to_bytes()),
            Step::MakeReadonly(path) => self.make_readonly(path),
            Step::SealMount(path) => self.seal_mount(path),
            Step::Mask(path) => self.mask(path),
            Step::SetLimit { resource, soft, hard } => {
                process::limit(*resource, Some(*soft), Some(*hard))
            }
            Step::ResetSignals => {
                process::reset_signals();
                Ok(())
            }
            Step::SetUmask(mask) => {
                rustix::process::umask(Mode::from_bits_truncate(*mask));
                Ok(())
            }
            Step::EnterDirectory(path) => place::enter(path),
            Step::BecomeUser { user, capabilities } => self.become_user(user, *capabilities),
            Step::CloseDescriptors => self.close_descriptors(),
            Step::Execute => self.execute(),
            shared => self.share(shared),
        }
    }

    /// The steps of what is not the container's alone.
    fn share(&mut self, step: &Step) -> Result<(), Errno> {
        match step {
            Step::JoinNamespace { slot, .. } => {
                let namespace = self.init.namespaces.get(*slot).ok_or(Errno::BADF)?;
                process::enter_namespace(namespace)
            }
            Step::OpenSharedMemory => {
                let theirs = self.init.shared_memory.as_ref().ok_or(Errno::BADF)?;
                self.sources.push(place::shared_memory(theirs.as_fd())?);
                Ok(())
            }
            Step::SetDomainname(name) => rustix::system::setdomainname(name.to_bytes()),
            Step::OpenSource(source) => {
                self.sources.push(mount::open_view(&source.path, source.view)?);
                Ok(())
            }
            Step::FillVolume { volume, target } => fill::fill(volume, self.root()?, target),
            Step::ShowSource { slot, target, .. } => self.show_source(*slot, target),
            Step::MountMemory(memory) => {
                let mounted =
                    mount::filesystem(&memory.fstype, &memory.settings, memory.attributes)?;
                let place = place::make(self.root()?, &memory.target, Wanted::Directory)?;
                mount::attach(mounted, place)
            }
            _ => Err(Errno::NOSYS),
        }
    }

    fn root(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.root.as_ref().map(AsFd::as_fd).ok_or(Errno::BADF)
    }

    /// The monitor may have died before the death signal was asked for: then nobody reads the pipe.
    fn die_with_monitor(&self) -> Result<(), Errno> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        process::die_with_parent()?;
        let mut pipe = [PollFd::new(&self.init.report, PollFlags::empty())];
        poll(&mut pipe, Some(&Timespec::default()))?;
        if pipe[0].revents().contains(PollFlags::ERR) { Err(Errno::SRCH) } else { Ok(()) }
    }

    fn join_cgroups(&self) -> Result<(), Errno> {
        for tasks in &self.init.cgroups {
            rustix::io::write(tasks, b"0")?;
        }
        Ok(())
    }

    fn mount_root(&mut self, root: &Root) -> Result<(), Errno> {
        // The modes of what is made from here on are exact.
        rustix::process::umask(Mode::empty());
        let overlay = if root.one_by_one {
            let nodev = Attributes::MOUNT_ATTR_NODEV;
            let overlay = mount::overlay(&root.lower, &root.settings, nodev)?;
            mount::attach(&overlay, mount::open_directory(&root.target)?)?;
            overlay
        } else {
            mount::overlay_by_text(&root.target, &root.options)?
        };
        self.root = Some(overlay);
        Ok(())
    }

    fn mount(&self, step: &MountStep) -> Result<(), Errno> {
        let mounted = match mount::filesystem(&step.fstype, &step.settings, step.attributes) {
            Err(Errno::NODEV) if step.optional => return Ok(()),
            result => result?,
        };
        let target = make_directories(self.root()?, &step.target)?;
        mount::attach(mounted, target)
    }

    /// Links of the image at `target` are followed inside the root only.
    fn bind_file(&self, file: &FileStep) -> Result<(), Errno> {
        let root = self.root()?;
        let source = mount::clone_tree(CWD, &file.source)?;
        mount::add_attributes(&source, file.attributes)?;
        mount::attach(source, place::make(root, &file.target, Wanted::File)?)
    }

    fn show_source(&self, slot: usize, target: &CStr) -> Result<(), Errno> {
        let source = self.sources.get(slot).ok_or(Errno::BADF)?;
        let wanted = match FileType::from_raw_mode(rustix::fs::fstat(source)?.st_mode) {
            FileType::Directory => Wanted::Directory,
            _ => Wanted::File,
        };
        let place = place::make(self.root()?, target, wanted)?;
        let there = FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode);
        if (there == FileType::Directory) == (wanted == Wanted::Directory) {
            mount::attach(source, place)
        } else {
            Err(Errno::NOTDIR)
        }
    }

    fn make_device(&self, path: &CStr, major: u32, minor: u32) -> Result<(), Errno> {
        let device = rustix::fs::makedev(major, minor);
        let mode = Mode::from_bits_truncate(0o666);
        rustix::fs::mknodat(self.root()?, path, FileType::CharacterDevice, mode, device)
    }

    /// Through the new root's own `/proc`, which no process of the container has seen yet.
    fn write_sysctl(&self, path: &CStr, value: &CStr) -> Result<(), Errno> {
        let file = mount::open_beneath(self.root()?, path, OFlags::WRONLY)?;
        rustix::io::write(file, value.to_bytes()).map(drop)
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

    fn seal_mount(&self, path: &CStr) -> Result<(), Errno> {
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
            let null = mount::open_beneath(self.root()?, c"dev/null", OFlags::PATH)?;
            return mount::attach(mount::clone_of(null)?, place);
        }
        // One empty file system serves all masked directories.
        let empty = match &self.empty {
            Some(empty) => mount::clone_of(empty)?,
            None => mount::filesystem(
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

    /// Order: the bounding set first, while CAP_SETPCAP is there; then groups and user, which take
    /// the capabilities of a user that is not root; then what remains (capabilities(7)).
    fn become_user(&mut self, user: &str, capabilities: u64) -> Result<(), Errno> {
        let passwd = read_accounts(c"/etc/passwd")?;
        let group = read_accounts(c"/etc/group")?;
        let user = passwd::find(user, &passwd, &group).map_err(|unknown| match unknown {
            passwd::Unknown::User => Errno::NOENT,
            passwd::Unknown::Group => Errno::SRCH,
        })?;
        let has_home =
            self.init.environment.iter().any(|entry| entry.to_bytes().starts_with(b"HOME="));
        if !has_home {
            self.home = CString::new([b"HOME=", user.home].concat()).unwrap_or_default();
        }
        self.own_streams(user.uid)?;
        let capabilities = capabilities & identity::bounding();
        identity::drop_bounding(capabilities)?;
        identity::keep_capabilities(true)?;
        identity::become_user(user.uid, user.gid, &user.groups)?;
        identity::keep_capabilities(false)?;
        identity::set_capabilities(if user.uid == 0 { capabilities } else { 0 })?;
        // A change of user takes the death signal away (PR_SET_PDEATHSIG(2const)).
        process::die_with_parent()
    }

    /// `/dev/stdout` can be opened again only by who owns the pipe behind it.
    fn own_streams(&self, uid: u32) -> Result<(), Errno> {
        if uid == 0 {
            return Ok(());
        }
        let streams = [self.init.stdin.as_ref(), Some(&self.init.stdout), Some(&self.init.stderr)];
        for stream in streams.into_iter().flatten() {
            rustix::fs::fchown(stream, Some(rustix::fs::Uid::from_raw(uid)), None)?;
        }
        Ok(())
    }

    fn close_descriptors(&self) -> Result<(), Errno> {
        if let Some(stdin) = &self.init.stdin {
            process::redirect(stdin, 0)?;
        }
        process::redirect(&self.init.stdout, 1)?;
        process::redirect(&self.init.stderr, 2)?;
        // The report pipe goes with exec; all others go now, so that no path through
        // /proc/self/fd leads back to the host (CVE-2024-21626).
        process::close_all_but(self.init.report.as_fd())
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

/// A lower score than the present one needs CAP_SYS_RESOURCE; without it the caller's stays.
fn set_oom_score(score: &CStr) -> Result<(), Errno> {
    let file = rustix::fs::open(
        c"/proc/self/oom_score_adj",
        OFlags::WRONLY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    match rustix::io::write(file, score.to_bytes()) {
        Ok(_) | Err(Errno::ACCESS) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Kernels without keyrings, and full quotas, are no reason not to start.
fn new_keyring() -> Result<(), Errno> {
    match process::join_new_keyring() {
        Err(Errno::NOSYS | Errno::DQUOT | Errno::PERM | Errno::ACCESS) => Ok(()),
        result => result,
    }
}

fn open_null_input() -> Result<(), Errno> {
    let null = rustix::fs::open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    process::redirect(null, 0)
}

/// Reads a file of accounts inside the container: a regular file and not too large, or none
/// (CVE-2024-9676: a fifo there must not hang us).
fn read_accounts(path: &CStr) -> Result<Vec<u8>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file,
        Err(_) => return Ok(Vec::new()),
    };
    let status = rustix::fs::fstat(&file)?;
    let size = usize::try_from(status.st_size).unwrap_or(usize::MAX);
    if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile || size > MAX_ACCOUNTS {
        return Ok(Vec::new());
    }
    let mut content = vec![0; size];
    let mut filled = 0;
    while filled < size {
        match rustix::io::read(&file, &mut content[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    content.truncate(filled);
    Ok(content)
}
