//! `--init`: a first process that forwards signals and reaps orphans, as tini does.
//!
//! The process is this program under another name. The container sees a read-only copy of the
//! binary: the engine's own is never in a container, where its file could be reached through
//! `/proc/1/exe` (CVE-2019-5736).

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions};

use crate::model::Result;
use crate::model::error::Context;
use crate::runtime::oci::INIT_PATH;
use crate::sys;
use crate::sys::lock::{self, Share};

/// Returns whether this process was started as the first of a container.
pub fn is_init() -> bool {
    std::env::args_os().next().is_some_and(|name| name == INIT_PATH)
}

/// Runs the program after `--` and returns its exit code, or 128 plus the signal that ended it.
pub fn run() -> u8 {
    let words: Vec<_> = std::env::args_os().skip(2).collect();
    let Some((program, arguments)) = words.split_first() else { return 127 };
    // If it is not the first process of its namespace, orphans come to it nevertheless.
    let _ = rustix::process::set_child_subreaper(rustix::process::getpid().into());
    if sys::signal::block_all().is_err() {
        return 126;
    }
    // Signals are blocked before the program starts, so that its exit is not missed.
    let mut command = Command::new(program);
    sys::signal::unblock_all_in(command.args(arguments).process_group(0));
    let child = match command.spawn() {
        Ok(child) => i32::try_from(child.id()).ok().and_then(Pid::from_raw),
        Err(error) => {
            let text = format!("{INIT_PATH}: exec {}: {error}\n", program.to_string_lossy());
            let _ = rustix::io::write(rustix::stdio::stderr(), text.as_bytes());
            return if error.kind() == ErrorKind::NotFound { 127 } else { 126 };
        }
    };
    let Some(child) = child else { return 126 };
    // On a terminal the program is the foreground process group.
    let _ = rustix::termios::tcsetpgrp(rustix::stdio::stdin(), child);
    loop {
        match sys::signal::wait_blocked() {
            libc::SIGCHLD => {
                if let Some(code) = reap(child) {
                    return code;
                }
            }
            signal => sys::process::forward_signal(child, signal),
        }
    }
}

/// Reaps all exited processes. Returns the code of `child`, if it is among them.
fn reap(child: Pid) -> Option<u8> {
    let mut code = None;
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if pid == child => {
                let signal = status.terminating_signal().map(|signal| 128 + signal);
                let exit_code = status.exit_status().or(signal).unwrap_or(255);
                code = Some(u8::try_from(exit_code).unwrap_or(255));
            }
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) | Err(_) => return code,
        }
    }
}

/// Installs a copy of this program at `path`, unless there is one already.
pub(crate) fn install(path: &Path) -> Result<()> {
    let program = Path::new("/proc/self/exe");
    let what = || format!("copy this program to `{}`", path.display());
    let like = fs::metadata(program).context(what)?;
    let is_placed = || {
        fs::symlink_metadata(path).is_ok_and(|copy| {
            copy.len() == like.len()
                && copy.mtime() == like.mtime()
                && copy.mtime_nsec() == like.mtime_nsec()
        })
    };
    if is_placed() {
        return Ok(());
    }
    // One process at a time: a copy that is replaced before it is mounted could not be mounted. The
    // lock is released with the descriptor.
    let directory = File::open(path.parent().unwrap_or(Path::new("."))).context(what)?;
    lock::acquire(&directory, Share::Alone, "the files of `--init`").context(what)?;
    if is_placed() {
        return Ok(());
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let copy = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o500).open(&staged)?;
        std::io::copy(&mut File::open(program)?, &mut file)?;
        file.set_permissions(fs::Permissions::from_mode(0o555))?;
        file.set_modified(like.modified()?)?;
        // Closed before it gets its name: a file that is open for writing cannot be executed.
        drop(file);
        fs::rename(&staged, path)
    };
    copy()
        .inspect_err(|_| {
            let _ = fs::remove_file(&staged);
        })
        .context(what)
}
