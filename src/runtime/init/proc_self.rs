//! Settings of the process in `/proc/self`, before it executes the program. Runs between clone and
//! exec.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// Sets `oom_score_adj`. A lower score than the present one needs CAP_SYS_RESOURCE; without it the
/// caller's stays.
pub(crate) fn set_oom_score(score: &CStr) -> Result<(), Errno> {
    let file = open(c"/proc/self/oom_score_adj")?;
    match retry_on_intr(|| rustix::io::write(&file, score.to_bytes())) {
        Ok(_) | Err(Errno::ACCESS) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Sets the AppArmor profile. With several security modules each has a directory (Linux 5.8).
pub(crate) fn set_apparmor_profile(command: &CStr) -> Result<(), Errno> {
    match write(c"/proc/self/attr/apparmor/exec", command) {
        Err(Errno::NOENT) if open(c"/proc/self/attr/apparmor/exec").is_err() => {
            write(c"/proc/self/attr/exec", command)
        }
        result => result,
    }
}

/// Writes to one of these files.
pub(crate) fn write(path: &CStr, text: &CStr) -> Result<(), Errno> {
    let file = open(path)?;
    retry_on_intr(|| rustix::io::write(&file, text.to_bytes())).map(drop)
}

fn open(path: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())
}
