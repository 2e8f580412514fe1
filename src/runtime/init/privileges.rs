//! Drops privileges between clone and exec: sets the user and the capabilities of the program.
//!
//! Runs in init, inside the new root; `/etc/passwd` and `/etc/group` are untrusted.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::{passwd, read_etc};
use crate::runtime::plan::Credentials;
use crate::sys::{identity, process};

/// Switches to the user. Returns `HOME=...` of the user, if the environment has none.
///
/// Order: the bounding set first, while CAP_SETPCAP is there; then groups and user, whose change
/// clears the capabilities of a user that is not root; then the remaining sets (capabilities(7)).
pub(crate) fn set_credentials(
    environment: &[CString],
    streams: &[Option<OwnedFd>; 3],
    terminal: Option<&OwnedFd>,
    step: &Credentials,
) -> Result<CString, Errno> {
    let passwd = read_etc::read(c"/etc/passwd")?;
    let group = read_etc::read(c"/etc/group")?;
    let user =
        passwd::find(&step.user, &step.groups, &passwd, &group).map_err(
            |unknown| match unknown {
                passwd::Unknown::User => Errno::NOENT,
                passwd::Unknown::Group => Errno::SRCH,
                passwd::Unknown::Range => Errno::RANGE,
            },
        )?;
    let has_home = environment.iter().any(|entry| entry.to_bytes().starts_with(b"HOME="));
    let home = match has_home {
        true => CString::default(),
        false => CString::new([b"HOME=", user.home].concat()).unwrap_or_default(),
    };
    chown_streams(streams, terminal, user.uid)?;
    let bounding = step.bounding & identity::bounding();
    identity::drop_bounding(bounding)?;
    identity::keep_capabilities(true)?;
    identity::become_user(user.uid, user.gid, &user.groups)?;
    identity::keep_capabilities(false)?;
    match user.uid {
        0 => identity::set_capabilities(bounding)?,
        _ => identity::set_ambient_capabilities(bounding & step.ambient)?,
    }
    // A change of user clears the death signal (PR_SET_PDEATHSIG(2const)).
    process::die_with_parent()?;
    Ok(home)
}

/// Gives the user the pipes of its streams: only their owner can open `/dev/stdout` again.
fn chown_streams(
    streams: &[Option<OwnedFd>; 3],
    terminal: Option<&OwnedFd>,
    uid: u32,
) -> Result<(), Errno> {
    if uid == 0 {
        return Ok(());
    }
    for stream in streams.iter().flatten().chain(terminal) {
        rustix::fs::fchown(stream, Some(rustix::fs::Uid::from_raw(uid)), None)?;
    }
    Ok(())
}
