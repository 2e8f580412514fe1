//! Giving up rights, between clone and exec: who the program is, and what it may do.
//!
//! Runs in init, inside the new root; the files of accounts are a stranger's.

use std::ffi::{CStr, CString};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::init::Init;
use super::passwd;
use super::plan::UserStep;
use crate::sys::{identity, process};

/// The largest `/etc/passwd` or `/etc/group` that is read, in bytes.
const MAX_ACCOUNTS: usize = 1 << 20;

/// Becomes the user; `HOME=...` of it, where the environment has none.
///
/// Order: the bounding set first, while CAP_SETPCAP is there; then groups and user, which take
/// the capabilities of a user that is not root; then what remains (capabilities(7)).
pub(super) fn become_user(init: &Init, step: &UserStep) -> Result<CString, Errno> {
    let passwd = read_accounts(c"/etc/passwd")?;
    let group = read_accounts(c"/etc/group")?;
    let user =
        passwd::find(&step.user, &step.groups, &passwd, &group).map_err(
            |unknown| match unknown {
                passwd::Unknown::User => Errno::NOENT,
                passwd::Unknown::Group => Errno::SRCH,
            },
        )?;
    let has_home = init.environment.iter().any(|entry| entry.to_bytes().starts_with(b"HOME="));
    let home = match has_home {
        true => CString::default(),
        false => CString::new([b"HOME=", user.home].concat()).unwrap_or_default(),
    };
    own_streams(init, user.uid)?;
    let bounding = step.bounding & identity::bounding();
    identity::drop_bounding(bounding)?;
    identity::keep_capabilities(true)?;
    identity::become_user(user.uid, user.gid, &user.groups)?;
    identity::keep_capabilities(false)?;
    match user.uid {
        0 => identity::set_capabilities(bounding)?,
        _ => identity::set_ambient_capabilities(bounding & step.ambient)?,
    }
    // A change of user takes the death signal away (PR_SET_PDEATHSIG(2const)).
    process::die_with_parent()?;
    Ok(home)
}

/// `/dev/stdout` can be opened again only by who owns the pipe behind it.
fn own_streams(init: &Init, uid: u32) -> Result<(), Errno> {
    if uid == 0 {
        return Ok(());
    }
    let streams = [init.stdin.as_ref(), Some(&init.stdout), Some(&init.stderr)];
    for stream in streams.into_iter().flatten() {
        rustix::fs::fchown(stream, Some(rustix::fs::Uid::from_raw(uid)), None)?;
    }
    Ok(())
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
