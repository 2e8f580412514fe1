//! Enters a user namespace: one that has members, or a new one.

use std::ffi::CString;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::io::Errno;

use super::host_check;
use super::maps::{self, Maps};
use super::members::Members;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::owner;
use crate::sys::process::{self, Child};
use crate::sys::process_state::ProcessState;
use crate::sys::userns::{self, Range};

/// How long `newuidmap` and `newgidmap` may take.
const HELPER_TIMEOUT: Duration = Duration::from_secs(10);

static ENTERED: OnceLock<Maps> = OnceLock::new();

/// Enters the user namespace of the store at `root`, in which an ordinary user is root. Creates the
/// namespace if there is none. Does nothing for root. The caller must have one thread.
///
/// # Errors
/// [`Kind::Denied`] if the host does not let ordinary users have one, with the command that allows
/// it; or if the store is of another user.
pub fn enter(root: &Path) -> Result<()> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    // Before the namespace: inside, the owner of root's store has no number.
    owner::check(root)?;
    let mut maps = Maps::for_caller();
    let entered = enter_as(&mut maps, root);
    let _ = ENTERED.set(maps);
    entered
}

fn enter_as(maps: &mut Maps, root: &Path) -> Result<()> {
    // In a store that cannot be written no container runs: there is no namespace to join.
    let members = match Members::open(root) {
        // A second namespace would keep this process from the containers of the first.
        Err(error) if error.kind() == Kind::Timeout => return Err(error),
        members => members.ok(),
    };
    if members.as_ref().is_some_and(Members::join) {
        maps.adopt_maps(userns::identity());
    } else {
        match maps.helpers() {
            Some((users, groups)) => enter_by_helpers(maps, users, groups)?,
            None => enter_alone(maps)?,
        }
    }
    // AppArmor lets the namespace be created and denies the rights in it.
    userns::unshare_hostname().map_err(|errno| refused("use a new user namespace", errno))?;
    members.map_or(Ok(()), |members| members.add(rustix::process::getpid().as_raw_nonzero().get()))
}

/// Lists a process of the store at `root` that outlives this one. Called while this process is in
/// the namespace, as it is from [`enter`] on.
///
/// # Errors
/// When the store can't be written.
pub(in crate::runtime) fn register_member(root: &Path, pid: u32) -> Result<()> {
    Members::open(root)?.add(i32::try_from(pid).unwrap_or_default())
}

/// Returns the ids of the ordinary user who runs this process; `None` for root.
pub fn maps() -> Option<&'static Maps> {
    ENTERED.get()
}

/// Returns the problems of an ordinary user, each with the command that solves it.
pub fn warnings() -> Vec<String> {
    let Some(maps) = maps() else { return Vec::new() };
    let problems = host_check::host_check().into_iter().map(|(what, way)| format!("{what}: {way}"));
    maps.warnings.iter().cloned().chain(problems).collect()
}

fn refused(what: &str, errno: Errno) -> Error {
    let error = Error::from_errno(what, errno.raw_os_error()).with_kind(Kind::Denied);
    match host_check::host_check().into_iter().next() {
        Some((problem, way)) => Error::new(Kind::Denied, problem).hint(way).cause(error),
        None => error.hint("run lifebox as root"),
    }
}

/// Maps one id: the kernel lets every user map the own one, if groups cannot be dropped by it
/// (user_namespaces(7), CVE-2014-8989).
fn enter_alone(maps: &Maps) -> Result<()> {
    userns::unshare_user().map_err(|errno| refused("create a user namespace", errno))?;
    let write = |file: &str, text: &str| {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            refused(&format!("write `{text}` to /proc/self/{file}"), errno)
        })
    };
    write("setgroups", "deny")?;
    write("uid_map", &maps::lines(&maps.uids))?;
    write("gid_map", &maps::lines(&maps.gids))
}

/// Maps all subordinate ids. Only a privileged program may do so, from outside the new namespace,
/// so both helpers start before it is created.
fn enter_by_helpers(maps: &Maps, users: &Path, groups: &Path) -> Result<()> {
    let (start_gate, key) = process::pipe()?;
    let (output, errors) = process::pipe()?;
    let helpers = [
        (users, helper(users, &maps.uids, &start_gate, &errors)?),
        (groups, helper(groups, &maps.gids, &start_gate, &errors)?),
    ];
    drop(errors);
    let created = userns::unshare_user();
    if created.is_err() {
        for (_, child) in &helpers {
            let _ = process::send_signal(&child.pidfd, libc::SIGKILL);
        }
    }
    // Each helper reads one byte.
    let _ = rustix::io::write(&key, b"go");
    let codes = helpers.map(|(path, child)| (path, reap(path, &child)));
    created.map_err(|errno| refused("create a user namespace", errno))?;
    for (path, code) in codes {
        if code? != 0 {
            return Err(not_mapped(path, &output));
        }
    }
    Ok(())
}

fn reap(helper: &Path, child: &Child) -> Result<i32> {
    process::reap_within(&child.pidfd, HELPER_TIMEOUT).map_err(|error| {
        let state = ProcessState::of(child.pid).map(|process| process.to_string());
        let _ = process::send_signal(&child.pidfd, libc::SIGKILL);
        let late = format!("`{}` maps no ids: {}", helper.display(), state.unwrap_or_default());
        Error::new(error.kind(), late).hint("run lifebox as root")
    })
}

fn not_mapped(helper: &Path, output: &OwnedFd) -> Error {
    let mut text = [0; 1024];
    let count = rustix::io::read(output, &mut text).unwrap_or(0);
    let output = String::from_utf8_lossy(&text[..count]);
    let reason = output.lines().next().unwrap_or("no output");
    let message =
        format!("`{}` did not map this user's subordinate ids: {reason}", helper.display());
    let hint = "make it set-uid root (apt-get install --reinstall uidmap), and in /etc/subuid and \
                /etc/subgid give this user ranges of its own";
    Error::new(Kind::Denied, message).hint(hint)
}

/// Starts `newuidmap` or `newgidmap`, which waits for a byte from `gate`. Its errors go to
/// `errors`.
fn helper(
    program: &Path,
    ranges: &[Range],
    start_gate: &OwnedFd,
    errors: &OwnedFd,
) -> Result<Child> {
    let text = |text: String| CString::new(text).unwrap_or_default();
    let path = CString::new(program.as_os_str().as_bytes()).unwrap_or_default();
    let pid = rustix::process::getpid().as_raw_nonzero();
    let mut words = vec![path.clone(), text(pid.to_string())];
    for range in ranges {
        words.extend([range.inside, range.outside, range.count].map(|n| text(n.to_string())));
    }
    let arguments = process::CStrings::new(words.iter().map(CString::as_c_str));
    let environment = process::CStrings::new(std::iter::empty());
    process::clone_into(0, None, || {
        let _ = process::die_with_parent();
        let mut byte = [0];
        if rustix::io::read(start_gate, &mut byte) == Ok(1) && process::dup_to(errors, 2).is_ok() {
            process::execute(&path, &arguments, &environment);
        }
    })
}
